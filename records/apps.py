from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"

    def ready(self) -> None:
        from records import jobs, signals  # noqa: F401  (bells and receivers register themselves)
