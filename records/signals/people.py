"""Users: created, updated, deleted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from records.capturing import write_events
from records.events import make_event
from records.models import Event, Record, User
from records.models.tracking import rows_changed, rows_created

SHOWN = tuple(name for name in User.tracked if name != "password")


@receiver(pre_save, sender=User)
def user_changes(instance: User, raw: bool, **_: Any) -> None:
    if not raw:
        instance.remember_rest()


@receiver(post_save, sender=User)
def user_saved(
    instance: User, created: bool, raw: bool, update_fields: Iterable[str] | None, **_: Any
) -> None:
    if raw:
        return
    if created:
        write_events(_event("user.created", instance, after=user_snapshot(instance.__dict__)))
        return
    names = None if update_fields is None else set(update_fields)
    changed = instance.unsaved_changes(names)
    if names == {"password"} and instance._password is None:  # type: ignore[attr-defined]  # noqa: SLF001
        return  # the same password, hashed anew at a login
    write_events(*_updated(instance, instance.loaded, changed))


@receiver(rows_created, sender=User)
def users_created(instances: Sequence[User], **_: Any) -> None:
    write_events(
        *[_event("user.created", one, after=user_snapshot(one.__dict__)) for one in instances]
    )


@receiver(rows_changed, sender=User)
def users_changed(pairs: Sequence[tuple[User, User]], **_: Any) -> None:
    events: list[Event] = []
    for before, after in pairs:
        after.loaded = before.loaded
        events += _updated(after, before.loaded, after.unsaved_changes())
    write_events(*events)


@receiver(pre_delete, sender=User)
def user_goes(instance: User, **_: Any) -> None:
    """Their records lose their owner, which is a change of those records."""
    Record.objects.filter(owner=instance).update(owner=None)


@receiver(post_delete, sender=User)
def user_deleted(instance: User, **_: Any) -> None:
    event = _event("user.deleted", instance, before=user_snapshot(instance.__dict__))
    if event.actor_id == instance.pk:
        event.actor = None  # the row is gone; the name stays
    write_events(event)


def user_snapshot(values: Mapping[str, Any]) -> dict[str, Any]:
    """What events tell of a user: never the password."""
    return {name: values.get(name) for name in SHOWN}


def _updated(user: User, loaded: Mapping[str, Any], changed: Sequence[str]) -> list[Event]:
    if not changed:
        return []
    new = {**loaded, **{name: user.__dict__[name] for name in changed}}
    before, after = user_snapshot(loaded), user_snapshot(new)
    return [_event("user.updated", user, before=before, after=after, changed=changed)]


def _event(change: str, user: User, **values: Any) -> Event:
    return make_event(change, subject_id=user.pk, subject_label=str(user), **values)
