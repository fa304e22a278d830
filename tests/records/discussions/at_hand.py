"""What tests of discussions look at."""

from typing import Any

from records.models import Notification, Participant, Record, User


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def participants(record: Record) -> set[str]:
    return {one.user.username for one in Participant.objects.filter(record=record)}


def told(user: User) -> list[str]:
    return [note.title for note in Notification.objects.filter(user=user).order_by("pk")]
