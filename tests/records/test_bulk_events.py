"""Events of records that change in bulk: by querysets, many at once."""

from typing import Any

import pytest
from django.db import models

from records import services
from records.actors import acting
from records.exceptions import StaleRecord
from records.models import Record
from records.services import create_record
from tests.records.making import (
    NewEvents,
    fresh,
    make_object,
    make_record,
    make_user,
    rolled_back,
)

pytestmark = pytest.mark.django_db


def test_queryset_update_tells_of_each_row_that_changed() -> None:
    leads, ada = make_object(), make_user()
    first, second = make_record(leads), make_record(leads)
    services.move_stage(record=second, stage="won")
    new = NewEvents()
    with acting(ada):
        assert Record.objects.filter(object=leads).update(stage="won") == 2
    event = new.one()
    assert (event.record, event.changed, event.actor) == (first, ["stage"], ada)
    assert (event.before["stage"], event.after["stage"]) == ("new", "won")
    # Whoever had loaded the record before is not to overwrite this.
    first.data["name"] = "Late"
    with pytest.raises(StaleRecord):
        first.save()


def test_queryset_update_by_expression_tells_the_values() -> None:
    leads = make_object()
    make_record(leads)
    new = NewEvents()
    value = models.Case(models.When(stage="new", then=models.Value("won")), default="stage")
    Record.objects.update(stage=value)
    assert new.one().after["stage"] == "won"


def test_queryset_update_of_data_keeps_titles_and_unique_values() -> None:
    leads = make_object("leads", {"slug": "name", "unique": True})
    record = make_record(leads, name="Ada")
    Record.objects.update(data={"name": "Bea"})
    record = fresh(record)
    assert (record.title, record.search_text) == ("Bea", "bea")
    assert record.unique_values.get().value == "Bea"


def test_queryset_update_of_what_no_event_tells_of_writes_none() -> None:
    make_record(make_object())
    new = NewEvents()
    Record.objects.update(search_text="x")
    assert not new.list()


def test_bulk_create() -> None:
    leads, ada = make_object(), make_user()
    new = NewEvents()
    with acting(ada):
        Record.objects.bulk_create(
            [Record(object=leads, data={"name": f"Lead {n}"}, owner=ada) for n in range(3)]
        )
    assert new.types == ["record.created"] * 3
    assert [event.after["data"]["name"] for event in new.list()] == ["Lead 0", "Lead 1", "Lead 2"]
    assert {event.actor for event in new.list()} == {ada}
    assert set(Record.objects.values_list("title", flat=True)) == {"Lead 0", "Lead 1", "Lead 2"}
    with pytest.raises(ValueError, match="cannot tell"):
        Record.objects.bulk_create([], ignore_conflicts=True)


def test_bulk_update() -> None:
    leads = make_object()
    records = [make_record(leads), make_record(leads)]
    new = NewEvents()
    for record in records:
        record.stage = "won"
    Record.objects.bulk_update(records, ["stage"])
    assert [event.changed for event in new.list()] == [["stage"], ["stage"]]


def test_queryset_delete_writes_its_events_in_one_statement(
    django_assert_max_num_queries: Any,
) -> None:
    leads = make_object()
    Record.objects.bulk_create([Record(object=leads, data={}) for _ in range(50)])
    new = NewEvents()
    # One for each table that refers to records, and the transaction's.
    with django_assert_max_num_queries(14):
        Record.objects.all().delete()
    assert new.types == ["record.deleted"] * 50


def test_bulk_changes_are_rolled_back_with_their_events() -> None:
    leads = make_object()
    make_record(leads)
    new = NewEvents()
    with rolled_back():
        Record.objects.update(stage="won")
        Record.objects.all().delete()
    assert not new.list()
    assert Record.objects.get().stage == "new"


def test_the_owner_that_is_deleted_leaves_the_records_as_a_change() -> None:
    ada = make_user()
    record = create_record(object_definition=make_object(), data={"name": "x"}, owner=ada)
    pk = ada.pk
    new = NewEvents()
    ada.delete()
    updated, deleted = new.list()
    assert (updated.type, updated.record, updated.changed) == ("record.updated", record, ["owner"])
    assert (updated.before["owner"], updated.after["owner"]) == (pk, None)
    assert deleted.type == "user.deleted"
