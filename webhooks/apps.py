from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from webhooks import chores, jobs, panels, receivers  # noqa: F401  (they register themselves)
        from webhooks.inbound import former, secret_uses  # noqa: F401
