"""Tasks: services, events, notifications; the cards on a record's page and at home; the admin."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from records.actors import acting
from records.eventtypes import names_of
from records.exceptions import AlreadyGone, InvalidData, RecordDeleted
from records.models import Event, Notification, ObjectDefinition, Record, Task, User
from records.services import (
    add_task,
    close_record,
    complete_task,
    delete_record,
    delete_task,
    reopen_task,
    update_task,
)
from records.views.tasks import MAX_OWN
from tests.records.leads import make_lead, make_leads, make_user
from tests.records.making import NewEvents

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def ada(leads: ObjectDefinition) -> User:
    return make_user("ada", "change_leads", "close_leads", first_name="Ada")


@pytest.fixture
def bob(leads: ObjectDefinition) -> User:
    return make_user("bob", "view_leads", first_name="Bob")


@pytest.fixture
def lead(leads: ObjectDefinition) -> Record:
    return make_lead(leads, "Jane")


@pytest.fixture
def client(ada: User) -> Client:
    return logged_in(ada)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def names(event: Event) -> set[str]:
    return set(names_of(event.type, changed=event.changed, before=event.before, after=event.after))


# --- services and events ----------------------------------------------------------------------


def test_a_task_is_told_with_its_record_and_object(lead: Record, ada: User, bob: User) -> None:
    new = NewEvents()
    with acting(ada):
        task = add_task(
            record=lead,
            title="  Send the\noffer ",
            note=" By mail ",
            assignees=[bob, ada, bob],
            due_on=date(2025, 1, 31),
        )
    event = new.one()
    assert task.pk.startswith("task_")
    assert (event.type, event.subject_id, event.subject_label) == (
        "task.created",
        task.pk,
        "Send the offer",
    )
    assert (event.record, event.object, event.actor) == (lead, lead.object, ada)
    assert event.after == {
        "title": "Send the offer",
        "note": "By mail",
        "assignees": sorted([ada.pk, bob.pk]),
        "due_on": "2025-01-31",
        "done": False,
        "done_by": None,
        "record_id": lead.pk,
    }
    assert set(task.assignees.all()) == {ada, bob}
    assert (task.created_by, task.run_id) == (ada, None)


def test_a_task_knows_the_run_that_gave_it(lead: Record) -> None:
    run = "run_01h455vb4pex5vsknk084sn02q"
    new = NewEvents()
    with acting(None, label="Automation “Welcome”", run_id=run, depth=3):
        task = add_task(record=lead, title="Call")
    assert (task.run_id, task.created_by, task.created_by_label) == (
        run,
        None,
        "Automation “Welcome”",
    )
    assert (new.one().run_id, new.one().depth) == (run, 3)


def test_a_task_may_be_about_nothing(ada: User) -> None:
    new = NewEvents()
    task = add_task(record=None, title="Water the plants", assignees=[ada])
    assert (new.one().record, new.one().object) == (None, None)
    complete_task(task=task)
    assert new.types == ["task.created", "task.updated"]


def test_done_and_not_done_after_all(lead: Record, ada: User) -> None:
    task = add_task(record=lead, title="Call")
    new = NewEvents()
    with acting(ada):
        done = complete_task(task=task)
        complete_task(task=task)  # it is done
        reopened = reopen_task(task=task)
        reopen_task(task=task)
    completed, again = new.list()
    assert (done.is_done, done.done_by) == (True, ada)
    assert (reopened.is_done, reopened.done_by) == (False, None)
    assert names(completed) == {"task.updated", "task.completed"}
    assert names(again) == {"task.updated"}
    assert (completed.changed, again.changed) == (["done"], ["done"])
    assert completed.after["done_by"] == ada.pk


def test_only_what_is_given_changes_and_is_told(lead: Record, ada: User, bob: User) -> None:
    task = add_task(record=lead, title="Call", assignees=[ada], due_on=date(2025, 1, 31))
    new = NewEvents()
    update_task(task=task, title="Call her")
    update_task(task=task, due_on=None)
    update_task(task=task, assignees=[bob])
    update_task(task=task, title="Call her", note="")  # changes nothing
    assert [event.changed for event in new.list()] == [["title"], ["due_on"], ["assignees"]]
    assert {event.type for event in new.list()} == {"task.updated"}
    task.refresh_from_db()
    assert (task.title, task.due_on, list(task.assignees.all())) == ("Call her", None, [bob])


def test_a_deleted_task_is_told(lead: Record, ada: User) -> None:
    task = add_task(record=lead, title="Call", assignees=[ada])
    new = NewEvents()
    delete_task(task=task)
    assert (new.one().type, new.one().before["assignees"]) == ("task.deleted", [ada.pk])
    assert not Task.objects.exists()
    with pytest.raises(AlreadyGone):
        complete_task(task=Task(pk=new.one().subject_id))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "x", "note": "y" * 5001}, "note"),
    ],
)
def test_what_does_not_fit_is_said(lead: Record, values: dict[str, str], name: str) -> None:
    with pytest.raises(InvalidData) as error:
        add_task(record=lead, **values)
    assert set(error.value.errors) == {name}
    assert not Task.objects.exists()


def test_a_task_is_given_to_who_may_see_its_record(lead: Record, ada: User) -> None:
    eve = make_user("eve")
    with pytest.raises(InvalidData, match="eve may not see Leads"):
        add_task(record=lead, title="Call", assignees=[ada, eve])
    task = add_task(record=lead, title="Call", assignees=[ada])
    ada.groups.clear()
    update_task(task=task, assignees=[ada], note="Still hers")


def test_the_tasks_of_a_deleted_record_rest(lead: Record) -> None:
    task = add_task(record=lead, title="Call")
    delete_record(record=lead)
    for act in (
        lambda: add_task(record=lead, title="Call"),
        lambda: update_task(task=task, title="x"),
        lambda: complete_task(task=task),
    ):
        with pytest.raises(RecordDeleted):
            act()
    Record.objects.filter(pk=lead.pk).delete()
    assert not Task.objects.exists()


def test_who_gets_something_to_do_is_told_and_who_gives_it_is_not(
    lead: Record, ada: User, bob: User
) -> None:
    with acting(ada):
        task = add_task(record=lead, title="Call", assignees=[ada, bob], due_on=date(2025, 1, 31))
    note = Notification.objects.get()
    assert (note.user, note.title) == (bob, "Ada gave you a task: Call")
    assert note.body == "Until Jan. 31, 2025."
    assert note.url == f"/o/leads/{lead.pk}/#{task.pk}"
    with acting(bob):
        update_task(task=task, title="Call twice", assignees=[ada, bob])
    assert Notification.objects.count() == 1


def test_what_somebody_who_is_deleted_was_to_do_is_left_to_the_others(
    lead: Record, ada: User, bob: User
) -> None:
    task = add_task(record=lead, title="Call", assignees=[ada, bob])
    done = add_task(record=lead, title="Done", assignees=[bob])
    complete_task(task=done)
    new, gone = NewEvents(), bob.pk
    bob.delete()
    event = next(one for one in new.list() if one.type == "task.updated")
    assert (event.subject_id, event.changed) == (task.pk, ["assignees"])
    assert (gone in event.before["assignees"], event.after["assignees"]) == (True, [ada.pk])
    assert new.types.count("task.updated") == 1


# --- the card of a record ---------------------------------------------------------------------


def test_a_task_is_added_changed_and_deleted_on_the_page(
    client: Client, lead: Record, ada: User, bob: User
) -> None:
    page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert "Nothing is to be done. Write down the next step" in page
    values = {"title": "<b>Call</b>", "assignees": [bob.pk, ada.pk], "due_on": "2025-01-31"}
    page = text(client.post(reverse("task_add", args=["leads", lead.pk]), values, follow=True))
    assert "&lt;b&gt;Call&lt;/b&gt;" in page
    assert "Jan. 31, 2025" in page
    task = Task.objects.get()
    assert set(task.assignees.all()) == {ada, bob}
    address = reverse("task_edit", args=[task.pk])
    page = text(client.post(address, {"title": "Write", "assignees": bob.pk}, follow=True))
    assert "Write" in page
    task.refresh_from_db()
    assert (task.due_on, list(task.assignees.all())) == (None, [bob])
    client.post(reverse("task_delete", args=[task.pk]))
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"title": ""}, "Say what is to be done."),
        ({"title": "Call", "due_on": "tomorrow"}, "“tomorrow” is not a date"),
    ],
)
def test_a_mistake_is_said_in_words(
    client: Client, lead: Record, values: dict[str, str], words: str
) -> None:
    address = reverse("task_add", args=["leads", lead.pk])
    assert words in text(client.post(address, values, follow=True))
    assert not Task.objects.exists()


def test_ids_that_are_none_are_a_bad_request(client: Client, lead: Record) -> None:
    address = reverse("task_add", args=["leads", lead.pk])
    assert client.post(address, {"title": "x", "assignees": "zzz"}).status_code == 400


@pytest.mark.parametrize("pk", ["nonsense", "task_00000000000000000000000000"])
@pytest.mark.parametrize("name", ["task_tick", "task_edit", "task_delete"])
def test_a_task_that_is_not_there_is_not_found(client: Client, name: str, pk: str) -> None:
    assert client.post(reverse(name, args=[pk])).status_code == 404


def test_who_may_only_see_ticks_off_their_own_and_changes_none(
    lead: Record, ada: User, bob: User
) -> None:
    own = add_task(record=lead, title="Own", assignees=[bob])
    hers = add_task(record=lead, title="Hers", assignees=[ada])
    client = logged_in(bob)
    page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert reverse("task_tick", args=[own.pk]) in page
    assert reverse("task_tick", args=[hers.pk]) not in page
    assert reverse("task_edit", args=[own.pk]) not in page
    assert f"/o/leads/{lead.pk}/tasks/" not in page
    assert client.post(reverse("task_tick", args=[own.pk])).status_code == 302
    assert client.post(reverse("task_tick", args=[hers.pk])).status_code == 403
    assert client.post(reverse("task_edit", args=[own.pk]), {"title": "x"}).status_code == 403
    assert client.post(reverse("task_delete", args=[own.pk])).status_code == 403
    address = reverse("task_add", args=["leads", lead.pk])
    assert client.post(address, {"title": "x"}).status_code == 403
    own.refresh_from_db()
    assert own.done_by == bob


def test_who_may_not_see_the_record_sees_none_of_its_tasks(lead: Record, bob: User) -> None:
    task = add_task(record=lead, title="Secret plan", assignees=[bob])
    bob.groups.clear()
    client = logged_in(User.objects.get(pk=bob.pk))
    assert "Secret plan" not in text(client.get("/"))
    assert client.post(reverse("task_tick", args=[task.pk])).status_code == 403


def test_a_closed_record_gets_no_new_tasks_but_the_old_ones_are_done(
    client: Client, lead: Record, ada: User
) -> None:
    task = add_task(record=lead, title="Call", assignees=[ada])
    close_record(record=lead)
    page = text(client.get(f"/o/leads/{lead.pk}/"))
    assert f"/o/leads/{lead.pk}/tasks/" not in page
    assert reverse("task_tick", args=[task.pk]) in page


def test_the_history_tells_of_tasks(client: Client, lead: Record, ada: User, bob: User) -> None:
    with acting(ada):
        task = add_task(record=lead, title="Call", assignees=[bob])
        update_task(task=task, title="Write", due_on=date(2025, 1, 31))
        complete_task(task=task)
        reopen_task(task=task)
        delete_task(task=task)
    history = text(client.get(f"/o/leads/{lead.pk}/history/"))
    for words in (
        "added the task “Call” for Bob",
        "changed the task “Write”: its title, its date",
        "completed the task “Write”",
        "reopened the task “Write”",
        "deleted the task “Write”",
    ):
        assert f"<strong>Ada</strong> {words}" in history


# --- one's own --------------------------------------------------------------------------------


def test_without_tasks_home_says_where_they_come_from(client: Client, leads: Any) -> None:
    assert "You have nothing to do. Tasks are given on the page of a record" in text(
        client.get("/")
    )


@time_machine.travel(datetime(2025, 1, 15, 10, tzinfo=UTC), tick=False)
def test_home_shows_what_is_urgent_first_and_what_is_late(
    client: Client, lead: Record, ada: User, bob: User
) -> None:
    for title, days, person in (("some day", None, ada), ("late", -1, ada), ("soon", 2, ada)):
        due_on = None if days is None else date(2025, 1, 15) + timedelta(days=days)
        add_task(record=lead, title=f"{title};", assignees=[person], due_on=due_on)
    add_task(record=lead, title="his;", assignees=[bob])
    add_task(record=None, title="plants;", assignees=[ada])
    page = text(client.get("/"))
    places = [page.index(f"{word};") for word in ("late", "soon", "some day", "plants")]
    assert places == sorted(places)
    assert page.count("Late:") == 1
    assert "his;" not in page
    assert f'href="/o/leads/{lead.pk}/#tasks"' in page


def test_who_may_see_no_records_sees_what_they_are_to_do(leads: ObjectDefinition) -> None:
    eve = make_user("eve")
    assert "Your tasks" not in text(logged_in(eve).get("/"))
    add_task(record=None, title="Water the plants", assignees=[eve])
    assert "Water the plants" in text(logged_in(eve).get("/"))


def test_a_tick_at_home_can_be_undone_there_for_a_day(
    client: Client, lead: Record, ada: User
) -> None:
    task = add_task(record=lead, title="Call", assignees=[ada])
    tick = reverse("task_tick", args=[task.pk])
    response = client.post(tick, {"done": "yes", "next": "/#tasks"})
    assert response.url == "/#tasks"
    assert 'aria-checked="true"' in text(client.get("/"))
    client.post(tick, {"done": "no", "next": "//evil.example/"})
    task.refresh_from_db()
    assert not task.is_done
    complete_task(task=task)
    Task.objects.update(done_at=timezone.now() - timedelta(days=2))
    assert "Call" not in text(client.get("/"))


def test_the_tasks_of_deleted_records_are_not_shown_at_home(
    client: Client, lead: Record, ada: User
) -> None:
    add_task(record=lead, title="Call", assignees=[ada])
    delete_record(record=lead)
    assert "Call" not in text(client.get("/"))


def test_home_costs_the_same_however_much_is_to_be_done(
    client: Client, lead: Record, ada: User
) -> None:
    add_task(record=lead, title="Call", assignees=[ada])
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for number in range(MAX_OWN + 3):
        add_task(record=lead, title=f"number {number};", assignees=[ada])
    with CaptureQueriesContext(connection) as many:
        page = text(client.get("/"))
    assert len(many) <= len(few)
    assert page.count('task-title">number ') == MAX_OWN - 1
    assert "there are more" in page


# --- the admin --------------------------------------------------------------------------------


@pytest.fixture
def admin() -> Client:
    return logged_in(User.objects.create_superuser("root", first_name="Root"))


def test_the_admin_adds_and_changes_with_one_event_each(
    admin: Client, lead: Record, ada: User, bob: User
) -> None:
    new = NewEvents()
    values = {"title": "Call", "record": lead.pk, "assignees": [ada.pk], "due_on": "", "note": ""}
    response = admin.post("/admin/records/task/add/", values)
    assert response.status_code == 302
    task = Task.objects.get()
    assert list(task.assignees.all()) == [ada]
    address = f"/admin/records/task/{task.pk}/change/"
    assert admin.get(address).status_code == 200
    values = {**values, "title": "Write", "assignees": [bob.pk]}
    assert admin.post(address, values).status_code == 302
    assert new.types == ["task.created", "task.updated"]
    assert new.list()[1].changed == ["title", "assignees"]
    assert list(task.assignees.all()) == [bob]


def test_the_admin_refuses_who_may_not_see_the_record(admin: Client, lead: Record) -> None:
    eve = make_user("eve")
    values = {"title": "Call", "record": lead.pk, "assignees": [eve.pk]}
    assert "eve may not see Leads" in text(admin.post("/admin/records/task/add/", values))
    delete_record(record=lead)
    values["assignees"] = []
    assert "The record is deleted" in text(admin.post("/admin/records/task/add/", values))


@pytest.mark.parametrize(
    ("action", "done", "words"),
    [
        ("complete_selected", True, "1 task is done."),
        ("reopen_selected", False, "1 task is open again."),
    ],
)
def test_the_admin_ticks_off_in_bulk(
    admin: Client, lead: Record, action: str, done: bool, words: str
) -> None:
    tasks = [add_task(record=lead, title="Call"), add_task(record=None, title="Write")]
    complete_task(task=tasks[0])
    values = {"action": action, "_selected_action": [task.pk for task in tasks]}
    assert words in text(admin.post("/admin/records/task/", values, follow=True))
    assert {task.is_done for task in Task.objects.all()} == {done}


def test_staff_see_and_change_tasks_of_what_they_may(lead: Record) -> None:
    task = add_task(record=lead, title="Secret plan")
    sam = make_user("sam", "view_task", "change_task", is_staff=True)
    assert "Secret plan" not in text(logged_in(sam).get("/admin/records/task/"))
    sue = make_user("sue", "view_task", "change_task", "view_leads", is_staff=True)
    client = logged_in(sue)
    assert "Secret plan" in text(client.get("/admin/records/task/"))
    response = client.post(f"/admin/records/task/{task.pk}/change/", {"title": "x"})
    assert response.status_code == 403


def test_the_admin_deletes_with_events(admin: Client, lead: Record) -> None:
    tasks = [add_task(record=lead, title="Call"), add_task(record=lead, title="Write")]
    new = NewEvents()
    admin.post(f"/admin/records/task/{tasks[0].pk}/delete/", {"post": "yes"})
    values = {"action": "delete_selected", "_selected_action": tasks[1].pk, "post": "yes"}
    admin.post("/admin/records/task/", values)
    assert new.types == ["task.deleted", "task.deleted"]
