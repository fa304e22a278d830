"""Records in the admin: forms, conflicts, acts, bulk actions, the import, permissions."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from records import services
from records.models import Record, User
from records.services import update_record
from tests.records.making import NewEvents, fresh, make_object, make_record, make_user

pytestmark = pytest.mark.django_db

LIST = "/admin/records/record/"


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password="pw")


@pytest.fixture
def admin(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


def page_of(record: Record) -> str:
    return f"{LIST}{record.pk}/change/"


def words(response: Any) -> str:
    return response.content.decode()


def clerk_with(*codenames: str) -> User:
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.add(
        *Permission.objects.filter(codename__in=codenames, content_type__app_label="records")
    )
    return clerk


# --- the form ---------------------------------------------------------------------------------


def test_first_the_object_is_chosen(admin: Client) -> None:
    assert "Define an object first" in words(admin.get(f"{LIST}add/"))
    make_object()
    assert "?object=leads" in words(admin.get(f"{LIST}add/"))
    assert "What do you want to add" in words(admin.get(f"{LIST}add/?object=nowhere%00"))


def test_a_record_is_added_through_the_form_of_its_object(admin: Client, boss: User) -> None:
    make_object()
    url = f"{LIST}add/?object=leads"
    page = words(admin.get(url))
    for name in ("name", "email", "amount", "stage", "owner"):
        assert f'name="{name}"' in page
    new = NewEvents()
    data = {"name": "Ada", "email": "", "amount": "5", "stage": "won", "owner": boss.pk}
    response = admin.post(url, {**data, "_save": "1"})
    assert response.status_code == 302, words(response)
    record = Record.objects.get()
    assert (record.data["amount"], record.stage, record.owner) == (5, "won", boss)
    assert (new.one().type, new.one().actor) == ("record.created", boss)


def test_errors_are_shown_beside_their_fields(admin: Client) -> None:
    make_object()
    page = words(admin.post(f"{LIST}add/?object=leads", {"amount": "much", "stage": "new"}))
    assert "This field is required." in page
    assert "“much” is none" in page
    assert 'value="much"' in page
    assert not Record.objects.exists()


def test_a_draft_is_saved_edited_and_submitted(admin: Client) -> None:
    make_object()
    admin.post(f"{LIST}add/?object=leads", {"stage": "new", "amount": "1", "_draft": "1"})
    draft = Record.objects.get()
    assert (draft.state, draft.data["name"]) == ("draft", None)
    data = {"version": "1", "stage": "new", "amount": "2"}
    assert admin.post(page_of(draft), {**data, "_save": "1"}).status_code == 302
    assert fresh(draft).data["amount"] == 2
    response = admin.post(page_of(draft), {**data, "version": "2", "_submit": "1"})
    assert "This field is required." in words(response)
    data |= {"version": "2", "name": "Ada"}
    assert admin.post(page_of(draft), {**data, "_submit": "1"}).status_code == 302
    assert fresh(draft).state == "submitted"


def test_saving_without_a_change_writes_no_event(admin: Client) -> None:
    record = make_record(make_object(), name="Ada", amount=5)
    new = NewEvents()
    data = {"version": "1", "name": "Ada", "amount": "5.00", "stage": "new", "owner": ""}
    assert admin.post(page_of(record), data).status_code == 302
    assert not new.list()
    assert fresh(record).version == 1


def test_a_conflict_shows_both_versions_and_overwrites_nothing_until_told_to(admin: Client) -> None:
    record = make_record(make_object(), name="Ada", amount=1)
    update_record(record=record, data={"name": "Theirs"})
    data = {"version": "1", "name": "Mine", "amount": "1.00", "stage": "won", "owner": ""}
    response = admin.post(page_of(record), data)
    page = words(response)
    assert response.status_code == 200
    assert "Somebody else has changed this record" in page
    both = page.partition('id="conflict"')[2].partition("</table>")[0]
    for text in ("Theirs", "Mine", "New", "Won"):
        assert text in both
    assert "Amount" not in both
    assert fresh(record).data["name"] == "Theirs"
    assert 'name="version" value="2"' in page
    assert admin.post(page_of(record), {**data, "version": "2"}).status_code == 302
    assert (fresh(record).data["name"], fresh(record).stage) == ("Mine", "won")


@pytest.mark.parametrize("act", [services.close_record, services.delete_record])
def test_who_edits_what_was_closed_or_deleted_meanwhile_is_told(admin: Client, act: Any) -> None:
    record = make_record(make_object())
    act(record=record)
    response = admin.post(page_of(record), {"version": "1", "name": "Mine"}, follow=True)
    assert "meanwhile; nothing was saved" in words(response)
    assert fresh(record).data["name"] == "Ada"


def test_a_unique_value_that_is_taken_is_told_beside_its_field(admin: Client) -> None:
    leads = make_object("leads", {"slug": "name", "unique": True})
    make_record(leads, name="Ada")
    response = admin.post(f"{LIST}add/?object=leads", {"name": "Ada", "stage": "new"})
    assert response.status_code == 200
    assert "“Ada” has this value already" in words(response)
    assert Record.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": "x", "name": "B"},
        {"version": "-3", "name": "B"},
        {"version": "9" * 30, "name": "B"},
        {"version": "1", "name": "B\x00", "owner": "nobody", "stage": "nowhere"},
        {"version": "1", "name": "B", "owner": "user_01h455vb4pex5vsknk084sn02q"},
    ],
)
def test_whatever_is_posted_is_no_error_of_ours(admin: Client, data: dict[str, str]) -> None:
    record = make_record(make_object())
    assert admin.post(page_of(record), data).status_code in (200, 302)


@pytest.mark.parametrize("pk", ["nonsense", "rec_01h455vb4pex5vsknk084sn02q", "1", "user_x", "%00"])
def test_a_record_that_does_not_exist_is_no_error_of_ours(admin: Client, pk: str) -> None:
    make_object()
    assert admin.get(f"{LIST}{pk}/change/").status_code in (302, 404)
    assert admin.get(f"{LIST}{pk}/history/").status_code in (302, 404)
    assert admin.post(f"{LIST}{pk}/act/").status_code in (302, 404)


def test_closed_and_deleted_records_are_shown_but_not_edited(admin: Client) -> None:
    record = make_record(make_object(), name="Ada Lovelace")
    services.close_record(record=record)
    page = words(admin.get(page_of(record)))
    assert "Ada Lovelace" in page
    assert "Reopen it to change it" in page
    assert 'name="amount"' not in page


# --- acts -------------------------------------------------------------------------------------


def test_acts_are_offered_as_they_are_possible(admin: Client) -> None:
    record = make_record(make_object())

    def act(name: str, **values: Any) -> Record:
        version = fresh(record).version
        url = f"{LIST}{record.pk}/act/"
        admin.post(url, {"act": name, "version": version, **values})
        return fresh(record)

    page = words(admin.get(page_of(record)))
    assert 'value="close"' in page
    assert 'value="reopen"' not in page
    assert act("reopen").version == 1
    assert act("close").state == "closed"
    assert act("reopen").state == "submitted"
    assert act("", stage="won").stage == "won"
    assert act("", stage="nowhere").stage == "won"
    assert act("delete").deleted_at is not None
    assert 'value="restore"' in words(admin.get(page_of(record)))
    assert act("restore").deleted_at is None
    services.quarantine_record(record=fresh(record), reason="Suspicious")
    assert "Suspicious" in words(admin.get(page_of(record)))
    assert act("release").quarantined_at is None
    assert admin.get(f"{LIST}{record.pk}/act/").status_code == 405


def test_an_act_on_what_somebody_changed_meanwhile_is_not_done(admin: Client) -> None:
    record = make_record(make_object())
    update_record(record=record, data={"name": "Theirs"})
    url = f"{LIST}{record.pk}/act/"
    response = admin.post(url, {"act": "close", "version": "1"}, follow=True)
    assert "nothing was done" in words(response)
    assert fresh(record).state == "submitted"


def test_delete_by_the_admin_s_own_page_is_soft(admin: Client) -> None:
    record = make_record(make_object())
    url = f"{LIST}{record.pk}/delete/"
    assert admin.get(url).status_code == 200
    new = NewEvents()
    admin.post(url, {"post": "yes"})
    assert new.one().type == "record.deleted"
    assert fresh(record).deleted_at is not None


def test_the_history_tells_who_changed_what_from_what_to_what(admin: Client, boss: User) -> None:
    record = make_record(make_object())
    admin.post(page_of(record), {"version": "1", "name": "<Bea>", "stage": "won", "owner": boss.pk})
    page = words(admin.get(f"{LIST}{record.pk}/history/"))
    for text in ("boss", "Ada", "&lt;Bea&gt;", "from New to Won"):
        assert text in page


# --- the list ---------------------------------------------------------------------------------


def test_the_list_is_searched_and_filtered(admin: Client) -> None:
    leads, deals = make_object("leads"), make_object("deals")
    ada, bob = make_record(leads, name="Ada"), make_record(deals, name="Bob")
    services.close_record(record=bob)
    gone = make_record(leads, name="Gone")
    services.delete_record(record=gone)

    def names(query: str) -> set[str]:
        page = words(admin.get(LIST + query)).partition("<tbody")[2]
        return {name for name in ("Ada", "Bob", "Gone") if name in page}

    assert names("") == {"Ada", "Bob"}
    assert names("?q=ADA") == {"Ada"}
    assert names(f"?q={bob.pk}") == {"Bob"}
    assert names("?object=deals") == {"Bob"}
    assert names("?object=leads&stage=new") == {"Ada"}
    assert names("?state=closed") == {"Bob"}
    assert names("?deleted=yes") == {"Gone"}
    assert names("?deleted=all") == {"Ada", "Bob", "Gone"}
    assert ada.title == "Ada"


@pytest.mark.parametrize("query", ["?q=%00", "?p=99999", "?o=5.1", "?stage=x", "?state=x", "?e=1"])
def test_a_list_with_a_strange_address_is_no_error(admin: Client, query: str) -> None:
    make_object()
    assert admin.get(LIST + query).status_code in (200, 302)


def test_the_list_costs_the_same_for_many_records(
    admin: Client, boss: User, django_assert_max_num_queries: Any
) -> None:
    for slug in ("leads", "deals"):
        definition = make_object(slug)
        Record.objects.bulk_create(
            [Record(object=definition, data={"name": "x"}, owner=boss) for _ in range(40)]
        )
    with django_assert_max_num_queries(20):
        admin.get(LIST)


# --- bulk actions -----------------------------------------------------------------------------


def bulk(admin: Client, action: str, *records: Record, query: str = "", **values: Any) -> str:
    data = {"action": action, "_selected_action": [record.pk for record in records], **values}
    return words(admin.post(LIST + query, data, follow=True))


def test_bulk_actions_tell_how_many_they_changed(admin: Client, boss: User) -> None:
    leads = make_object()
    one, two = make_record(leads), make_record(leads)
    new = NewEvents()
    assert "2 records were closed" in bulk(admin, "close_selected", one, two)
    bulk(admin, "delete_selected", one, two, post="yes")
    assert fresh(one).deleted_at is not None
    assert "2 records were restored" in bulk(
        admin, "restore_selected", one, two, query="?deleted=yes"
    )
    assert new.types == ["record.updated"] * 2 + ["record.deleted"] * 2 + ["record.restored"] * 2
    assert {event.actor for event in new.list()} == {boss}


def test_selected_records_are_moved_to_a_stage_that_is_asked_for(admin: Client) -> None:
    leads, deals = make_object("leads"), make_object("deals")
    one, two, deal = make_record(leads), make_record(leads), make_record(deals)
    page = bulk(admin, "move_selected", one, two)
    assert "Move 2 records to which stage?" in page
    assert fresh(one).stage == "new"
    page = bulk(admin, "move_selected", one, two, apply="1", stage="won")
    assert "2 records were moved to Won" in page
    assert fresh(two).stage == "won"
    assert "has no stage" in bulk(admin, "move_selected", one, apply="1", stage="x")
    assert "records of one object" in bulk(admin, "move_selected", one, deal)


def test_a_restoration_that_a_unique_value_forbids_is_told(admin: Client) -> None:
    leads = make_object("leads", {"slug": "name", "unique": True})
    gone = make_record(leads, name="Ada")
    services.delete_record(record=gone)
    make_record(leads, name="Ada")
    page = bulk(admin, "restore_selected", gone, query="?deleted=yes")
    assert "Nothing was restored" in page


# --- the import -------------------------------------------------------------------------------


def upload(admin: Client, content: bytes, **values: str) -> Any:
    data = {"object": "leads", "file": SimpleUploadedFile("leads.csv", content), **values}
    return admin.post(f"{LIST}import/", data, follow=True)


def test_a_csv_file_is_imported_or_its_errors_are_listed(admin: Client, boss: User) -> None:
    make_object()
    page = words(admin.get(f"{LIST}import/"))
    assert "<code>email</code>" in page
    page = words(upload(admin, b"name,amount\nAda,1\nBob,much\n"))
    assert "Nothing was imported" in page
    assert "“much” is none" in page
    assert not Record.objects.exists()
    page = words(upload(admin, b"name,amount\nAda,1\nBob,much\n", only_right_rows="on"))
    assert "1 imported" in page
    assert Record.objects.get().owner == boss
    assert "2 records were imported" in words(upload(admin, b"name\nA\nB\n"))
    assert "not a CSV file" in words(upload(admin, b'name\n"'))
    assert upload(admin, b"").status_code == 200
    assert admin.post(f"{LIST}import/", {"object": "nowhere"}).status_code == 200


# --- permissions ------------------------------------------------------------------------------


def test_a_clerk_sees_and_does_what_the_permissions_of_the_object_say(client: Client) -> None:
    leads, deals = make_object("leads"), make_object("deals")
    lead, deal = make_record(leads, name="Lead A"), make_record(deals, name="Deal B")
    client.force_login(clerk_with("view_leads", "move_leads"))
    page = words(client.get(LIST))
    assert "Lead A" in page
    assert "Deal B" not in page
    assert client.get(page_of(deal)).status_code == 302
    page = words(client.get(page_of(lead)))
    assert "Lead A" in page
    assert 'name="amount"' not in page
    assert 'value="won"' in page
    assert 'value="close"' not in page
    assert client.post(page_of(lead), {"version": "1", "name": "X"}).status_code == 403
    act = f"{LIST}{lead.pk}/act/"
    client.post(act, {"act": "close", "version": "1"})
    client.post(act, {"act": "delete", "version": "1"})
    client.post(act, {"stage": "won", "version": "1"})
    assert (fresh(lead).state, fresh(lead).stage, fresh(lead).deleted_at) == (
        "submitted",
        "won",
        None,
    )
    assert client.post(f"{LIST}{deal.pk}/act/", {"stage": "won"}).status_code == 404
    assert client.get(f"{LIST}{deal.pk}/history/").status_code == 404
    assert client.get(f"{LIST}add/").status_code == 200
    assert client.get(f"{LIST}import/").status_code == 403
    bulk(client, "delete_selected", lead, post="yes")
    bulk(client, "close_selected", lead)
    assert (fresh(lead).state, fresh(lead).deleted_at) == ("submitted", None)


def test_bulk_actions_leave_the_records_of_objects_that_are_not_the_clerk_s(client: Client) -> None:
    leads, deals = make_object("leads"), make_object("deals")
    lead, deal = make_record(leads), make_record(deals)
    client.force_login(clerk_with("view_leads", "close_leads", "view_deals"))
    assert "1 record was closed" in bulk(client, "close_selected", lead, deal)
    assert fresh(deal).state == "submitted"


def test_who_may_not_move_does_not_move_by_editing(client: Client) -> None:
    leads = make_object()
    lead = make_record(leads)
    client.force_login(clerk_with("change_leads"))
    data = {"version": "1", "name": "B", "stage": "won", "owner": ""}
    assert client.post(page_of(lead), data).status_code == 302
    assert (fresh(lead).data["name"], fresh(lead).stage) == ("B", "new")
    assert client.post(f"{LIST}{lead.pk}/act/", {"stage": "won"}).status_code == 403


def test_an_action_on_what_is_no_id_is_a_bad_request(admin: Client) -> None:
    make_record(make_object())
    posted = {"action": "delete_selected", "_selected_action": "rec_nonsense", "post": "yes"}

    assert admin.post(LIST, posted).status_code == 400


def test_before_there_is_an_object_the_pages_say_what_to_do_first(admin: Client) -> None:
    assert admin.get(LIST).status_code == 200
    assert "Define an object first" in words(admin.get(f"{LIST}add/"))
    assert admin.get(f"{LIST}import/").status_code == 302
