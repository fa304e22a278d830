"""What a record's history says of its discussion and its tasks. What was said stands in the discussion itself."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from records.models import Event

_MARKS: Final = {
    "comment.created": ("chat_bubble", ""),
    "comment.updated": ("chat_bubble", ""),
    "comment.deleted": ("delete", ""),
    "discussion.membership_changed": ("group", ""),
    "task.created": ("add_task", ""),
    "task.updated": ("edit", ""),
    "task.deleted": ("delete", ""),
}
_PARTS: Final = {
    "title": "its title",
    "note": "its note",
    "due_on": "its date",
    "assignees": "who does it",
}


def people_in(event: Event) -> set[str]:
    """The ids of the users that the sentence may name."""
    shots = [shot for shot in (event.before, event.after) if shot]
    return {
        pk
        for shot in shots
        for name in ("participants", "assignees")
        for pk in shot.get(name) or ()
    }


def sentence_of(event: Event, users: Mapping[str, str]) -> str | None:
    """Of an event of a comment, a discussion or a task; None of all others. `users` are names by id."""
    kind, _, change = event.type.partition(".")
    before, after = event.before or {}, event.after or {}
    if kind == "comment":
        return _of_comment(event, change, before or after)
    if kind == "discussion":
        return _of_discussion(event, before, after, users)
    if kind == "task":
        return _of_task(change, before, after, event.changed, users)
    return None


def mark_of(event: Event) -> tuple[str, str] | None:
    """Icon and tone."""
    if event.type == "task.updated" and "done" in event.changed:
        return ("task_alt", "good") if (event.after or {}).get("done") else ("undo", "")
    return _MARKS.get(event.type)


def _of_comment(event: Event, change: str, shot: Mapping[str, Any]) -> str:
    if change == "created":
        return "commented"
    whose = "a comment"
    if shot.get("author") != event.actor_id and shot.get("author_name"):
        whose = f"a comment of {shot['author_name']}"
    return f"{'edited' if change == 'updated' else 'deleted'} {whose}"


def _of_discussion(
    event: Event, before: Mapping[str, Any], after: Mapping[str, Any], users: Mapping[str, str]
) -> str:
    old, new = set(before.get("participants") or ()), set(after.get("participants") or ())
    joined = new - old
    if event.actor_id in joined:
        others = joined - {event.actor_id}
        with_others = f" and brought {_names(others, users)} in" if others else ""
        return f"joined the discussion{with_others}"
    if old - new == {event.actor_id}:
        return "left the discussion"
    if joined:
        return f"brought {_names(joined, users)} into the discussion"
    return f"took {_names(old - new, users)} out of the discussion"


def _of_task(
    change: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    changed: Iterable[str],
    users: Mapping[str, str],
) -> str:
    title = f"“{(after or before).get('title', '')}”"
    if change == "created":
        people = after.get("assignees") or ()
        return f"added the task {title}" + (f" for {_names(people, users)}" if people else "")
    if change == "deleted":
        return f"deleted the task {title}"
    if "done" in changed:
        return f"completed the task {title}" if after.get("done") else f"reopened the task {title}"
    parts = [_PARTS[name] for name in changed if name in _PARTS]
    return f"changed the task {title}: {', '.join(parts)}"


def _names(ids: Iterable[str], users: Mapping[str, str]) -> str:
    names = sorted(users.get(pk, "a deleted user") for pk in ids)
    if len(names) > 3:
        return f"{len(names)} people"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
