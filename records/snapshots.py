"""Snapshots: what events tell of a subject before and after."""

from collections.abc import Iterable, Mapping
from typing import Any

from records.models.discussions import Comment
from records.models.invitations import Invitation
from records.models.objects import FieldDefinition, ObjectDefinition, Stage
from records.models.records import Record
from records.models.tasks import Task
from records.models.tracking import copy_value, same

OBJECT_NAMES = ("slug", "name", "plural", "icon", "description", "position", "allow_drafts")
FIELD_NAMES = (
    "label",
    "kind",
    "required",
    "unique",
    "in_list",
    "default",
    "help_text",
    "options",
    "position",
)
STAGE_NAMES = ("label", "colour", "position")


def snapshot(record: Record) -> dict[str, Any]:
    """A record's values as they are stored."""
    return column_snapshot(record.__dict__)


def column_snapshot(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The snapshot that some values of a record's columns make."""
    return {
        "stage": columns.get("stage", ""),
        "state": str(columns.get("state", "")),
        "owner": columns.get("owner_id"),
        "data": copy_value(columns.get("data", {})),
    }


def changed_names(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, order: Iterable[str] = ()
) -> list[str]:
    """Field slugs (those in `order` first, in that order), then stage, state, owner, as far as they differ.

    A field without a value and a field that is not there are the same.
    """
    before, after = before or {}, after or {}
    old, new = before.get("data") or {}, after.get("data") or {}
    slugs = dict.fromkeys([*order, *new, *old])
    names = [slug for slug in slugs if not same(old.get(slug), new.get(slug))]
    names += [name for name in ("stage", "state", "owner") if before.get(name) != after.get(name)]
    return names


def object_snapshot(object_id: int) -> dict[str, Any] | None:
    """An object with its fields and stages, as the database has them; None when it is not there."""
    row = ObjectDefinition.objects.filter(pk=object_id).values(*OBJECT_NAMES, "deleted_at").first()
    if row is None:
        return None
    deleted = row.pop("deleted_at") is not None
    fields = FieldDefinition.objects.filter(object_id=object_id).values("slug", *FIELD_NAMES)
    stages = Stage.objects.filter(object_id=object_id).values("slug", *STAGE_NAMES)
    return {
        **row,
        "deleted": deleted,
        "fields": {item.pop("slug"): item for item in fields},
        "stages": {item.pop("slug"): item for item in stages},
    }


def comment_snapshot(comment: Comment) -> dict[str, Any]:
    return {
        "body": comment.body,
        "author": comment.author_id,
        "author_name": comment.author_name,
        "record_id": comment.record_id,
    }


def discussion_snapshot(record: Record, participants: Iterable[str]) -> dict[str, Any]:
    """A discussion is its record's; `participants` are ids of users."""
    return {"record_id": record.pk, "participants": sorted(participants)}


def task_snapshot(task: Task, assignees: Iterable[str]) -> dict[str, Any]:
    """`assignees` are ids of users."""
    return {
        "title": task.title,
        "note": task.note,
        "assignees": sorted(assignees),
        "due_on": task.due_on.isoformat() if task.due_on else None,
        "done": task.is_done,
        "done_by": task.done_by_id,
        "record_id": task.record_id,
    }


def invitation_snapshot(invitation: Invitation) -> dict[str, Any]:
    """Never its token."""
    return {
        "email": invitation.email,
        "status": str(invitation.status),
        "team": f"team_{invitation.team_id}" if invitation.team_id else None,
        "team_name": invitation.team.name if invitation.team else None,
        "invited_by": invitation.invited_by_id,
        "accepted_by": invitation.accepted_by_id,
        "expires_at": invitation.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def object_changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Attributes that differ, then "fields.email", "stages.won" for each part that does."""
    names = [name for name in OBJECT_NAMES if before[name] != after[name]]
    for parts in ("fields", "stages"):
        slugs = dict.fromkeys([*after[parts], *before[parts]])
        names += [
            f"{parts}.{slug}"
            for slug in slugs
            if not same(before[parts].get(slug), after[parts].get(slug))
        ]
    return names
