"""Every change of a record is an event, in the transaction of the change."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from records import services
from records.actors import acting
from records.eventtypes import names_of
from records.exceptions import StaleRecord
from records.models import Event, Record, User
from records.services import create_record, update_record
from records.snapshots import changed_names, snapshot
from tests.records.making import (
    NewEvents,
    add_field,
    fresh,
    make_object,
    make_record,
    make_user,
    rolled_back,
)

pytestmark = pytest.mark.django_db

ADA = {"name": "Ada", "email": None, "amount": None}


def test_creation() -> None:
    leads, ada = make_object(), make_user()
    new = NewEvents()
    with acting(ada):
        record = create_record(object_definition=leads, data={"name": "Ada"}, owner=ada)
    event = new.one()
    assert event.type == "record.created"
    assert (event.object, event.record, event.subject_id) == (leads, record, record.pk)
    assert (event.subject_label, event.actor, event.actor_label) == ("Ada", ada, "ada")
    assert event.before is None
    assert event.after == {"stage": "new", "state": "submitted", "owner": ada.pk, "data": ADA}
    assert (event.changed, event.depth, event.run_id) == ([], 0, None)
    assert event.dispatched_at is None


def test_update_tells_what_changed_from_what_to_what() -> None:
    record, ada = make_record(make_object()), make_user()
    new = NewEvents()
    with acting(ada, run_id="run_01h455vb4pex5vsknk084sn02q", depth=3):
        update_record(record=record, data={"amount": 5, "name": "Bea"}, stage="won", owner=ada)
    event = new.one()
    assert event.type == "record.updated"
    assert event.changed == ["name", "amount", "stage", "owner"]
    assert event.before == {"stage": "new", "state": "submitted", "owner": None, "data": ADA}
    assert event.after["data"] == {"name": "Bea", "email": None, "amount": 5}
    assert (event.after["stage"], event.after["owner"]) == ("won", ada.pk)
    assert (event.run_id, event.depth) == ("run_01h455vb4pex5vsknk084sn02q", 3)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda r: update_record(record=r, data={"name": "B"}), {"updated", "field_changed"}),
        (
            lambda r: services.move_stage(record=r, stage="won"),
            {"updated", "field_changed", "stage_changed"},
        ),
        (lambda r: services.close_record(record=r), {"updated", "closed"}),
        (lambda r: services.delete_record(record=r), {"deleted"}),
        (lambda r: services.quarantine_record(record=r, reason="x"), {"quarantined"}),
    ],
)
def test_the_names_a_change_goes_by(change: Any, names: set[str]) -> None:
    record = make_record(make_object())
    new = NewEvents()
    change(record)
    event = new.one()
    assert names_of(
        event.type, changed=event.changed, before=event.before, after=event.after
    ) == frozenset(f"record.{name}" for name in names)


def test_a_draft_is_saved_then_submitted_and_a_reopened_record_is_not_submitted_again() -> None:
    leads = make_object()
    new = NewEvents()
    record = create_record(object_definition=leads, data={"name": "x"}, state="draft")
    services.submit_record(record=record)
    services.close_record(record=record)
    services.reopen_record(record=record)
    names = [
        names_of(e.type, changed=e.changed, before=e.before, after=e.after) for e in new.list()
    ]
    assert names == [
        {"record.created", "record.saved"},
        {"record.updated", "record.submitted"},
        {"record.updated", "record.closed"},
        {"record.updated"},
    ]


def test_deletion_and_restoration() -> None:
    record = make_record(make_object())
    new = NewEvents()
    services.delete_record(record=record)
    services.restore_record(record=record)
    deleted, restored = new.list()
    assert (deleted.type, deleted.before, deleted.after) == (
        "record.deleted",
        snapshot(record),
        None,
    )
    assert (restored.type, restored.before, restored.after) == (
        "record.restored",
        None,
        snapshot(record),
    )


def test_hard_deletion_is_told_once_and_its_history_stays() -> None:
    leads = make_object()
    record, other = make_record(leads), make_record(leads)
    pk = record.pk
    services.delete_record(record=other)
    new = NewEvents()
    record.delete()
    other.delete()
    event = new.one()
    assert (event.type, event.subject_id, event.record, event.before["data"]) == (
        "record.deleted",
        pk,
        None,
        ADA,
    )
    assert Event.objects.filter(subject_id=pk).count() == 2


def test_release_from_quarantine_is_told() -> None:
    record = make_record(make_object())
    services.quarantine_record(record=record, reason="x")
    new = NewEvents()
    services.release_record(record=fresh(record))
    assert new.types == ["record.released"]


def test_a_save_that_changes_nothing_does_nothing(django_assert_num_queries: Any) -> None:
    record = fresh(make_record(make_object(), name="Ada", amount=1))
    record.data = {"amount": 1.0, "name": "Ada", "email": None}
    with django_assert_num_queries(0):
        record.save()
    assert record.version == 1


def test_true_is_not_one_and_nothing_is_not_missing() -> None:
    assert changed_names({"data": {"a": 1}}, {"data": {"a": True}}) == ["a"]
    assert changed_names({"data": {"a": [1, {"b": 1}]}}, {"data": {"a": [1, {"b": 1.0}]}}) == []
    assert changed_names({"data": {"a": None}}, {"data": {}}) == []


def test_changes_inside_of_a_value_are_seen() -> None:
    leads = make_object("leads", {"slug": "tree", "kind": "json"})
    record = fresh(make_record(leads, tree={"a": [1]}))
    new = NewEvents()
    record.data["tree"]["a"].append(2)
    record.save()
    event = new.one()
    assert event.before["data"] == {"tree": {"a": [1]}}
    assert event.after["data"] == {"tree": {"a": [1, 2]}}
    record.save()
    assert len(new.list()) == 1


def test_an_event_costs_one_insert(django_assert_num_queries: Any) -> None:
    leads = make_object()
    leads.schema  # noqa: B018  (what a process knows after its first record)
    record = fresh(make_record(leads))
    # SAVEPOINT, UPDATE, INSERT, RELEASE: the savepoints are there because the test is a transaction.
    with django_assert_num_queries(4) as queries:
        update_record(record=record, data={"name": "B"})
    assert [q["sql"].split()[0] for q in queries] == ["SAVEPOINT", "UPDATE", "INSERT", "RELEASE"]
    with django_assert_num_queries(4):
        make_record(leads)


def test_saving_some_columns_tells_of_those_alone() -> None:
    record = fresh(make_record(make_object()))
    new = NewEvents()
    record.stage = "won"
    record.data["name"] = "Not meant"
    record.save(update_fields=["stage"])
    event = new.one()
    assert event.changed == ["stage"]
    assert fresh(record).data["name"] == "Ada"
    assert event.after["data"]["name"] == "Ada"


def test_a_record_loaded_in_part_is_told_in_full() -> None:
    pk = make_record(make_object()).pk
    new = NewEvents()
    record = Record.objects.only("stage").get(pk=pk)
    record.stage = "won"
    record.save()
    event = new.one()
    assert event.before == {"stage": "new", "state": "submitted", "owner": None, "data": ADA}
    assert event.changed == ["stage"]


def test_rolled_back_together() -> None:
    record = make_record(make_object())
    new = NewEvents()
    with rolled_back():
        update_record(record=record, data={"name": "B"})
    assert not new.list()
    assert fresh(record).data["name"] == "Ada"


def test_an_event_that_cannot_be_written_undoes_the_change(monkeypatch: Any) -> None:
    record = make_record(make_object())

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no event")

    monkeypatch.setattr("records.events.insert_rows", fail)
    with pytest.raises(RuntimeError):
        update_record(record=record, data={"name": "B"})
    assert fresh(record).data["name"] == "Ada"
    assert (record.data["name"], record.version) == ("Ada", 1)


@pytest.mark.django_db(transaction=True)
def test_rolled_back_together_without_a_transaction_around(monkeypatch: Any) -> None:
    record = make_record(make_object())

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no event")

    monkeypatch.setattr("records.events.insert_rows", fail)
    for change in (
        lambda: update_record(record=record, data={"name": "B"}),
        lambda: Record.objects.create(object=record.object, data={}),
        record.delete,
    ):
        with pytest.raises(RuntimeError):
            change()
    assert Record.objects.get().data["name"] == "Ada"


def test_two_fields_of_the_definition_order_the_names() -> None:
    leads = make_object("leads", {"slug": "b"}, {"slug": "a"})
    record = make_record(leads, b="1", a="1")
    new = NewEvents()
    update_record(record=record, data={"a": "2", "b": "2"})
    assert new.one().changed == ["b", "a"]
    add_field(leads, "z")


def test_a_request_is_acted_by_its_user(client: Client) -> None:
    boss = User.objects.create_superuser("boss", password="pw")
    record = make_record(make_object())
    client.force_login(boss)
    new = NewEvents()
    client.post(f"/admin/records/record/{record.pk}/act/", {"act": "close", "version": "1"})
    assert new.one().actor == boss


# --- races ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_one_wins_and_the_other_is_told() -> None:
    record = make_record(make_object())
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def write(name: str) -> None:
        try:
            mine = fresh(record)
            barrier.wait(timeout=10)
            update_record(record=mine, data={"name": name})
            outcomes.append(name)
        except StaleRecord as stale:
            now = stale.current.data["name"] if stale.current else "gone"
            outcomes.append(f"stale, now {now}")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    winner = fresh(record).data["name"]
    assert sorted(outcomes) == sorted([winner, f"stale, now {winner}"])
    assert Event.objects.filter(type="record.updated").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_claims_of_a_unique_value_at_once_one_is_refused_in_words() -> None:
    from records.exceptions import InvalidData

    leads = make_object("leads", {"slug": "name", "unique": True})
    barrier = threading.Barrier(2)
    outcomes: list[Any] = []

    def write() -> None:
        try:
            barrier.wait(timeout=10)
            outcomes.append(make_record(leads, name="Ada").pk)
        except InvalidData as error:
            outcomes.append(error.errors)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    refused = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    assert refused == [{"name": ["“Ada” has this value already; it must be unique."]}]
    assert Record.objects.count() == 1
