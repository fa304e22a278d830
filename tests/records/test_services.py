"""The services: what they check, what they change, what they refuse."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from records import services
from records.exceptions import InvalidData, ObjectDeleted, RecordDeleted, StaleRecord
from records.models import Event, Record, RecordState, UniqueValue
from records.services import create_record, update_record
from tests.records.making import (
    NewEvents,
    add_field,
    fresh,
    make_object,
    make_record,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_a_new_record_has_all_fields_the_first_stage_and_a_title() -> None:
    record = create_record(
        object_definition=make_object(), data={"name": " Ada ", "amount": "9.90"}
    )
    stored = fresh(record)
    assert stored.data == {"name": "Ada", "email": None, "amount": 9.9}
    assert (stored.stage, stored.state, stored.version) == ("new", "submitted", 1)
    assert (stored.title, str(stored)) == ("Ada", "Ada")
    assert stored.search_text == "ada\n9.90 eur"


def test_defaults_fill_what_is_not_given_but_not_what_is_given_as_empty() -> None:
    leads = make_object("leads", {"slug": "city", "default": "Rome"})
    assert create_record(object_definition=leads, data={}).data == {"city": "Rome"}
    assert create_record(object_definition=leads, data={"city": ""}).data == {"city": None}


def test_all_errors_are_told_at_once_in_the_order_of_the_fields() -> None:
    leads = make_object()
    with pytest.raises(InvalidData) as caught:
        create_record(object_definition=leads, data={"nmae": "x", "amount": "much", "email": "x"})
    assert list(caught.value.errors) == ["name", "email", "amount", "nmae"]
    assert caught.value.errors["name"] == ["This field is required."]
    assert caught.value.errors["nmae"] == ["Leads has no field `nmae`. Did you mean `name`?"]
    assert not Record.objects.exists()


def test_a_draft_may_lack_required_values_but_has_no_wrong_ones() -> None:
    leads = make_object()
    draft = create_record(object_definition=leads, data={}, state=RecordState.DRAFT)
    with pytest.raises(InvalidData) as caught:
        update_record(record=draft, data={"email": "x"})
    assert list(caught.value.errors) == ["email"]
    with pytest.raises(InvalidData) as caught:
        services.submit_record(record=draft)
    assert list(caught.value.errors) == ["name"]
    assert fresh(draft).state == "draft"
    update_record(record=draft, data={"name": "Ada"})
    assert services.submit_record(record=draft).state == "submitted"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stage": "wom"}, "Did you mean `won`"),
        ({"state": "open"}, "is not a state"),
    ],
)
def test_stages_and_states_that_do_not_exist_are_refused(
    values: dict[str, Any], words: str
) -> None:
    leads = make_object()
    record = make_record(leads)
    with pytest.raises(InvalidData, match=words):
        create_record(object_definition=leads, data={"name": "x"}, **values)
    with pytest.raises(InvalidData, match=words):
        update_record(record=record, **values)


def test_an_object_without_stages_has_records_without_one() -> None:
    leads = make_object("leads", {"slug": "name"}, stages="")
    assert make_record(leads).stage == ""
    with pytest.raises(InvalidData, match="it has none"):
        create_record(object_definition=leads, data={}, stage="new")


def test_an_update_is_partial_and_counts_the_version() -> None:
    record = make_record(make_object(), name="Ada", email="ada@example.com")
    update_record(record=record, expected_version=1, data={"amount": 5}, stage="won")
    stored = fresh(record)
    assert stored.data == {"name": "Ada", "email": "ada@example.com", "amount": 5}
    assert (stored.stage, stored.version, record.version) == ("won", 2, 2)


def test_the_owner_is_set_and_taken_away() -> None:
    record, ada = make_record(make_object()), make_user()
    update_record(record=record, owner=ada)
    update_record(record=record, data={"name": "B"})
    assert fresh(record).owner == ada
    update_record(record=record, owner=None)
    assert fresh(record).owner is None


def test_a_record_that_changed_meanwhile_is_not_overwritten() -> None:
    record = make_record(make_object(), name="Ada", amount=1)
    mine = fresh(record)
    update_record(record=record, data={"name": "Theirs"})
    with pytest.raises(StaleRecord) as caught:
        update_record(record=mine, data={"name": "Mine", "amount": 1})
    assert caught.value.current is not None
    assert caught.value.current.data["name"] == "Theirs"
    assert caught.value.attempted == {"name": "Mine", "amount": 1}
    assert caught.value.differs == ["name"]
    # The instance is as it was loaded, and the database as the other left it.
    assert (mine.data["name"], mine.version) == ("Ada", 1)
    assert fresh(record).data["name"] == "Theirs"


def test_the_version_a_form_was_made_from_counts_not_the_one_just_loaded() -> None:
    record = make_record(make_object())
    update_record(record=record, data={"name": "Theirs"})
    with pytest.raises(StaleRecord):
        update_record(record=fresh(record), expected_version=1, data={"name": "Mine"})


def test_a_conflict_leaves_the_transaction_around_it_usable() -> None:
    record = make_record(make_object())
    mine = fresh(record)
    update_record(record=record, data={"name": "Theirs"})
    with transaction.atomic():
        with pytest.raises(StaleRecord):
            update_record(record=mine, data={"name": "Mine"})
        update_record(record=fresh(record), data={"name": "Mine, after a look"})
    assert fresh(record).data["name"] == "Mine, after a look"


def test_plain_saves_are_guarded_by_the_version_too() -> None:
    record = make_record(make_object())
    first, second = fresh(record), fresh(record)
    first.stage = "won"
    first.save()
    second.data["name"] = "Mine"
    with pytest.raises(StaleRecord):
        second.save()
    assert fresh(record).data == {"name": "Ada", "email": None, "amount": None}


def test_a_record_that_is_gone_for_good_is_told_as_stale() -> None:
    record = make_record(make_object())
    mine = fresh(record)
    record.delete()
    with pytest.raises(StaleRecord) as caught:
        update_record(record=mine, data={"name": "Mine"})
    assert caught.value.current is None
    assert caught.value.differs == ["name"]


def test_close_and_reopen() -> None:
    record = make_record(make_object())
    assert services.close_record(record=record).state == "closed"
    assert services.reopen_record(record=record).state == "submitted"
    version = record.version
    services.reopen_record(record=record)
    assert record.version == version


def test_what_was_submitted_is_never_a_draft_again() -> None:
    with pytest.raises(InvalidData, match="cannot become a draft"):
        update_record(record=make_record(make_object()), state=RecordState.DRAFT)


def test_delete_and_restore() -> None:
    record = make_record(make_object())
    services.delete_record(record=record)
    assert not Record.objects.alive().exists()
    with pytest.raises(RecordDeleted, match="restore it before"):
        update_record(record=record, data={"name": "x"})
    services.restore_record(record=record)
    assert Record.objects.alive().get() == record


def test_nothing_is_added_to_or_restored_into_a_deleted_object() -> None:
    leads = make_object()
    record = make_record(leads)
    services.delete_record(record=record)
    leads.deleted_at = record.deleted_at
    leads.save()
    with pytest.raises(ObjectDeleted):
        make_record(leads)
    with pytest.raises(ObjectDeleted):
        services.restore_record(record=fresh(record))
    assert services.restore_records(Record.objects.all()) == 0


def test_quarantine_and_release() -> None:
    record = make_record(make_object())
    services.quarantine_record(record=record, reason="The webhook failed")
    assert fresh(record).quarantine_reason == "The webhook failed"
    services.release_record(record=record)
    assert (fresh(record).quarantined_at, fresh(record).quarantine_reason) == (None, "")


# --- unique values ----------------------------------------------------------------------------


def unique_leads() -> Any:
    return make_object(
        "leads", {"slug": "name"}, {"slug": "email", "kind": "email", "unique": True}
    )


def test_a_unique_value_belongs_to_one_record() -> None:
    leads = unique_leads()
    make_record(leads, name="Ada", email="ada@example.com")
    with pytest.raises(InvalidData) as caught:
        make_record(leads, name="Eve", email="ADA@example.com")
    assert caught.value.errors == {"email": ["“Ada” has this value already; it must be unique."]}
    assert Record.objects.count() == 1
    # Nothing is no value: any number of records may have it.
    make_record(leads, name="Bob")
    make_record(leads, name="Cleo")


def test_a_unique_value_that_is_given_up_is_free() -> None:
    leads = unique_leads()
    ada = make_record(leads, name="Ada", email="ada@example.com")
    update_record(record=ada, data={"email": "other@example.com"})
    make_record(leads, name="Eve", email="ada@example.com")
    with pytest.raises(InvalidData) as caught:
        update_record(record=ada, data={"email": "ada@example.com", "name": "Changed"})
    assert list(caught.value.errors) == ["email"]
    assert fresh(ada).data == {"name": "Ada", "email": "other@example.com"}
    assert ada.data == {"name": "Ada", "email": "other@example.com"}


def test_deleted_records_free_their_values_and_claim_them_again_when_restored() -> None:
    leads = unique_leads()
    ada = make_record(leads, name="Ada", email="ada@example.com")
    services.delete_record(record=ada)
    eve = make_record(leads, name="Eve", email="ada@example.com")
    with pytest.raises(InvalidData, match="“Eve” has this value"):
        services.restore_record(record=ada)
    assert fresh(ada).deleted_at is not None
    with pytest.raises(InvalidData, match="“Eve” has this value"):
        services.restore_records(Record.objects.all())
    services.delete_record(record=eve)
    services.restore_record(record=ada)
    assert UniqueValue.objects.get().record == ada


def test_bulk_creation_claims_unique_values() -> None:
    leads = unique_leads()
    rows = [Record(object=leads, data={"email": "a@example.com"}) for _ in range(2)]
    with pytest.raises(InvalidData, match="must be unique"):
        Record.objects.bulk_create(rows)
    assert not Record.objects.exists()
    assert not Event.objects.filter(type="record.created").exists()


def test_the_database_itself_keeps_values_unique() -> None:
    leads = unique_leads()
    ada = make_record(leads, name="Ada", email="ada@example.com")
    eve = make_record(leads, name="Eve")
    field = leads.schema.by_slug["email"]
    with pytest.raises(IntegrityError), transaction.atomic():
        UniqueValue.objects.create(field=field, record=eve, value="ada@example.com")
    assert ada.unique_values.count() == 1


# --- definitions that change ------------------------------------------------------------------


def test_a_field_that_is_added_later_is_empty_in_old_records() -> None:
    leads = make_object("leads", {"slug": "name"})
    record = make_record(leads)
    add_field(leads, "city", required=True, default="Rome")
    old = fresh(record)
    assert update_record(record=old, data={"name": "B"}).data == {"name": "B"}
    with pytest.raises(InvalidData) as caught:
        update_record(record=old, data={"city": ""})
    assert list(caught.value.errors) == ["city"]


def test_values_of_a_field_that_is_gone_are_kept() -> None:
    leads = make_object("leads", {"slug": "name"}, {"slug": "fax"})
    record = make_record(leads, name="Ada", fax="12")
    leads.fields.get(slug="fax").delete()
    old = fresh(record)
    update_record(record=old, data={"name": "B"})
    assert fresh(record).data == {"name": "B", "fax": "12"}
    with pytest.raises(InvalidData, match="no field `fax`"):
        update_record(record=old, data={"fax": "13"})


def test_a_value_that_no_longer_fits_complains_only_when_it_is_edited() -> None:
    leads = make_object("leads", {"slug": "name"}, {"slug": "size"})
    record = make_record(leads, name="Ada", size="large")
    size = leads.fields.get(slug="size")
    size.kind = "number"
    size.save()
    old = fresh(record)
    update_record(record=old, data={"name": "B"})
    assert old.data["size"] == "large"
    with pytest.raises(InvalidData, match="“large” is none"):
        update_record(record=old, data={"size": "large"})


def test_a_stage_that_is_gone_keeps_its_records() -> None:
    leads = make_object()
    record = make_record(leads)
    leads.stages.get(slug="new").delete()
    old = fresh(record)
    update_record(record=old, stage="new", data={"name": "B"})
    update_record(record=old, stage="won")
    with pytest.raises(InvalidData, match="no stage “new”"):
        update_record(record=old, stage="new")


# --- bulk -------------------------------------------------------------------------------------


def test_bulk_services_say_how_many_they_changed_and_leave_the_rest(
    django_assert_max_num_queries: Any,
) -> None:
    leads = make_object()
    records = [make_record(leads, name=f"Lead {n}") for n in range(30)]
    services.delete_record(record=records[0])
    everything = Record.objects.all()
    new = NewEvents()
    with django_assert_max_num_queries(12):
        assert services.move_records(everything, object_definition=leads, stage="won") == 29
    assert services.move_records(everything, object_definition=leads, stage="won") == 0
    assert services.close_records(everything) == 29
    assert services.close_records(everything) == 0
    with django_assert_max_num_queries(12):
        assert services.delete_records(everything) == 29
    assert services.restore_records(everything) == 30
    assert len(new.types) == 29 + 29 + 29 + 30


def test_moving_in_bulk_leaves_the_records_of_other_objects() -> None:
    leads, deals = make_object("leads"), make_object("deals")
    make_record(leads)
    deal = make_record(deals)
    services.move_records(Record.objects.all(), object_definition=leads, stage="won")
    assert fresh(deal).stage == "new"
