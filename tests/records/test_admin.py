"""The admin of objects, events, people and teams."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from records.models import Event, FieldDefinition, ObjectDefinition, Record, User
from records.services import update_record
from tests.records.making import NewEvents, add_field, make_object, make_record, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss", password="pw"))
    return client


def words(response: Any) -> str:
    return response.content.decode()


def table(response: Any) -> str:
    """The list alone: filters beside it name the same things."""
    return words(response).partition('id="result_list"')[2].partition("</table>")[0]


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": initial,
        f"{prefix}-MIN_NUM_FORMS": 0,
        f"{prefix}-MAX_NUM_FORMS": 1000,
    }
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


OBJECT = {"name": "Lead", "plural": "Leads", "slug": "leads", "icon": "person", "position": 0}
ADD = "/admin/records/objectdefinition/add/"


# --- objects ----------------------------------------------------------------------------------


def test_an_object_is_defined_with_its_fields_and_stages_in_one_event(admin: Client) -> None:
    new = NewEvents()
    data = {
        **OBJECT,
        **formset(
            "fields",
            {"label": "Name", "slug": "", "kind": "text", "required": "on", "position": ""},
            {
                "label": "Größe (EUR)",
                "slug": "",
                "kind": "choice",
                "choices_text": "s | Small\nl",
                "default_text": "Small",
                "minimum": "ignored by this kind",
                "position": "",
            },
        ),
        **formset(
            "stages",
            {"label": "New", "slug": "", "colour": "blue", "position": ""},
            {"label": "Won", "slug": "", "colour": "green", "position": ""},
        ),
    }
    response = admin.post(ADD, data)
    assert response.status_code == 302, words(response)
    leads = ObjectDefinition.objects.get()
    name, size = leads.schema.fields
    assert (name.slug, name.required, name.position) == ("name", True, 0)
    assert (size.slug, size.position) == ("grosse_eur", 1) or size.slug == "groe_eur"
    assert size.options == {
        "choices": [{"value": "s", "label": "Small"}, {"value": "l", "label": "l"}]
    }
    assert list(leads.schema.stage_labels) == ["new", "won"]
    assert leads.schema.first_stage == "new"
    created = [event for event in new.list() if event.type.startswith("object.")]
    assert [event.type for event in created] == ["object.created"]
    assert list(created[0].after["stages"]) == ["new", "won"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"label": "Stage"}, "`record.stage` has a meaning of its own"),
        ({"label": "A", "kind": "choice"}, "choices: list at least one choice"),
        ({"label": "A", "kind": "number", "minimum": "x"}, "is not a number"),
        ({"label": "A", "kind": "number", "default_text": "x"}, "“x” is none"),
        ({"label": "A", "kind": "json", "default_text": "{"}, "This is not JSON"),
        ({"label": "A", "kind": "boolean", "unique": "on"}, "cannot be unique"),
        ({"label": "A", "kind": "nonsense"}, "Select a valid choice"),
        ({"label": "", "kind": "text"}, "This field is required"),
        ({"label": "!!!", "kind": "text"}, "No name follows from this label"),
    ],
)
def test_a_field_that_makes_no_sense_is_told_beside_its_input(
    admin: Client, row: dict[str, Any], message: str
) -> None:
    data = {
        **OBJECT,
        **formset("fields", {"kind": "text", "position": 0, **row}),
        **formset("stages"),
    }
    response = admin.post(ADD, data)
    assert response.status_code == 200
    assert message.replace("“", "“") in words(response)
    assert not ObjectDefinition.objects.exists()


def test_two_fields_of_one_name_are_refused_in_words(admin: Client) -> None:
    rows = [
        {"label": "A", "kind": "text", "position": 0},
        {"label": "a", "kind": "text", "position": 1},
    ]
    response = admin.post(ADD, {**OBJECT, **formset("fields", *rows), **formset("stages")})
    assert "duplicate" in words(response)


def test_a_definition_is_changed_while_there_are_records(admin: Client) -> None:
    leads = make_object()
    record = make_record(leads, name="Ada", email="a@example.com", amount=5)
    fields = list(leads.schema.fields)
    rows = [
        {"id": fields[0].pk, "label": "Full name", "slug": "name", "kind": "text", "position": 2},
        {"id": fields[1].pk, "label": "Email", "slug": "email", "kind": "email", "DELETE": "on"},
        {"id": fields[2].pk, "label": "Amount", "slug": "amount", "kind": "number", "position": 1},
        {"label": "City", "kind": "text", "required": "on", "position": ""},
    ]
    stages = [
        {"id": stage.pk, "label": stage.label, "slug": stage.slug, "colour": "red", "position": 0}
        for stage in leads.schema.stages
    ]
    new = NewEvents()
    response = admin.post(
        f"/admin/records/objectdefinition/{leads.pk}/change/",
        {**OBJECT, **formset("fields", *rows, initial=3), **formset("stages", *stages, initial=2)},
    )
    assert response.status_code == 302, words(response)
    leads = ObjectDefinition.objects.get()
    assert [field.slug for field in leads.schema.fields] == ["amount", "name", "city"]
    event = new.one()
    assert event.type == "object.updated"
    assert {"fields.name", "fields.email", "fields.amount", "fields.city"} < set(event.changed)
    # The record is as it was, and can be edited.
    record = Record.objects.select_related("object").get()
    assert record.data == {"name": "Ada", "email": "a@example.com", "amount": 5}
    update_record(record=record, data={"name": "Bea"})


def test_options_and_defaults_are_shown_in_plain_inputs(admin: Client) -> None:
    leads = make_object()
    add_field(
        leads,
        "size",
        kind="choice",
        options={"choices": [{"value": "s", "label": "Small"}]},
        default="s",
    )
    page = words(admin.get(f"/admin/records/objectdefinition/{leads.pk}/change/"))
    assert "s | Small" in page
    assert 'data-options="text:minimum,maximum;' in page


def test_the_form_of_an_object_asks_no_more_for_more_fields(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    leads = make_object("leads", *[{"slug": f"f{n}"} for n in range(25)])
    with django_assert_max_num_queries(20):
        admin.get(f"/admin/records/objectdefinition/{leads.pk}/change/")


def test_deleting_an_object_keeps_its_records_until_it_is_restored(admin: Client) -> None:
    leads = make_object()
    make_record(leads)
    page = words(admin.get(f"/admin/records/objectdefinition/{leads.pk}/delete/"))
    assert "1 records are kept" in page
    admin.post(f"/admin/records/objectdefinition/{leads.pk}/delete/", {"post": "yes"})
    assert ObjectDefinition.objects.get().deleted_at is not None
    assert Record.objects.count() == 1
    changelist = "/admin/records/objectdefinition/"
    assert "Leads" not in table(admin.get(changelist))
    assert "Leads" in table(admin.get(f"{changelist}?deleted=yes"))
    response = admin.post(
        f"{changelist}?deleted=yes",
        {"action": "restore_selected", "_selected_action": [leads.pk]},
        follow=True,
    )
    assert "1 object restored" in words(response)
    assert ObjectDefinition.objects.get().deleted_at is None
    assert list(Event.objects.filter(type__startswith="object.").values_list("type", flat=True))[
        :2
    ] == ["object.restored", "object.deleted"]


def test_deleting_selected_objects_is_soft_too(admin: Client) -> None:
    leads = make_object()
    data = {"action": "delete_selected", "_selected_action": [leads.pk], "post": "yes"}
    admin.post("/admin/records/objectdefinition/", data)
    assert ObjectDefinition.objects.get().deleted_at is not None


# --- events -----------------------------------------------------------------------------------


def test_the_log_lists_filters_and_shows_events(admin: Client) -> None:
    leads = make_object()
    record = make_record(leads, name="Ada <b>")
    update_record(record=record, data={"name": "Bea"}, stage="won")
    url = "/admin/records/event/"
    page = words(admin.get(url))
    assert "Record · Updated" in page
    assert "Object · Created" in page
    filtered = table(admin.get(url, {"event": "record.updated", "object": "leads", "time": "hour"}))
    assert "Record · Updated" in filtered
    assert "Record · Created" not in filtered
    found = table(admin.get(url, {"q": record.pk}))
    assert "Record · Created" in found
    assert "Object · Created" not in found
    event = Event.objects.filter(type="record.updated").get()
    shown = words(admin.get(f"{url}{event.pk}/change/"))
    for text in ("Ada &lt;b&gt;", "Bea", "New", "Won", "Record · Stage changed", record.pk):
        assert text in shown
    assert f"/admin/records/record/{record.pk}/change/" in shown


def test_every_kind_of_event_has_a_page(admin: Client) -> None:
    leads = make_object()
    record = make_record(leads)
    team = Group.objects.create(name="Sales")
    user = make_user("bob")
    user.groups.add(team)
    team.delete()
    user.delete()
    record.delete()
    leads.delete()
    admin.post("/admin/login/", {"username": "x", "password": "y"})
    for event in Event.objects.all():
        assert admin.get(f"/admin/records/event/{event.pk}/change/").status_code == 200, event.type


@pytest.mark.parametrize(
    "query", ["?q=%00", "?object=nowhere", "?p=999999", "?p=x", "?time=x", "?event=x", "?actor=x"]
)
def test_a_list_of_events_with_a_strange_address_is_no_error(admin: Client, query: str) -> None:
    assert admin.get(f"/admin/records/event/{query}").status_code in (200, 302)


def test_nobody_writes_events_by_hand(admin: Client) -> None:
    make_object()
    event = Event.objects.first()
    assert event is not None
    assert admin.get("/admin/records/event/add/").status_code == 403
    assert (
        admin.post(f"/admin/records/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert admin.post(f"/admin/records/event/{event.pk}/change/", {}).status_code == 403


def test_the_log_costs_the_same_for_many_events(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    leads = make_object()
    Record.objects.bulk_create([Record(object=leads, data={"name": "x"}) for _ in range(120)])
    with django_assert_max_num_queries(14):
        page = words(admin.get("/admin/records/event/"))
    assert "COUNT(*) FROM" not in page


# --- people -----------------------------------------------------------------------------------


def test_a_user_is_made_changed_and_deleted(admin: Client) -> None:
    new = NewEvents()
    data = {
        "username": "ada",
        "usable_password": "true",
        "password1": "Xy!7long",
        "password2": "Xy!7long",
    }
    response = admin.post("/admin/records/user/add/", data)
    assert response.status_code == 302, words(response)
    ada = User.objects.get(username="ada")
    team = Group.objects.create(name="Sales")
    page = f"/admin/records/user/{ada.pk}/change/"
    assert admin.get(page).status_code == 200
    response = admin.post(
        page,
        {
            "username": "ada",
            "first_name": "Ada",
            "last_name": "L",
            "email": "",
            "is_active": "on",
            "groups": [team.pk],
        },
    )
    assert response.status_code == 302, words(response)
    assert admin.get("/admin/records/user/").status_code == 200
    admin.post(f"/admin/records/user/{ada.pk}/delete/", {"post": "yes"})
    assert new.types == [
        "user.created",
        "team.created",
        "user.updated",
        "user.membership_changed",
        "team.membership_changed",
        "team.membership_changed",
        "user.deleted",
    ]


def test_who_manages_users_does_not_become_a_superuser_by_it(client: Client) -> None:
    boss = User.objects.create_superuser("boss", password="pw")
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__endswith="_user"))
    client.force_login(clerk)
    page = f"/admin/records/user/{clerk.pk}/change/"
    data = {"username": "clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert client.post(page, data).status_code == 302
    assert not User.objects.get(pk=clerk.pk).is_superuser
    assert client.post(f"/admin/records/user/{boss.pk}/change/", data).status_code == 403
    assert client.post(f"/admin/records/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    password = {"password1": "Xy!7long", "password2": "Xy!7long", "usable_password": "true"}
    assert client.post(f"/admin/records/user/{boss.pk}/password/", password).status_code == 403
    client.post(
        "/admin/records/user/",
        {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"},
    )
    assert User.objects.filter(pk=boss.pk).exists()


# --- teams ------------------------------------------------------------------------------------


def test_a_team_is_given_permissions_for_objects_and_members(admin: Client) -> None:
    leads, ada = make_object(), make_user()
    view = Permission.objects.get(codename="view_leads")
    other = Permission.objects.get(codename="view_user")
    new = NewEvents()
    page = words(admin.get("/admin/auth/group/add/"))
    assert "All records" in page
    assert 'aria-label="Can move Leads to another stage"' in page
    response = admin.post(
        "/admin/auth/group/add/",
        {
            "name": "Sales",
            "record_permissions": [view.pk],
            "other_permissions": [other.pk],
            "members": [ada.pk],
        },
    )
    assert response.status_code == 302, words(response)
    assert new.types == ["team.created", "user.membership_changed", "team.membership_changed"]
    team = Group.objects.get()
    assert set(team.permissions.all()) == {view, other}
    page = words(admin.get(f"/admin/auth/group/{team.pk}/change/"))
    assert f'value="{view.pk}"' in page
    new = NewEvents()
    admin.post(f"/admin/auth/group/{team.pk}/change/", {"name": "Sales", "members": [ada.pk]})
    assert (new.one().changed, new.one().after["permissions"]) == (["permissions"], [])
    assert leads.name == "Lead"


def test_a_deleted_team_is_restored_by_a_button(admin: Client) -> None:
    team = Group.objects.create(name="Sales")
    page = reverse("admin:auth_group_deleted_page")
    assert "No team has been deleted" in words(admin.get(page))
    admin.post(f"/admin/auth/group/{team.pk}/delete/", {"post": "yes"})
    event = Event.objects.filter(type="team.deleted").get()
    restore = reverse("admin:restore_team", args=[event.pk])
    assert restore in words(admin.get(page))
    assert admin.get(restore).status_code == 405
    assert "was restored" in words(admin.post(restore, follow=True))
    assert Group.objects.get().name == "Sales"
    assert "restored already" in words(admin.post(restore, follow=True))
    assert admin.post(reverse("admin:restore_team", args=["nonsense"])).status_code == 404


def test_only_superusers_give_permissions(client: Client) -> None:
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__endswith="_group"))
    client.force_login(clerk)
    team = Group.objects.create(name="Sales")
    assert client.get("/admin/auth/group/").status_code == 200
    assert client.post(f"/admin/auth/group/{team.pk}/change/", {"name": "X"}).status_code == 403
    assert client.get("/admin/auth/group/add/").status_code == 403


def test_definitions_are_for_those_with_the_permission(client: Client) -> None:
    client.force_login(make_user("clerk", is_staff=True))
    make_object()
    for url in ("objectdefinition", "event", "user", "record"):
        assert client.get(f"/admin/records/{url}/").status_code == 403
    assert FieldDefinition.objects.count() == 3


@pytest.mark.parametrize("selected", ["nonsense", "9" * 40, "\0"])
@pytest.mark.parametrize("address", ["records/objectdefinition", "auth/group"])
def test_an_action_on_what_is_no_id_is_a_bad_request(
    admin: Client, address: str, selected: str
) -> None:
    posted = {"action": "delete_selected", "_selected_action": selected, "post": "yes"}

    assert admin.post(f"/admin/{address}/", posted).status_code == 400
