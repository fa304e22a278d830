"""Values made up for previews, where there is no record or event yet."""

from collections.abc import Iterable
from typing import Any, Final

from records.models import FieldDefinition, FieldKind

_USER: Final = {
    "username": "jane",
    "first_name": "Jane",
    "last_name": "Smith",
    "email": "jane@example.com",
    "is_active": True,
    "is_staff": False,
    "is_superuser": False,
}
_TEAM: Final = {"name": "Sales", "permissions": ["records.view_leads"]}
_OBJECT: Final = {
    "slug": "leads",
    "name": "Lead",
    "plural": "Leads",
    "icon": "description",
    "description": "",
    "position": 0,
    "allow_drafts": True,
    "fields": {},
    "stages": {},
}
_COMMENT: Final = {
    "body": "Called her; she wants an offer by Friday.",
    "author": "user_00000000000000000000000000",
    "author_name": "Jane Smith",
    "record_id": "rec_00000000000000000000000000",
}
_TASK: Final[dict[str, Any]] = {
    "title": "Send the offer",
    "note": "",
    "assignees": ["user_00000000000000000000000000"],
    "due_on": "2025-01-17",
    "done": False,
    "done_by": None,
    "record_id": "rec_00000000000000000000000000",
}
_INVITATION: Final = {
    "email": "jane@example.com",
    "status": "pending",
    "team": "team_1",
    "team_name": "Sales",
    "invited_by": "user_00000000000000000000000000",
    "accepted_by": None,
    "expires_at": "2025-01-29T10:30:00Z",
}
# What such events tell, by their full names.
MADE_UP_SUBJECTS: Final[dict[str, dict[str, Any]]] = {
    **{f"comment.{change}": _COMMENT for change in ("created", "updated", "deleted")},
    "discussion.membership_changed": {
        "record_id": "rec_00000000000000000000000000",
        "participants": ["user_00000000000000000000000000"],
    },
    **{f"task.{change}": _TASK for change in ("created", "updated", "deleted")},
    "task.completed": {**_TASK, "done": True, "done_by": _TASK["assignees"][0]},
    **{f"invitation.{change}": _INVITATION for change in ("created", "updated")},
    **{
        f"invitation.{status}": {**_INVITATION, "status": status}
        for status in ("accepted", "declined", "revoked")
    },
    **{f"user.{change}": _USER for change in ("created", "updated", "deleted")},
    "user.login": {"ip": "192.0.2.10"},
    "user.logout": {"ip": "192.0.2.10"},
    "user.membership_changed": {"teams": ["team_1"]},
    **{f"team.{change}": _TEAM for change in ("created", "updated", "deleted", "restored")},
    "team.membership_changed": {"members": ["user_00000000000000000000000000"]},
    **{f"object.{change}": _OBJECT for change in ("created", "updated", "deleted", "restored")},
    "space.login_failed": {"username": "jane", "ip": "192.0.2.10"},
    "job.failed": {
        "webhook": "Notify the CRM",
        "webhook_id": "hook_00000000000000000000000000",
        "event": "record.submitted",
        "record_id": "rec_00000000000000000000000000",
        "method": "POST",
        "url": "https://api.example.com/leads",
        "status_code": 503,
        "error_kind": "",
        "error": "",
        "reason": "All attempts are used up.",
        "attempts": 4,
    },
    "run.failed": {
        "automation_id": "auto_00000000000000000000000000",
        "automation": "Welcome new leads",
        "event": "record.submitted",
        "record_id": "rec_00000000000000000000000000",
        "step": "Ask the CRM",
        "field": "",
        "message": "The CRM answered 503.",
        "kind": "webhook",
    },
    "destination.disabled": {
        "origin": "https://api.example.com:443",
        "failing_since": "2025-01-15T10:30:00Z",
        "error": "Status 503",
    },
}

_VALUES: Final[dict[str, Any]] = {
    FieldKind.NUMBER: 42,
    FieldKind.DECIMAL: 12.5,
    FieldKind.CURRENCY: 1500.0,
    FieldKind.BOOLEAN: True,
    FieldKind.DATE: "2025-01-15",
    FieldKind.DATETIME: "2025-01-15T10:30:00Z",
    FieldKind.EMAIL: "jane@example.com",
    FieldKind.URL: "https://example.com/",
    FieldKind.PHONE: "+44 20 7946 0000",
    FieldKind.USER: "user_00000000000000000000000000",
    FieldKind.LINK: "rec_00000000000000000000000000",
    FieldKind.FILE: "file_00000000000000000000000000",
    FieldKind.JSON: {"key": "value"},
}


def made_up_values(fields: Iterable[FieldDefinition]) -> dict[str, Any]:
    """A value for each field, of the form that its kind stores."""
    return {field.slug: _value_of(field) for field in fields}


def _value_of(field: FieldDefinition) -> Any:
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTI_CHOICE):
        values = [choice["value"] for choice in field.options.get("choices", [])][:1]
        return values if field.kind == FieldKind.MULTI_CHOICE else (values[0] if values else "")
    return _VALUES.get(field.kind, f"Example {field.label.lower()}")
