"""Rows written by prepared statements are those that Django itself would write."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from config.bulk import insert_rows, update_rows
from records.models import Event
from webhooks.models import Direction, RequestLog

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)


def a_request(**values: Any) -> RequestLog:
    return RequestLog(
        direction=Direction.IN,
        url="/ü?a=%s&b=%%",
        request_headers=[["x", "1"], ["ü", "%s"]],
        request_body='{"a": "\N{SNOWMAN}"}',
        started_at=NOW,
        **{"method": "POST", **values},
    )


def values_of(row: RequestLog) -> dict[str, Any]:
    values = RequestLog.objects.filter(pk=row.pk).values().get()
    del values["id"]
    return values


@pytest.mark.parametrize("count", [1, 3])
def test_it_writes_what_django_writes(count: int) -> None:
    ours, djangos = [a_request() for _ in range(count)], a_request()
    insert_rows(ours)
    djangos.save(force_insert=True)
    assert [values_of(row) for row in ours] == [values_of(djangos)] * count
    assert not ours[0]._state.adding
    ours[0].name = "Kept"
    ours[0].save()  # it knows that it is there
    assert RequestLog.objects.filter(name="Kept").count() == 1


def test_nothing_costs_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        insert_rows([])
        update_rows(RequestLog, ("name",), ("id",), [])
    assert not queries


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_that_exists_is_djangos_error_and_none_of_the_rows_stays(count: int) -> None:
    first = a_request()
    insert_rows([first])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([*(a_request() for _ in range(count - 1)), a_request(id=first.pk)])
    assert RequestLog.objects.count() == 1


def test_json_null_and_no_value_are_told_apart() -> None:
    event = Event(type="x", before=None, after={"a": None}, created_at=NOW)
    insert_rows([event])
    assert Event.objects.filter(before__isnull=True, after={"a": None}).count() == 1


def test_only_rows_that_meet_the_conditions_are_changed() -> None:
    rows = [a_request(method=method) for method in ("GET", "PUT")]
    insert_rows(rows)
    update_rows(
        RequestLog,
        ("name", "response_headers"),
        ("id", "method"),
        [["one", [["a", "b"]], rows[0].pk, "GET"], ["two", [], rows[1].pk, "POST"]],
    )
    found = RequestLog.objects.order_by("id").values_list("name", "response_headers")
    assert list(found) == [("one", [["a", "b"]]), ("", [])]
