"""Pages: who gets in, who sees what, lists, a record's page and its history, files, errors."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.views.defaults import server_error

from records import panels
from records.actors import acting
from records.forms import save_upload
from records.models import FieldDefinition, ObjectDefinition, Record, User
from records.permissions import ACTIONS
from records.services import (
    close_record,
    delete_record,
    move_stage,
    quarantine_record,
    update_record,
)
from tests.records.leads import make_lead, make_leads, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def viewer(leads: ObjectDefinition) -> User:
    return make_user("vera", "view_leads", first_name="Vera")


@pytest.fixture
def client(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- getting in ------------------------------------------------------------------------------


def test_people_log_in_at_the_root(leads: ObjectDefinition, viewer: User) -> None:
    client = Client()
    page = client.get("/")
    assert page.status_code == 200
    assert "Log in" in text(page)
    response = client.post(
        reverse("login"), {"username": "vera", "password": "secret"}, follow=True
    )
    assert response.redirect_chain == [("/", 302)]
    assert "Welcome, Vera" in text(response)


def test_a_wrong_password_is_told(viewer: User) -> None:
    response = Client().post(reverse("login"), {"username": "vera", "password": "wrong"})
    assert "correct username and password" in text(response)


def test_after_logging_in_one_is_where_one_wanted_to_be(
    leads: ObjectDefinition, viewer: User
) -> None:
    client = Client()
    asked = client.get("/o/leads/?stage=won", follow=True)
    assert "Log in" in text(asked)
    login = {"username": "vera", "password": "secret", "next": "/o/leads/?stage=won"}
    assert client.post(reverse("login"), login)["Location"] == "/o/leads/?stage=won"


def test_logging_out_is_a_post(client: Client) -> None:
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert "Log in" in text(client.get("/"))


def test_the_password_can_be_changed(client: Client, viewer: User) -> None:
    assert "Change password" in text(client.get(reverse("password_change")))
    new = "a-long-new-password-9"
    response = client.post(
        reverse("password_change"),
        {"old_password": "secret", "new_password1": new, "new_password2": new},
        follow=True,
    )
    assert "Your password has been changed." in text(response)
    viewer.refresh_from_db()
    assert viewer.check_password(new)


def _pages(record: Record) -> list[str]:
    return [
        reverse("record_list", args=["leads"]),
        reverse("record_deleted", args=["leads"]),
        reverse("record_new", args=["leads"]),
        reverse("record_detail", args=["leads", record.pk]),
        reverse("record_history", args=["leads", record.pk]),
        reverse("record_edit", args=["leads", record.pk]),
    ]


def test_without_login_there_is_nothing_to_see(leads: ObjectDefinition) -> None:
    for page in _pages(make_lead(leads, "Ada")):
        response = Client().get(page)
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("login"))


# --- permissions -----------------------------------------------------------------------------


def test_each_page_asks_for_its_own_permission(leads: ObjectDefinition) -> None:
    record = make_lead(leads, "Ada")
    needs = dict(
        zip(_pages(record), ("view", "view", "add", "view", "view", "change"), strict=True)
    )
    for action in ACTIONS:
        client = Client()
        client.force_login(make_user(f"can_{action}", f"{action}_leads"))
        for page, needed in needs.items():
            allowed = action == needed or (action == "change" and needed == "view")
            assert client.get(page).status_code == (200 if allowed else 403), (action, page)


def test_only_what_one_may_see_is_in_the_sidebar_and_on_the_first_page(
    leads: ObjectDefinition, client: Client
) -> None:
    page = text(client.get("/"))
    assert "/o/leads/" in page
    assert "/o/companies/" not in page
    assert "/o/leads/new/" not in page


def test_staff_find_the_admin(leads: ObjectDefinition, client: Client) -> None:
    assert 'href="/admin/"' not in text(client.get("/"))
    client.force_login(User.objects.create_user("stan", is_staff=True))
    assert 'href="/admin/"' in text(client.get("/"))


def test_who_may_see_nothing_is_told_so(leads: ObjectDefinition) -> None:
    client = Client()
    client.force_login(User.objects.create_user("nemo"))
    assert "You have no permission to see any records" in text(client.get("/"))


def test_links_lead_only_to_what_one_may_see(leads: ObjectDefinition, client: Client) -> None:
    companies = ObjectDefinition.objects.get(slug="companies")
    company = make_lead(companies, "Acme")
    record = make_lead(leads, "Ada", company=company.pk)
    page = reverse("record_detail", args=["leads", record.pk])
    assert "Acme" in text(client.get(page))
    assert company.pk not in text(client.get(page))
    client.force_login(User.objects.create_superuser("root"))
    assert f"/o/companies/{company.pk}/" in text(client.get(page))


# --- lists -----------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_do_first(leads: ObjectDefinition, client: Client) -> None:
    assert "No leads yet" in text(client.get("/o/leads/"))
    client.force_login(make_user("adam", "view_leads", "add_leads"))
    page = text(client.get("/o/leads/"))
    assert "Fill in the form for the first one" in page
    assert "/o/leads/new/" in page


def test_the_list_shows_values_as_people_read_them(leads: ObjectDefinition, client: Client) -> None:
    make_lead(leads, "Ada", value=1234.5, source="fair", stage="contacted", state="draft")
    page = text(client.get("/o/leads/"))
    for expected in ("Ada", "1,234.50 EUR", "Trade fair", "Contacted", "Draft", "1 lead"):
        assert expected in page


def test_set_filters_are_shown_and_can_be_lifted(leads: ObjectDefinition, client: Client) -> None:
    make_lead(leads, "Ada", value=5)
    page = text(client.get("/o/leads/?q=ada&f.value.from=1&sort=title"))
    assert "Value from 1" in page
    assert 'href="?q=ada&amp;sort=title"' in page


def test_nothing_found_offers_the_way_back(leads: ObjectDefinition, client: Client) -> None:
    make_lead(leads, "Ada")
    page = text(client.get("/o/leads/?q=nobody"))
    assert "No leads match “nobody”" in page
    assert "Show all leads" in page


def test_a_column_sorts_and_then_turns_around(leads: ObjectDefinition, client: Client) -> None:
    make_lead(leads, "Ada")
    assert 'href="?sort=f.value"' in text(client.get("/o/leads/"))
    page = text(client.get("/o/leads/?sort=f.value"))
    assert 'aria-sort="ascending"' in page
    assert 'href="?sort=-f.value"' in page


def test_the_next_page_keeps_search_and_order(leads: ObjectDefinition, client: Client) -> None:
    for number in range(51):
        make_lead(leads, f"Lead {number:02}")
    first = client.get("/o/leads/?q=lead&sort=title")
    assert "Lead 49" in text(first)
    assert "Lead 50" not in text(first)
    second = client.get("/o/leads/" + first.context["next_link"])
    assert [record.title for record, _, _ in second.context["rows"]] == ["Lead 50"]
    third = client.get("/o/leads/" + second.context["previous_link"])
    assert len(third.context["rows"]) == 50
    assert third.context["previous_link"] == ""


@pytest.mark.parametrize(
    "query",
    [
        "page=%00",
        "page=W10",
        "sort=%00&page=%FF",
        "q=%00%ED%A0%80",
        "f.value.from=%00&stage=%00&owner=%00",
        "f.due.from=%E2%80%AE&f.met.to=99999-01-01",
        "q=" + "a" * 3000,
        "&".join(f"f.x{number}=1" for number in range(300)),
    ],
)
def test_hostile_query_strings_get_a_list(
    leads: ObjectDefinition, client: Client, query: str
) -> None:
    make_lead(leads, "Ada")
    assert client.get(f"/o/leads/?{query}").status_code == 200
    assert client.get(f"/o/leads/deleted/?{query}").status_code == 200


@pytest.mark.parametrize("path", ["/o/leads/", "/"])
def test_pages_cost_the_same_number_of_queries_however_many_rows(
    leads: ObjectDefinition, client: Client, path: str
) -> None:
    company = make_lead(ObjectDefinition.objects.get(slug="companies"), "Acme")
    FieldDefinition.objects.filter(slug__in=["company", "manager"]).update(in_list=True)
    user = User.objects.get(username="vera")

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(path).status_code == 200
        return len(found)

    make_lead(leads, "Ada", company=company.pk, manager=user.pk, owner=user)
    client.get(path)  # the schema is remembered from now on
    few = queries()
    for number in range(20):
        make_lead(leads, f"Lead {number}", company=company.pk, manager=user.pk, owner=user)
    assert queries() == few <= 14


# --- a record's page -------------------------------------------------------------------------


def detail(record: Record) -> str:
    return reverse("record_detail", args=[record.object.slug, record.pk])


def test_values_are_escaped(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "<script>alert(1)</script>", notes="<img src=x>", extra={"a": "<b>"})
    for page in (text(client.get(detail(record))), text(client.get("/o/leads/"))):
        assert "<script>alert" not in page
        assert "<img src=x>" not in page
        assert "<b>" not in page


def test_only_possible_and_permitted_actions_are_offered(leads: ObjectDefinition) -> None:
    record = make_lead(leads, "Ada", state="draft")
    buttons = {
        name: reverse(f"record_{name}", args=["leads", record.pk])
        for name in ("edit", "submit", "close", "reopen", "move", "delete", "restore")
    }

    numbers = count()

    def offered(*permissions: str) -> set[str]:
        client = Client()
        client.force_login(make_user(f"user {next(numbers)}", *permissions))
        page = text(client.get(detail(record)))
        return {name for name, address in buttons.items() if f'"{address}"' in page} - (
            set() if 'name="stage"' in page else {"move"}
        )

    everything = ("view_leads", "change_leads", "move_leads", "close_leads", "delete_leads")
    assert offered("view_leads") == set()
    assert offered(*everything) == {"edit", "submit", "move", "delete"}
    record = update_record(record=record, state="submitted")
    assert offered(*everything) == {"edit", "close", "move", "delete"}
    assert offered("view_leads", "move_leads") == {"move"}
    assert offered("view_leads", "close_leads") == {"close"}
    record = close_record(record=record)
    assert offered(*everything) == {"reopen", "delete"}
    record = delete_record(record=record)
    assert offered(*everything) == {"restore"}


def test_a_quarantined_record_says_why(leads: ObjectDefinition, client: Client) -> None:
    record = quarantine_record(record=make_lead(leads, "Ada"), reason="The CRM refused it")
    assert "The CRM refused it" in text(client.get(detail(record)))


def test_the_history_tells_who_did_what(leads: ObjectDefinition, client: Client) -> None:
    sam = User.objects.create_user("sam", first_name="Sam")
    with acting(sam):
        record = make_lead(leads, "Ada", state="draft", source="web")
        update_record(record=record, data={"value": 7, "source": "fair"})
        update_record(record=record, state="submitted")
    with acting(label="Automation “Welcome”"):
        move_stage(record=record, stage="contacted")
    with acting(sam):
        update_record(record=record, owner=sam)
        close_record(record=record)
        delete_record(record=record)

    history = client.get(detail(record)).context["history"].entries

    assert [(entry.actor, entry.what) for entry in history] == [
        ("Sam", "deleted this"),
        ("Sam", "closed this"),
        ("Sam", "made Sam the owner"),
        ("Automation “Welcome”", "moved this from New to Contacted"),
        ("Sam", "submitted this"),
        ("Sam", "saved the draft, 2 fields changed"),
        ("Sam", "started this as a draft"),
    ]
    changes = [(change.label, change.old, change.new) for change in history[-2].changes]
    assert changes == [("Value", "", "7.00 EUR"), ("Source", "Website", "Trade fair")]


def test_a_long_history_has_pages(leads: ObjectDefinition, client: Client) -> None:
    record = make_lead(leads, "Ada")
    for number in range(20):
        update_record(record=record, data={"employees": number})
    with CaptureQueriesContext(connection) as found:
        first = client.get(detail(record))
    assert len(found) <= 20
    assert len(first.context["history"].entries) == 15
    older = reverse("record_history", args=["leads", record.pk])
    cursor = first.context["history"].page.next
    assert f"{older}?page={cursor}" in text(first)
    second = client.get(older, {"page": cursor})
    assert len(second.context["history"].entries) == 6
    assert second.context["history"].entries[-1].what == "created this"
    assert len(client.get(older, {"page": "nonsense"}).context["history"].entries) == 15


def test_other_apps_add_panels(
    leads: ObjectDefinition, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panels, "_makers", [])

    @panels.register
    def empty(request: HttpRequest, record: Record) -> panels.Panel | None:
        return None

    @panels.register
    def broken(request: HttpRequest, record: Record) -> panels.Panel | None:
        raise RuntimeError("broken")

    @panels.register
    def full(request: HttpRequest, record: Record) -> panels.Panel | None:
        return panels.Panel("records/_messages.html", {}, title=f"Deliveries of {record.title}")

    assert "Deliveries of Ada" in text(client.get(detail(make_lead(leads, "Ada"))))


# --- files -----------------------------------------------------------------------------------


def test_a_file_is_given_to_who_may_see_its_record(leads: ObjectDefinition, client: Client) -> None:
    upload = save_upload(SimpleUploadedFile("ä; contract.html", b"<script>", "text/html"), None)
    address = reverse("file_download", args=[upload.pk])
    assert client.get(address).status_code == 404, "no record holds it yet"
    record = make_lead(leads, "Ada", contract=upload.pk)
    assert address in text(client.get(detail(record)))

    response = client.get(address)

    assert b"".join(response) == b"<script>"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    stranger = Client()
    stranger.force_login(make_user("nora", "view_companies"))
    assert stranger.get(address).status_code == 404
    assert Client().get(address).status_code == 302
    update_record(record=record, data={"contract": None})
    assert client.get(address).status_code == 404


def test_a_file_that_is_lost_is_not_found(leads: ObjectDefinition, client: Client) -> None:
    upload = save_upload(SimpleUploadedFile("a.txt", b"a"), None)
    make_lead(leads, "Ada", contract=upload.pk)
    Path(upload.file.path).unlink()
    assert client.get(reverse("file_download", args=[upload.pk])).status_code == 404
    assert client.get(reverse("file_download", args=["nonsense"])).status_code == 404


# --- errors ----------------------------------------------------------------------------------


def test_what_is_not_there_is_a_page_in_our_look(leads: ObjectDefinition, client: Client) -> None:
    other = make_lead(ObjectDefinition.objects.get(slug="companies"), "Acme")
    for path in (
        "/o/nothing/",
        "/o/leads/rec_nonsense/",
        "/o/leads/rec_00000000000000000000000000/",
        "/o/leads/%00/",
        f"/o/leads/{other.pk}/",
        f"/o/leads/{other.pk}/edit/",
        "/nowhere",
    ):
        response = client.get(path)
        assert response.status_code in (404, 403), path
        assert "Go to the start" in text(response)


def test_the_page_for_our_own_faults_needs_nothing(client: Client) -> None:
    page = server_error(HttpRequest())
    assert page.status_code == 500
    assert "Something went wrong on our side" in page.content.decode()


def test_pages_are_not_kept_for_others(client: Client) -> None:
    assert client.get("/")["Cache-Control"] == "private, no-cache"
