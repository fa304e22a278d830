"""The catalogue of events, and which of their names one change carries. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Snapshot = Mapping[str, Any] | None

# type → event → what it means, as the drop-downs show it.
CATALOGUE: Final[dict[str, dict[str, str]]] = {
    "record": {
        "submitted": "Submitted",
        "created": "Created",
        "updated": "Updated",
        "field_changed": "Field changed",
        "stage_changed": "Stage changed",
        "saved": "Saved as a draft",
        "closed": "Closed",
        "deleted": "Deleted",
        "restored": "Restored",
        "quarantined": "Quarantined",
        "released": "Released from quarantine",
    },
    "comment": {
        "created": "Created",
        "updated": "Updated",
        "deleted": "Deleted",
    },
    "discussion": {"membership_changed": "Membership changed"},
    "task": {
        "created": "Created",
        "updated": "Updated",
        "completed": "Completed",
        "deleted": "Deleted",
    },
    "object": {
        "created": "Created",
        "updated": "Updated",
        "deleted": "Deleted",
        "restored": "Restored",
    },
    "user": {
        "created": "Created",
        "updated": "Updated",
        "deleted": "Deleted",
        "membership_changed": "Membership changed",
        "login": "Login",
        "logout": "Logout",
    },
    "team": {
        "created": "Created",
        "updated": "Updated",
        "deleted": "Deleted",
        "restored": "Restored",
        "membership_changed": "Membership changed",
    },
    "invitation": {
        "created": "Created",
        "updated": "Updated",
        "accepted": "Accepted",
        "declined": "Declined",
        "revoked": "Revoked",
    },
    "space": {"login_failed": "Login failed"},
    "job": {"failed": "Failed"},
    "run": {"failed": "Failed"},
    "destination": {"disabled": "Disabled"},
}

# Events that are meant for one automation each (`Event.target`): nothing else can react to them.
TARGETED: Final = {
    "record.due": "Record · Due",
    "record.clicked": "Record · Run by hand",
    "automation.clicked": "Automation · Run by hand",
    "record.called": "Record · Started by another automation",
    "automation.called": "Automation · Started by another one",
    "schedule.tick": "Schedule · Tick",
    "webhook.received": "Webhook · Received",
}

TYPE_LABELS: Final = {
    "record": "Record",
    "comment": "Comment",
    "discussion": "Discussion (who takes part)",
    "task": "Task",
    "object": "Object",
    "user": "User",
    "team": "Team",
    "invitation": "Invitation",
    "space": "Space (the whole installation)",
    "job": "Webhook job",
    "run": "Run (of an automation)",
    "destination": "Destination",
}

# Names in a record's snapshot and in `changed` that are not fields of its object.
RECORD_ATTRIBUTES: Final = ("stage", "state", "owner")

# Types whose events are about a record: they can be limited to an object.
RECORD_TYPES: Final = frozenset({"record", "comment", "discussion", "task"})


def has_record(name: str) -> bool:
    """Whether events of this name are about a record, and so about its object. A task may be about none."""
    return name.partition(".")[0] in RECORD_TYPES


def event_names() -> list[str]:
    """All full names: "record.created" …"""
    return [f"{kind}.{event}" for kind, events in CATALOGUE.items() for event in events]


def label_of(name: str) -> str:
    """The name in words: "record.stage_changed" → "Record · Stage changed"; an unknown name stays as it is."""
    if name in TARGETED:
        return TARGETED[name]
    kind, _, event = name.partition(".")
    label = CATALOGUE.get(kind, {}).get(event)
    return f"{TYPE_LABELS[kind].partition(' (')[0]} · {label}" if label else name


def names_of(
    change: str, *, changed: Sequence[str], before: Snapshot, after: Snapshot
) -> frozenset[str]:
    """All names that one change goes by.

    One save is one event row. A record that is created and submitted in one step is `record.created` and
    `record.submitted`; an update that moves the stage is `record.updated`, `record.field_changed` and
    `record.stage_changed`.
    """
    if change in ("task.updated", "invitation.updated"):
        return frozenset((change, *_ends(change, before or {}, after or {})))
    if change not in ("record.created", "record.updated"):
        return frozenset((change,))
    names = {change}
    old_state, state = (before or {}).get("state"), (after or {}).get("state")
    if state == "draft":
        names.add("record.saved")
    elif state != old_state and (old_state, state) != ("closed", "submitted"):
        # A closed record that is reopened was submitted long ago: it is only updated.
        names.add(f"record.{state}")
    if change == "record.updated":
        if "stage" in changed:
            names.add("record.stage_changed")
        if any(name not in ("state", "owner") for name in changed):
            names.add("record.field_changed")
    return frozenset(names)


def _ends(change: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Updates by which a task is done, or an invitation accepted, declined or revoked."""
    if change == "task.updated":
        is_done = bool(after.get("done")) and not before.get("done")
        return ["task.completed"] if is_done else []
    status = after.get("status")
    return [f"invitation.{status}"] if status != before.get("status") else []
