from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from records import ids
from records.ids import decode, first_id_at, new_id

NOON = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


def test_ids_made_from_a_time_on_are_not_below_its_first_id(monkeypatch):
    monkeypatch.setattr(ids, "_last", 0)  # whatever this process made before, in its own time
    with time_machine.travel(NOON, tick=False):
        made = decode("req", new_id("req"))
    assert decode("req", first_id_at("req", NOON)) <= made
    assert made < decode("req", first_id_at("req", NOON + timedelta(milliseconds=1)))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), NOON),
        (NOON, NOON + timedelta(milliseconds=1)),
        (NOON, datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_first_ids_are_in_the_order_of_their_times(earlier, later):
    assert first_id_at("req", earlier) < first_id_at("req", later)


def test_before_1970_is_the_very_first_id():
    first = first_id_at("req", datetime(1969, 1, 1, tzinfo=UTC))
    assert first == "req_" + "0" * 26
