"""Where automations use secrets: in the requests of their steps, published or only in the draft."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from pydantic import ValidationError

from automations.actions.webhook import Sending
from automations.document.cards import Card, cards_of
from automations.models import REACTING_STATES, Automation
from automations.request_config import WebhookConfig
from automations.sending import template_of
from automations.steps import ACTIONS
from webhooks.models import Webhook
from webhooks.secret_uses import Use, finds_uses, places_of


@finds_uses
def _automation_uses() -> Iterator[tuple[str, Use]]:
    for automation in Automation.objects.select_related("published"):
        places: dict[str, list[str]] = defaultdict(list)
        published = automation.published.document if automation.published else None
        for name, place in _uses_in(published):
            places[name].append(place)
        if automation.draft != published:
            for name, place in _uses_in(automation.draft):
                if place not in places[name]:
                    places[name].append(f"{place} (draft)")
        url = reverse("admin:automations_automation_change", args=[automation.pk])
        is_active = automation.state in REACTING_STATES and published is not None
        for name, where in places.items():
            if where:
                yield name, Use(automation.name, "Automation", url, tuple(where), is_active)


def _uses_in(document: Any) -> Iterator[tuple[str, str]]:
    """(name of a secret, place in words); what has mistakes in it names none."""
    for card in cards_of(document):
        request = _request_of(card)
        if request is None:
            continue
        step = card.values.get("name") or card.id
        for place, names in places_of(_as_webhook(request)):
            yield from ((name, f"step “{step}”, {place}") for name in sorted(names))


def _request_of(card: Card) -> WebhookConfig | None:
    action = ACTIONS.get(card.type)
    if not isinstance(action, Sending) or not isinstance(card.config, Mapping):
        return None
    try:
        return action.request_of(action.Config.model_validate(card.config))
    except ValidationError:
        return None


def _as_webhook(request: WebhookConfig) -> Webhook:
    """The request of a step in the form of a webhook's; never saved."""
    template = template_of(request)
    return Webhook(
        url=template.url,
        path_params=template.path_params,
        query_params=template.query_params,
        headers=template.headers,
        body_kind=template.body_kind,
        body=template.body,
        body_rows=template.body_rows,
        auth=request.auth,
        signing_secret=request.signing_secret,
        client_certificate=request.client_certificate,
    )
