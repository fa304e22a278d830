"""Running automations by hand: the service, the buttons of end users, and the admin's action."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from automations.exceptions import NotByHand
from automations.models import Automation, Run
from automations.services import automations_for, may_run, run_by_hand, set_state
from records.models import Event, ObjectDefinition, Record, User
from records.permissions import permissions_of
from records.services import create_record, delete_record, quarantine_record
from tests.automations.making import make_automation, step, work
from tests.records.making import fresh, make_object, make_user

pytestmark = pytest.mark.django_db

NOTE = step("set_variables", variables=[{"name": "who", "value": "{{ actor.username }}"}])


@pytest.fixture
def deals() -> ObjectDefinition:
    return make_object("deals", stages="")


@pytest.fixture
def admin() -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def by_hand(name: str = "Send contract", **config: Any) -> Automation:
    values = {"object": "deals", **config}
    return make_automation(NOTE, trigger={"type": "manual", "config": values}, name=name)


def make_deal(deals: ObjectDefinition, name: str = "Acme") -> Record:
    return create_record(object_definition=deals, data={"name": name})


def person(username: str, *codenames: str, team: str = "") -> User:
    user = make_user(username)
    for definition in ObjectDefinition.objects.all():
        permissions = permissions_of(definition)
        user.user_permissions.add(*(permissions[each] for each in codenames))
    if team:
        user.groups.add(Group.objects.get_or_create(name=team)[0])
    return User.objects.get(pk=user.pk)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- The service ------------------------------------------------------------------------------------


def test_each_record_is_a_run_started_by_who_asked_for_it(
    deals: ObjectDefinition, admin: User
) -> None:
    automation = by_hand()
    records = [make_deal(deals, name) for name in ("Acme", "Bolt")]
    assert run_by_hand(automation=automation, records=records, actor=admin) == 2
    work()
    runs = Run.objects.filter(automation=automation).order_by("id")
    assert [(run.record, run.started_by, run.status) for run in runs] == [
        (record, admin, "succeeded") for record in records
    ]
    assert runs[0].variables["vars"] == {"who": "root"}


def test_deleted_records_and_those_of_other_objects_are_left_out(
    deals: ObjectDefinition, admin: User
) -> None:
    automation = by_hand()
    deleted, sound = make_deal(deals), make_deal(deals)
    other = create_record(object_definition=make_object("leads"), data={"name": "Ada"})
    delete_record(record=deleted)
    records = [fresh(each) for each in (deleted, sound, other)]
    assert run_by_hand(automation=automation, records=records, actor=admin) == 1
    assert Event.objects.get(type="record.clicked").record == sound


def test_a_record_in_quarantine_can_be_run_by_a_person(
    deals: ObjectDefinition, admin: User
) -> None:
    automation, record = by_hand(), make_deal(deals)
    quarantine_record(record=record, reason="Odd")
    run_by_hand(automation=automation, records=[fresh(record)], actor=admin)
    work()
    assert Run.objects.get().status == "succeeded"


def test_an_automation_about_no_record_is_run_once(admin: User) -> None:
    automation = by_hand(object="")
    assert run_by_hand(automation=automation, actor=admin) == 1
    work()
    run = Run.objects.get(automation=automation)
    assert (run.status, run.event_name, run.record) == ("succeeded", "automation.clicked", None)


def test_only_the_automation_that_was_asked_for_runs(deals: ObjectDefinition, admin: User) -> None:
    wanted, _ = by_hand(), by_hand("Other")
    run_by_hand(automation=wanted, records=[make_deal(deals)], actor=admin)
    work()
    assert Run.objects.get().automation == wanted


def test_what_is_switched_off_or_of_another_kind_is_refused(
    deals: ObjectDefinition, admin: User
) -> None:
    paused = set_state(automation=by_hand(), state="paused")
    other = make_automation(
        NOTE, trigger={"type": "event", "config": {"event": "record.created"}}, name="Other"
    )
    for automation in (paused, other):
        with pytest.raises(NotByHand):
            run_by_hand(automation=automation, records=[make_deal(deals)], actor=admin)


@pytest.mark.parametrize(
    ("teams", "permissions", "team", "expected"),
    [
        ([], ["change_deals"], "", True),
        ([], ["view_deals"], "", False),
        ([], [], "", False),
        (["Sales"], ["view_deals"], "Sales", True),
        (["Sales", "Legal"], ["view_deals"], "Legal", True),
        (["Sales"], ["change_deals"], "Legal", False),
        (["Sales"], [], "Sales", False),
    ],
)
def test_who_may_run_it(
    deals: ObjectDefinition, teams: list[str], permissions: list[str], team: str, expected: bool
) -> None:
    for name in teams:
        Group.objects.create(name=name)
    automation = by_hand(teams=teams)
    user = person("ada", *permissions, team=team)
    assert may_run(automation, user) is expected
    assert bool(automations_for(user, deals)) is expected


def test_superusers_may_run_everything_and_nobody_what_is_paused(
    deals: ObjectDefinition, admin: User
) -> None:
    Group.objects.create(name="Sales")
    automation = by_hand(teams=["Sales"])
    assert may_run(automation, admin)
    assert not may_run(set_state(automation=automation, state="paused"), admin)
    assert automations_for(admin, deals) == []


def test_who_may_change_automations_may_run_one_about_no_record(admin: User) -> None:
    automation = by_hand(object="")
    assert may_run(automation, admin)
    assert not may_run(automation, person("ada"))


# --- The pages of end users -------------------------------------------------------------------------


def press(client: Client, automation: Automation, *records: Record, **values: str) -> str:
    """What the page says after the button was pressed."""
    response = client.post(
        "/o/deals/commands/",
        {"command": automation.pk, "record": [each.pk for each in records], **values},
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def test_a_records_page_has_a_button_that_runs_it(deals: ObjectDefinition) -> None:
    automation, record = by_hand(label="Send it"), make_deal(deals)
    client = logged_in(person("ada", "change_deals"))
    page = client.get(f"/o/deals/{record.pk}/").content.decode()
    assert f'value="{automation.pk}"' in page
    assert "Send it" in page
    said = press(client, automation, record, next=f"/o/deals/{record.pk}/")
    assert "“Send contract” runs for 1 record." in said
    assert "/admin/" not in said
    assert "ran an automation by hand" in said
    assert Event.objects.get(type="record.clicked").actor.username == "ada"


def test_the_list_runs_it_for_what_is_selected(deals: ObjectDefinition, admin: User) -> None:
    automation = by_hand()
    records = [make_deal(deals, name) for name in ("Acme", "Bolt", "Coil")]
    client = logged_in(admin)
    page = client.get("/o/deals/").content.decode()
    assert page.count('name="record"') == 3
    said = press(client, automation, *records[:2])
    assert "“Send contract” runs for 2 records." in said
    assert f"/admin/automations/run/?automation={automation.pk}" in said
    assert Event.objects.filter(type="record.clicked").count() == 2


def test_a_question_is_asked_first(deals: ObjectDefinition, admin: User) -> None:
    automation, record = by_hand(confirm="Send the <b>contract</b>?"), make_deal(deals)
    client = logged_in(admin)
    page = press(client, automation, record)
    assert "Send the &lt;b&gt;contract&lt;/b&gt;?" in page
    assert not Event.objects.filter(type="record.clicked").exists()
    assert "runs for 1 record." in press(client, automation, record, confirmed="1")
    assert Event.objects.filter(type="record.clicked").count() == 1


def test_nothing_selected_is_said(deals: ObjectDefinition, admin: User) -> None:
    automation = by_hand()
    said = press(logged_in(admin), automation)
    assert "Nothing is selected" in said


@pytest.mark.parametrize("ids", [["rec_nonsense"], ["x" * 2000], ["'; --"]])
def test_ids_that_are_none_select_nothing(
    deals: ObjectDefinition, admin: User, ids: list[str]
) -> None:
    automation = by_hand()
    values = {"command": automation.pk, "record": ids}
    response = logged_in(admin).post("/o/deals/commands/", values, follow=True)
    assert "Nothing is selected" in response.content.decode()


def test_without_automations_lists_have_no_boxes(deals: ObjectDefinition, admin: User) -> None:
    make_deal(deals)
    assert 'name="record"' not in logged_in(admin).get("/o/deals/").content.decode()


def test_who_may_not_run_it_is_refused(deals: ObjectDefinition) -> None:
    automation, record = by_hand(), make_deal(deals)
    client = logged_in(person("eve", "view_deals"))
    assert automation.pk not in client.get("/o/deals/").content.decode()
    assert "or not by you" in press(client, automation, record)
    assert not Event.objects.filter(type="record.clicked").exists()
    stranger = logged_in(person("mallory"))
    assert stranger.post("/o/deals/commands/", {"command": automation.pk}).status_code == 403
    assert stranger.get("/o/deals/commands/").status_code == 405


def test_many_automations_are_in_one_menu(deals: ObjectDefinition, admin: User) -> None:
    first, second = by_hand("First"), by_hand("Second")
    page = logged_in(admin).get(f"/o/deals/{make_deal(deals).pk}/").content.decode()
    assert page.count('class="menu-item" name="command"') == 2
    assert page.index(first.pk) < page.index(second.pk)


# --- The admin --------------------------------------------------------------------------------------


def admin_action(client: Client, *records: Record, **values: str) -> str:
    response = client.post(
        "/admin/records/record/",
        {"action": "run_selected", "_selected_action": [each.pk for each in records], **values},
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def test_the_admins_action_asks_which_and_runs_it(deals: ObjectDefinition, admin: User) -> None:
    automation = by_hand(confirm="Send the contract?")
    records = [make_deal(deals), make_deal(deals)]
    client = logged_in(admin)
    page = admin_action(client, *records)
    assert automation.pk in page
    assert "Send the contract?" in page
    said = admin_action(client, *records, apply="1", command=automation.pk)
    assert "“Send contract” runs for 2 records." in said
    assert Event.objects.filter(type="record.clicked").count() == 2


def test_the_admins_action_says_what_to_do_where_there_is_nothing_to_run(
    deals: ObjectDefinition, admin: User
) -> None:
    record = make_deal(deals)
    client = logged_in(admin)
    assert "with the trigger “Run by hand”" in admin_action(client, record)
    other = create_record(object_definition=make_object("leads"), data={"name": "Ada"})
    assert "Choose records of one object" in admin_action(client, record, other)
    assert "Nothing was done" in admin_action(client, record, apply="1", command="auto_x")
