"""People who are deleted take part in no discussion any more."""

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from records.capturing import write_events
from records.models import Event, Participant, Record, User
from records.services.comments import membership_event


@receiver(pre_delete, sender=User)
def participant_goes(instance: User, **_: Any) -> None:
    """An event for each discussion, all in one statement."""
    joined = Participant.objects.filter(user=instance).values("record_id")
    participants: dict[str, set[str]] = {}
    for record_id, user_id in Participant.objects.filter(record__in=joined).values_list(
        "record_id", "user_id"
    ):
        participants.setdefault(record_id, set()).add(user_id)
    records = Record.objects.filter(pk__in=joined).defer("data", "search_text")
    events: list[Event] = []
    for record in records:
        before = participants.get(record.pk, set())
        events.append(membership_event(record, before, before - {instance.pk}))
    write_events(*events)
