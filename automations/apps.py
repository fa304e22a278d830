from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    name = "automations"

    def ready(self) -> None:
        from automations import actions, jobs, receivers, triggers  # noqa: F401  (they register themselves)
