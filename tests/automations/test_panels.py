"""What a record's page says of automations, and the links from histories to runs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.html import strip_tags

from automations.models import Run
from automations.panels import runs_of_record
from records.actorlinks import run_url
from records.actors import acting
from records.models import Record, User
from records.panels import panels_for
from records.services import update_record
from tests.automations.making import make_lead, make_leads, run_once, step
from tests.automations.runs_at_hand import a_run, an_automation
from tests.webhooks.jobs_at_hand import a_person

pytestmark = pytest.mark.django_db


def asked_by(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def a_viewer() -> User:
    user = a_person("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_run"))
    return user


def a_worker() -> User:
    return a_person("worker")


def words_of(panel: Any) -> str:
    html = render_to_string(panel.template, {"panel": panel.context})
    return " ".join(strip_tags(html).split())


def a_closed_deal() -> tuple[Record, Run]:
    make_leads()
    run = run_once(
        step("update_record", fields={"status": "Big", "amount": 7}, name_="Mark it"), name="Close deals"
    )  # fmt: skip
    assert run.status == "succeeded", run.reason
    record = Record.objects.get(pk=run.record_id)
    return record, run


def test_it_tells_what_automations_did_to_the_record_and_why() -> None:
    record, run = a_closed_deal()

    panel = runs_of_record(asked_by(a_viewer()), record)

    assert panel is not None
    words = words_of(panel)
    assert "Close deals changed 2 fields because of: Created" in words
    assert "Status: empty → Big" in words
    assert "Succeeded" in words
    html = render_to_string(panel.template, {"panel": panel.context})
    assert f'href="/admin/automations/run/{run.pk}/change/"' in html


def test_who_may_not_see_runs_reads_what_was_done_and_no_more() -> None:
    record, run = a_closed_deal()
    a_run(an_automation("Quiet"), record=record, status="failed", reason="The key was wrong.")

    panel = runs_of_record(asked_by(a_worker()), record)

    assert panel is not None
    html = render_to_string(panel.template, {"panel": panel.context})
    assert "Close deals" in html
    for hidden in (run.pk, "Quiet", "The key was wrong", "Succeeded", 'href="/admin'):
        assert hidden not in html


def test_what_a_run_of_another_record_did_is_told_too() -> None:
    make_leads()
    record, other = make_lead(), make_lead(name="Other")
    run = a_run(an_automation("Merge"), record=other)
    with acting(label="Automation “Merge”", run_id=run.pk, depth=1):
        update_record(record=record, data={"status": "Merged"})

    panel = runs_of_record(asked_by(a_viewer()), record)

    assert panel is not None
    assert "Merge changed Status" in words_of(panel)


def test_runs_that_did_not_fire_and_records_without_runs_say_nothing() -> None:
    make_leads()
    record = make_lead()
    a_run(record=record, status="skipped")

    assert runs_of_record(asked_by(a_viewer()), record) is None


def test_it_costs_the_same_however_many_there_are(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    make_leads()
    record = make_lead()
    version = an_automation()
    request = asked_by(a_viewer())
    request.user.has_perm("automations.view_run")  # now it is known
    for number in range(25):
        run = a_run(version, record=record)
        with acting(label="Automation", run_id=run.pk, depth=1):
            update_record(record=record, data={"status": str(number)})
            record.refresh_from_db()

    with django_assert_num_queries(4):
        panel = runs_of_record(request, record)

    assert panel is not None
    assert len(panel.context["runs"]) == 10
    assert panel.context["more"] == f"/admin/automations/run/?q={record.pk}"


def test_it_is_on_the_pages_of_records_for_people_and_in_the_admin() -> None:
    record, run = a_closed_deal()
    boss = a_person("boss", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)

    assert "Automations" in [panel.title for panel in panels_for(asked_by(boss), record)]
    for address in (
        reverse("record_detail", args=["leads", record.pk]),
        f"/admin/records/record/{record.pk}/change/",
    ):
        response = client.get(address)
        assert f"/admin/automations/run/{run.pk}/change/" in response.content.decode(), address


def test_histories_link_to_the_run_for_those_who_may_see_it() -> None:
    record, run = a_closed_deal()
    address = f"/admin/automations/run/{run.pk}/change/"
    viewer, worker = a_viewer(), a_worker()

    assert run_url(asked_by(viewer), run.pk) == address
    assert run_url(asked_by(worker), run.pk) == ""
    assert run_url(asked_by(viewer), None) == ""
    client = Client()
    client.force_login(a_person("boss", is_staff=True, is_superuser=True))
    html = client.get(f"/admin/records/record/{record.pk}/history/").content.decode()
    assert f'<a href="{address}" title="Open the run">Automation “Close deals”</a>' in html
