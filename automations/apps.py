from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    name = "automations"

    def ready(self) -> None:
        from automations import (  # noqa: F401  (they register themselves)
            actions,
            automationlinks,
            chores,
            commands,
            demo,
            inbound,
            jobs,
            panels,
            receivers,
            retention,
            runlinks,
            secret_uses,
            triggers,
        )
