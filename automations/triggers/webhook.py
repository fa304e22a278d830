"""A request came in at the automation's endpoint. What may come in, and how it is verified, the endpoint says."""

from collections.abc import Collection

from automations.models import Automation
from automations.names import WEBHOOK_RECEIVED
from automations.triggers.base import Trigger, TriggerConfig, trigger
from webhooks.inbound.endpoints import close_endpoint, endpoint_for_automation


@trigger
class WebhookReceived(Trigger):
    name = "webhook"
    label = "Webhook received"
    help = "Another system sent a request. Expressions see it as `webhook.body`, `webhook.headers` and `webhook.query`."
    icon = "webhook"
    group = "Requests"
    is_targeted = True
    has_record = False

    def event_names(self, config: TriggerConfig) -> Collection[str]:
        return (WEBHOOK_RECEIVED,)

    def describe(self, config: TriggerConfig) -> str:
        return "When a webhook is received"

    def arm(self, automation: Automation, config: TriggerConfig) -> None:
        endpoint_for_automation(automation.pk, automation.name)

    def disarm(self, automation: Automation) -> None:
        """Who calls meanwhile is turned away; the address stays its own."""
        close_endpoint(automation.pk)
