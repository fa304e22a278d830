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
    "space": {"login_failed": "Login failed"},
    "job": {"failed": "Failed"},
    "run": {"failed": "Failed"},
    "destination": {"disabled": "Disabled"},
}

TYPE_LABELS: Final = {
    "record": "Record",
    "object": "Object",
    "user": "User",
    "team": "Team",
    "space": "Space (the whole installation)",
    "job": "Webhook job",
    "run": "Run (of an automation)",
    "destination": "Destination",
}

# Names in a record's snapshot and in `changed` that are not fields of its object.
RECORD_ATTRIBUTES: Final = ("stage", "state", "owner")


def event_names() -> list[str]:
    """All full names: "record.created" …"""
    return [f"{kind}.{event}" for kind, events in CATALOGUE.items() for event in events]


def label_of(name: str) -> str:
    """The name in words: "record.stage_changed" → "Record · Stage changed"; an unknown name stays as it is."""
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
