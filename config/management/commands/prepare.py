"""`manage.py prepare`: everything between new code and serving it. Safe to repeat at any time."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError


class Command(BaseCommand):
    help = (
        "Migrate the database; then load the demo (with DEBUG) or collect the static files (without). "
        "A second run keeps what people changed."
    )
    # The checks may look into tables, which are only there after migrating.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"]
        try:
            call_command("migrate", interactive=False, verbosity=max(0, verbosity - 1))
        except OperationalError as error:
            raise CommandError(f"The database of DATABASE_URL does not answer: {error}") from error
        self.check()
        if verbosity:
            self.stdout.write("The database is up to date.")
        if settings.DEBUG:
            call_command("load_demo", verbosity=verbosity)
        else:
            call_command("collectstatic", interactive=False, verbosity=verbosity)
