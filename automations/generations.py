"""The catalogue's generation: with one number everybody knows whether what they have read still holds."""

from django.db import connection
from django.db.models import F

from automations.models import Catalogue


def bump_generation() -> None:
    """What reacts to events has changed: every worker reads it anew. In the transaction of the change."""
    if not Catalogue.objects.filter(pk=1).update(generation=F("generation") + 1):
        Catalogue.objects.bulk_create([Catalogue(pk=1)], ignore_conflicts=True)


def current_generation() -> int:
    """Asked for each batch of events: the statement is written out, since building it would cost more."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT generation FROM {Catalogue._meta.db_table} WHERE id = 1")  # noqa: S608
        row = cursor.fetchone()
    return int(row[0]) if row else 0
