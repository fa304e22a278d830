"""The main job, end to end, as a person does it: a lead is edited in a web form, its request arrives, the admin
shows the job; another job fails, and is retried once its destination works."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from records.models import Event, Record
from tests.waiting import wait_until
from webhooks.demo import load_demo
from webhooks.models import InboundEndpoint, JobStatus, RequestLog, Webhook, WebhookJob

HISTORY = "/admin/webhooks/webhookjob/"


@pytest.fixture
def demo(settings: Any, transactional_db: None) -> None:
    settings.DEBUG = True  # the demo logins exist only there
    load_demo()
    settings.DEBUG = False


@pytest.fixture
def lead(demo: None, site: LiveServer) -> Record:
    """A lead of the demo, once everything that the demo itself caused has been tried."""
    untried = WebhookJob.objects.open().exclude(attempts__gt=0, status=JobStatus.PENDING)
    wait_until(lambda: not Event.objects.undispatched().exists() and not untried.exists())
    return Record.objects.filter(object__slug="leads").latest("id")


def open_job(page: Page, job: WebhookJob) -> None:
    page.goto(f"{HISTORY}{job.pk}/change/")


def test_an_edited_lead_reaches_the_inspector_and_its_job_shows_both_sides(
    page: Page, lead: Record, log_in: Callable[[str, str], None]
) -> None:
    log_in("demo", "demo")
    page.get_by_role("link", name="Leads").first.click()
    page.get_by_role("link", name=lead.title).click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Phone").fill("+49 30 987654")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("+49 30 987654").first).to_be_visible()

    job = wait_until(
        lambda: WebhookJob.objects.filter(
            record=lead, event_name="record.updated", status=JobStatus.SUCCEEDED
        ).first()
    )
    arrived = wait_until(lambda: RequestLog.objects.filter(direction="in").latest("id"))
    assert ["Webhook-Id", job.pk] in arrived.request_headers

    page.context.clear_cookies()
    log_in("admin", "demo")
    page.goto(HISTORY)
    row = page.get_by_role("row").filter(has_text=lead.title).first
    expect(row).to_contain_text("200 OK")
    row.get_by_role("link", name="200 OK").click()
    expect(page.get_by_role("heading", name="What was sent")).to_be_visible()
    expect(page.get_by_text("Attempt 1").first).to_be_visible()
    expect(page.get_by_text(job.pk).first).to_be_visible()


def test_a_failed_job_is_retried_and_succeeds_once_its_destination_works(
    page: Page, lead: Record, log_in: Callable[[str, str], None]
) -> None:
    job = WebhookJob.objects.failures().filter(run_id=None).first()
    assert job is not None
    log_in("admin", "demo")
    page.goto(f"{HISTORY}?tab=failures")
    expect(page.get_by_role("row").filter(has_text=job.webhook_name).first).to_be_visible()
    open_job(page, job)
    page.get_by_role("link", name="Edit and retry").click()
    inspector = InboundEndpoint.objects.get(answer_status=200)
    page.get_by_label("URL").fill(inspector.url)
    page.get_by_role("button", name="Save and send").click()
    wait_until(lambda: WebhookJob.objects.get(pk=job.pk).status == JobStatus.SUCCEEDED)
    open_job(page, job)
    expect(page.get_by_text("200 OK").first).to_be_visible()
    expect(page.get_by_text("Edited").first).to_be_visible()


def test_retry_puts_a_failed_job_back_and_two_clicks_send_once(
    page: Page, lead: Record, log_in: Callable[[str, str], None]
) -> None:
    job = WebhookJob.objects.failures().filter(run_id=None).first()
    assert job is not None
    log_in("admin", "demo")
    open_job(page, job)
    page.get_by_role("button", name="Retry").dblclick()
    wait_until(lambda: WebhookJob.objects.get(pk=job.pk).attempts == 2)
    wait_until(lambda: WebhookJob.objects.get(pk=job.pk).status == JobStatus.FAILED)
    assert RequestLog.objects.filter(job=job).count() == 2


def test_the_pending_tab_shows_when_the_next_attempt_comes(
    page: Page, lead: Record, log_in: Callable[[str, str], None]
) -> None:
    webhook = Webhook.objects.get(jobs__in=WebhookJob.objects.open()[:1])
    log_in("admin", "demo")
    page.goto(f"{HISTORY}?tab=pending")
    row = page.get_by_role("row").filter(has_text=webhook.name).first
    expect(row).to_contain_text("1 of 4")
    expect(row).to_contain_text("in ")


def test_the_first_steps_tick_themselves_off(
    page: Page, lead: Record, log_in: Callable[[str, str], None]
) -> None:
    log_in("admin", "demo")
    page.goto("/admin/")
    page.get_by_role("link", name="Edit ").first.click()
    page.get_by_label("Phone").fill("+49 30 111111")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("+49 30 111111").first).to_be_visible()
    page.goto("/admin/")
    page.get_by_role("link", name="Open the job").click()
    expect(page.get_by_role("heading", name="What was sent")).to_be_visible()
    page.goto("/admin/")
    page.get_by_role("link", name="Open the inspector").click()
    expect(page.get_by_text('"phone"').first).to_be_visible()


def test_an_unknown_name_in_a_webhook_is_refused_with_the_one_that_was_meant(
    page: Page, lead: Record, log_in: Callable[[str, str], None]
) -> None:
    webhook = Webhook.objects.get(name__startswith="New lead")
    log_in("admin", "demo")
    page.goto(f"/admin/webhooks/webhook/{webhook.pk}/change/")
    page.locator("[name=filter]").fill("record.estimated_valu > 10000")
    expect(page.get_by_text("did you mean").first).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("estimated_value").first).to_be_visible()
    webhook.refresh_from_db()
    assert webhook.filter == ""
