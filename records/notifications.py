"""What people have been told in the app: how much of it is new, a page of it, and marking it as read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.utils import timezone

from records.models import Notification, User

Reader = User | AbstractBaseUser | AnonymousUser

PAGE_SIZE: Final = 30
# More than this is shown as "99+".
UNREAD_CAP: Final = 99


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """Newest first. `older`: the id from which the next page goes on, "" on the last."""

    items: Sequence[Notification]
    older: str


def unread_count(user: Reader) -> int:
    """How many are new to this person, up to the cap and one more. Along an index of the unread ones."""
    if not user.is_authenticated:
        return 0
    return Notification.objects.filter(user=user.pk, read_at=None)[: UNREAD_CAP + 1].count()


def page_of(user: Reader, before: str = "") -> NotificationPage:
    """The newest, or those older than the id `before`; what is no id is the beginning."""
    rows = Notification.objects.filter(user=user.pk).order_by("-pk")
    if before := clean_id(before):
        rows = rows.filter(pk__lt=before)
    items = list(rows[: PAGE_SIZE + 1])
    older = items[PAGE_SIZE - 1].pk if len(items) > PAGE_SIZE else ""
    return NotificationPage(items[:PAGE_SIZE], older)


def find(user: Reader, pk: str) -> Notification | None:
    """One of this person's own."""
    pk = clean_id(pk)
    return Notification.objects.filter(user=user.pk, pk=pk).first() if pk else None


def mark_read(user: Reader, *, up_to: str = "", only: str = "") -> int:
    """Mark as read: `only` one, or all that are no newer than `up_to`. How many were new."""
    rows = Notification.objects.filter(user=user.pk, read_at=None)
    if only or up_to:
        pk = clean_id(only or up_to)
        if not pk:
            return 0
        rows = rows.filter(pk=pk) if only else rows.filter(pk__lte=pk)
    return rows.update(read_at=timezone.now())


def clean_id(text: str) -> str:
    """An id as the database takes it, or "" for what is none."""
    try:
        return str(Notification._meta.pk.to_python(text)) if text else ""
    except ValidationError:
        return ""
