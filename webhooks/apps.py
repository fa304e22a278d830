from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from webhooks import jobs, receivers  # noqa: F401  (bells and receivers register themselves)
