"""A job's page: what was sent, each attempt, what people did, and what it comes from."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from records.ids import new_id
from tests.webhooks.admin_jobs.pages import LIST, of, page, refresh
from tests.webhooks.jobs_at_hand import (
    a_failed_job,
    a_job,
    a_person,
    a_record,
    a_webhook,
    an_attempt,
    an_event,
)
from webhooks.models import JobChange
from webhooks.models.destinations import Destination

pytestmark = pytest.mark.django_db


def test_a_job_tells_what_was_sent_and_what_came_back(boss: Client) -> None:
    record = a_record("Grace Hopper")
    job = a_failed_job(
        record=record,
        event=an_event(record, actor_label="Ada Byron"),
        headers=[
            ["Content-Type", "application/json"],
            ["Authorization", "Bearer sk_live_1234567890abcdef"],
        ],
        body='{"amount":1.50,"ok":true}',
        status_code=422,
    )
    for number in (1, 2):
        an_attempt(
            job,
            number,
            status_code=422,
            response_headers=[["Server", "nginx"]],
            response_body='{"error":"no such lead"}',
        )

    html = page(boss, of(job))

    for words in (
        "422 Unprocessable", "https://api.example.com/leads", "Attempt 1", "Attempt 2", "nginx", "93.184.216.34:443",
        "no such lead", "Ada Byron", "Grace Hopper", "All attempts are used up.", "values wrong",
        f"/admin/records/event/{job.event_id}/change/", f"/o/leads/{record.pk}/", "Copy as curl",
    ):  # fmt: skip
        assert words in html, words
    assert (
        '<span class="json-number">1.50</span>' in html
    )  # as it was sent, not as Python would write it
    assert html.index("Attempt 2") < html.index("Attempt 1")
    assert html.count('<details class="jobs-card jobs-step"') == 2


def test_credentials_are_not_shown_but_can_be_copied_by_those_who_may_change_them(
    boss: Client, viewer: Client
) -> None:
    job = a_failed_job(headers=[["Authorization", "Bearer sk_live_1234567890abcdef"]])

    assert page(boss, of(job)).count("sk_live_1234567890abcdef") == 1  # in the curl command
    assert "sk_live_1234567890abcdef" not in page(viewer, of(job))


def test_a_secret_by_name_is_shown_by_name(boss: Client) -> None:
    job = a_failed_job(headers=[["Authorization", "Bearer {{ secrets.crm }}"]])

    assert page(boss, of(job)).count("{{ secrets.crm }}") == 2


def test_what_people_did_stands_between_the_attempts(boss: Client) -> None:
    job = a_failed_job()
    an_attempt(job, 1, status_code=500, started_at=timezone.now() - timedelta(minutes=2))
    JobChange.objects.create(
        job=job,
        action="edited",
        actor=a_person("grace"),
        changes={"body": ["old words", "new words"]},
    )
    an_attempt(job, 2, status_code=500, started_at=timezone.now() + timedelta(minutes=2))

    html = page(boss, of(job))

    assert html.index("Attempt 2") < html.index("Edited and retried") < html.index("Attempt 1")
    for words in ("grace", "old words", "new words"):
        assert words in html


def test_a_request_that_could_not_be_made_says_so(boss: Client) -> None:
    webhook = a_webhook()
    job = a_failed_job(
        webhook=webhook,
        error_kind="template",
        error="URL: `record.nmae`: Leads has no field `nmae`",
        status_code=None,
        attempts=0,
    )

    html = page(boss, of(job))

    assert "<code>record.nmae</code>" in html
    assert "What could not be made" in html
    assert "Copy as curl" not in html
    assert f"/admin/webhooks/webhook/{webhook.pk}/change/" in html


def test_a_job_that_waits_for_its_destination_says_so(boss: Client) -> None:
    job = a_job(attempts=1, status_code=500)
    Destination.objects.create(lane=job.lane, circuit="open", failures=12)

    html = page(boss, of(job))
    assert "is paused since" in html
    assert "after 12 failures" in html


def test_a_job_that_waits_for_its_turn_says_so_and_leads_to_the_first(boss: Client) -> None:
    first = a_job(order_key="a")
    second = a_job(order_key="a")

    assert of(first) in page(boss, of(second))
    assert "an earlier job" not in page(boss, of(first))


def test_a_job_without_webhook_event_and_record_has_a_page(boss: Client) -> None:
    assert "The event is gone." in page(boss, of(a_failed_job()))


@pytest.mark.parametrize("status", ["pending", "sending", "succeeded", "failed", "cancelled"])
def test_the_buttons_follow_the_status(boss: Client, viewer: Client, status: str) -> None:
    job = a_job(status=status)
    html = page(boss, of(job))

    has = {name for name in ("retry", "edit", "cancel") if f'id="{name}"' in html}
    assert (
        has
        == {
            "pending": {"retry", "edit", "cancel"},
            "sending": set(),
            "succeeded": set(),
            "failed": {"retry", "edit"},
            "cancelled": {"retry"},
        }[status]
    )
    assert not re.search(r'id="(retry|edit|cancel)"', page(viewer, of(job)))


@pytest.mark.parametrize("pk", ["x", "job_", new_id("job"), new_id("rec"), "1", "job_%00", "%27"])
@pytest.mark.parametrize("what", ["change", "edit"])
def test_a_job_that_is_not_there_leads_to_the_list(boss: Client, pk: str, what: str) -> None:
    response = boss.get(f"{LIST}{pk}/{what}/", follow=True)

    assert response.redirect_chain[-1][0] == LIST
    assert "There is no webhook job" in response.content.decode()


def test_a_job_with_many_attempts_takes_as_many_queries_as_one_with_few(boss: Client) -> None:
    job = a_failed_job(event=an_event())

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            refresh(boss, of(job))
        return len(counted)

    an_attempt(job)
    page(boss, of(job))
    few = queries()
    for number in range(2, 60):
        an_attempt(job, number)
        JobChange.objects.create(job=job, action="retried", actor=a_person(f"p{number}"))
        a_job(event=job.event)
    assert queries() == few
    assert "earlier steps are not shown" in page(boss, of(job))
