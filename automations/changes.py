"""What a step changed in a record, for the trace: [{"record", "label", "object", "field", "before", "after"}]."""

from collections.abc import Mapping
from typing import Any

from records.models import Record
from records.models.tracking import copy_value, same


def snapshot_of(record: Record) -> dict[str, Any]:
    """A record's values by name, fields and attributes alike."""
    values = {name: copy_value(value) for name, value in record.data.items()}
    return {
        **values,
        "stage": record.stage,
        "state": str(record.state),
        "owner": record.owner_id,
        "deleted": True if record.deleted_at else None,
        "quarantine": record.quarantine_reason if record.quarantined_at else None,
    }


def changes_between(before: Mapping[str, Any] | None, record: Record) -> list[dict[str, Any]]:
    """Field by field; `before` is None for a new record, of which only what is filled in is told."""
    after = snapshot_of(record)
    earlier = before or {}
    about = {"record": record.pk, "label": str(record), "object": record.object.slug}
    return [
        {**about, "field": name, "before": earlier.get(name), "after": value}
        for name, value in after.items()
        if not same(earlier.get(name), value) and not (before is None and value in ("", [], {}))
    ]
