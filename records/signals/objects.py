"""Objects: created, updated, deleted, restored; their fields and stages are parts of them.

All that one transaction changes in an object is one event.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.utils import timezone

from records.capturing import Story, story_of, tell
from records.events import make_event
from records.models import Event, FieldDefinition, ObjectDefinition, Stage
from records.permissions import remove_permissions, sync_permissions
from records.snapshots import object_changed_names, object_snapshot
from records.uniqueness import rebuild_claims


@receiver(pre_save, sender=ObjectDefinition)
@receiver(pre_delete, sender=ObjectDefinition)
def object_changes(instance: ObjectDefinition, raw: bool = False, **_: Any) -> None:
    if instance.pk and not raw:
        _story(instance.pk)


@receiver(post_save, sender=ObjectDefinition)
def object_saved(instance: ObjectDefinition, created: bool, raw: bool, **_: Any) -> None:
    if raw:
        sync_permissions(instance)
        return
    story = story_of(_key(instance.pk), lambda: None) if created else _story(instance.pk)
    sync_permissions(instance, old_slug=(story.before or {}).get("slug", ""))
    _tell(instance.pk, story)


@receiver(post_delete, sender=ObjectDefinition)
def object_deleted_for_good(instance: ObjectDefinition, **_: Any) -> None:
    remove_permissions(instance)
    _tell(instance.pk, _story(instance.pk))


@receiver(pre_save, sender=FieldDefinition)
@receiver(pre_save, sender=Stage)
@receiver(pre_delete, sender=FieldDefinition)
@receiver(pre_delete, sender=Stage)
def part_changes(instance: FieldDefinition | Stage, raw: bool = False, **_: Any) -> None:
    if not raw:
        _story(instance.object_id)


@receiver(post_save, sender=FieldDefinition)
@receiver(post_save, sender=Stage)
@receiver(post_delete, sender=FieldDefinition)
@receiver(post_delete, sender=Stage)
def part_changed(instance: FieldDefinition | Stage, raw: bool = False, **_: Any) -> None:
    renew_revision(instance)
    if not raw:
        _tell(instance.object_id, _story(instance.object_id))


@receiver(pre_save, sender=FieldDefinition)
def field_changes(instance: FieldDefinition, **_: Any) -> None:
    """Whether unique values have to be claimed anew is known before the field is saved."""
    old = FieldDefinition.objects.filter(pk=instance.pk).values("unique", "kind", "slug").first()
    new = {"unique": instance.unique, "kind": instance.kind, "slug": instance.slug}
    instance.claims_differ = old != new and (instance.unique or bool(old and old["unique"]))


@receiver(post_save, sender=FieldDefinition)
def field_changed(instance: FieldDefinition, raw: bool, **_: Any) -> None:
    if instance.claims_differ and not raw:
        rebuild_claims(instance)


def renew_revision(part: FieldDefinition | Stage) -> None:
    """Whoever loads the object from now on reads its fields and stages afresh."""
    revision, now = uuid.uuid4(), timezone.now()
    # By the plain manager: the change that is told is the part's.
    plain = ObjectDefinition._base_manager.filter(pk=part.object_id)
    plain.update(revision=revision, updated_at=now)
    if type(part)._meta.get_field("object").is_cached(part):
        part.object.revision = revision
        part.object.updated_at = now


def _key(pk: int) -> str:
    return f"object {pk}"


def _story(pk: int) -> Story:
    return story_of(_key(pk), lambda: object_snapshot(pk))


def _tell(pk: int, story: Story) -> None:
    tell(story, _event(pk, story.before, object_snapshot(pk)))


def _event(pk: int, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Event | None:
    """The one event of what lies between two snapshots; None when nothing does."""
    was, is_ = _alive(before), _alive(after)
    changed: list[str] = []
    if was and is_:
        changed = object_changed_names(was, is_)
    change = _change(before, was, is_, changed)
    if change is None:
        return None
    now = after or before or {}
    event = make_event(
        change,
        before=was,
        after=is_,
        changed=changed,
        subject_id=f"obj_def_{now['slug']}",
        subject_label=now["plural"],
    )
    event.object_id = pk if after else None
    return event


def _change(
    before: object, was: Mapping[str, Any] | None, is_: Mapping[str, Any] | None, changed: list[str]
) -> str | None:
    if was and is_:
        return "object.updated" if changed else None
    if is_:
        return "object.restored" if before else "object.created"
    return "object.deleted" if was else None


def _alive(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None or values["deleted"]:
        return None
    return {name: value for name, value in values.items() if name != "deleted"}
