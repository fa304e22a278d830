"""`manage.py rotate_secret_keys`: encrypt all secrets with the first of SECRETS_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webhooks.vault import rotate_keys


class Command(BaseCommand):
    help = (
        "Encrypt all secrets anew with the first key of SECRETS_KEYS. First put the new key before the old ones and "
        "restart everything; run this; then the old keys can go. It can be broken off and run again at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        changed, current, unreadable = rotate_keys()
        self.stdout.write(f"Encrypted anew: {changed}. Up to date already: {current}.")
        if unreadable:
            raise CommandError(
                f"No key opens {', '.join(unreadable)}. Add the key that they were encrypted with to SECRETS_KEYS, "
                "or enter their values anew in the admin. Keep the old keys until then."
            )
