"""When dates become due: before and after, by the clock on the wall, whatever is stored there."""

from typing import Any

import pytest

from automations.moments import due_moment
from automations.triggers.due import DueConfig


def moment(value: object, **config: Any) -> str | None:
    offset = DueConfig(object="deals", field="day", **{"timezone": "UTC", **config})
    found = due_moment(value, offset)
    return f"{found:%Y-%m-%dT%H:%M}" if found else None


NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("value", "config", "expected"),
    [
        ("2026-03-10", {}, "2026-03-10T09:00"),
        ("2026-03-10", {"at": "00:00", "timezone": "Asia/Kathmandu"}, "2026-03-09T18:15"),
        ("2026-03-10", {"amount": 3}, "2026-03-07T09:00"),
        ("2026-03-10", {"amount": 2, "unit": "weeks", "direction": "after"}, "2026-03-24T09:00"),
        ("2026-03-10", {"amount": 90, "unit": "minutes"}, "2026-03-10T07:30"),
        ("2026-03-10T10:30:00Z", {"amount": 2, "unit": "hours"}, "2026-03-10T08:30"),
        # The time of day is for days alone.
        ("2026-03-10T10:30:00Z", {"at": "07:00"}, "2026-03-10T10:30"),
        ("2026-03-10T10:30:00+02:00", {}, "2026-03-10T08:30"),
        # A day before is the same time on the wall, 23 hours earlier; 24 hours before are 24 hours.
        ("2026-03-08T16:00:00Z", {"amount": 1, "timezone": NEW_YORK}, "2026-03-07T17:00"),
        (
            "2026-03-08T16:00:00Z",
            {"amount": 24, "unit": "hours", "timezone": NEW_YORK},
            "2026-03-07T16:00",
        ),
        # A time that is skipped is later by as much as the clocks go forward.
        ("2026-03-08", {"at": "02:30", "timezone": NEW_YORK}, "2026-03-08T07:30"),
        # The end of February, and of the calendar.
        ("2024-03-01", {"amount": 1}, "2024-02-29T09:00"),
        ("9999-12-31", {"amount": 9, "direction": "after"}, None),
        ("0001-01-01", {"amount": 9}, None),
        ("9999-12-31", {"at": "23:59", "timezone": NEW_YORK}, None),
        # What is no date: the field was of another kind once.
        (None, {}, None),
        ("", {}, None),
        ("soon", {}, None),
        ("2026-02-30", {}, None),
        ("2026-03-10T10:30:00", {}, None),
        (20260310, {}, None),
        (["2026-03-10"], {}, None),
        ("2" * 5000, {}, None),
    ],
)
def test_the_moment_that_a_date_becomes_due(
    value: object, config: dict[str, Any], expected: str | None
) -> None:
    assert moment(value, **config) == expected
