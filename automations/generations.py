"""The catalogue's generation: with one number everybody knows whether what they have read still holds."""

import secrets

from django.db import connection

from automations.models import Catalogue


def bump_generation() -> None:
    """What reacts to events has changed: every worker reads it anew. In the transaction of the change.

    The number is a random one, so that none ever comes again, also not after a change that was rolled back.
    """
    fresh = 1 + secrets.randbelow(2**62)
    if not Catalogue.objects.filter(pk=1).update(generation=fresh):
        Catalogue.objects.bulk_create([Catalogue(pk=1, generation=fresh)], ignore_conflicts=True)


def current_generation() -> int:
    """Asked for each batch of events: the statement is written out, since building it would cost more."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT generation FROM {Catalogue._meta.db_table} WHERE id = 1")  # noqa: S608
        row = cursor.fetchone()
    return int(row[0]) if row else 0
