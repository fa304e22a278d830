"""The demo: objects with records, people, and webhooks of which some succeed, one fails and one waits.

It is loaded once. What people change or delete afterwards stays as they leave it; that it was loaded is told by
its objects, and by their events when the objects are gone.
"""

from django.conf import settings
from django.db import transaction

from records.actors import acting
from records.models import Event, ObjectDefinition, User
from webhooks.demo import hooks, objects, parts, people, records, talk

LABEL = "Demo data"


def load_demo() -> str:
    """Load the demo unless it was loaded before. What was done, in words."""
    with transaction.atomic(), acting(label=LABEL):
        if was_loaded():
            moved = hooks.follow_address()
            for part in parts.PARTS:
                part.follow()
            made = people.make_first_logins() if settings.DEBUG else []
            return _words_of_another_time(moved, made)
        definitions = objects.make_objects()
        users = people.make_logins() if settings.DEBUG else []
        people.make_teams(definitions, users)
        # What reacts comes before the records, so that the records' events find it.
        hooks.make_webhooks(definitions)
        for part in parts.PARTS:
            part.make(definitions)
        count = records.make_records(definitions, users)
        talk.make_talk(users)
    return f"The demo is loaded: {count} records of {len(definitions)} objects.{_logins(users)}"


def was_loaded() -> bool:
    if ObjectDefinition.objects.filter(slug__in=objects.SLUGS).exists():
        return True
    ids = [f"obj_def_{slug}" for slug in objects.SLUGS]
    return Event.objects.filter(subject_id__in=ids, type="object.created").exists()


def _words_of_another_time(moved: int, made: list[User]) -> str:
    words = "The demo is there already; nothing of it was changed."
    if moved:
        words = f"The demo is there already; {moved} webhooks follow the inspectors' new address."
    return words + _logins(made)


def _logins(users: list[User]) -> str:
    if not users:
        return ""
    names = " and ".join(f"“{user.username}”" for user in users)
    return f" Log in as {names} with the password from DEMO_PASSWORD."
