"""Failures are grouped by their cause, when they happen and when somebody looks."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from records.models import User
from tests.webhooks.jobs_at_hand import a_failed_job, a_job, a_webhook
from tests.webhooks.making import answer, make_job, no_answer
from webhooks.claims import claim_jobs
from webhooks.failures import causes_since, note_failed_jobs
from webhooks.models import FailureGroup, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished, record_outcomes

pytestmark = pytest.mark.django_db

TOKEN = uuid.uuid4()
URL = "http://127.0.0.1:9/hook"


def finish_all(outcome):
    jobs = claim_jobs(token=TOKEN, limit=100, room=lambda lane: 100).jobs
    record_outcomes(TOKEN, [Finished(job, outbound_request(job), outcome) for job in jobs])


@pytest.fixture
def client():
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def page(client, **query):
    response = client.get(reverse("admin:webhooks_failuregroup_changelist"), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


# --- as they happen --------------------------------------------------------------------------


def test_jobs_that_fail_for_good_are_counted_in_their_group():
    hook = a_webhook()
    for _ in range(3):
        make_job(URL, webhook=hook, webhook_name=hook.name, retry_delays_s=[])
    finish_all(answer(503))
    make_job(URL, webhook=hook, webhook_name=hook.name, retry_delays_s=[])
    finish_all(no_answer("timeout"))
    groups = {(g.error_kind, g.status_code): g for g in FailureGroup.objects.all()}
    assert groups.keys() == {("", 503), ("timeout", None)}
    assert (groups["", 503].count, groups["", 503].unmailed, groups["", 503].webhook) == (
        3,
        3,
        hook,
    )
    assert groups["", 503].last_job_id in set(WebhookJob.objects.values_list("pk", flat=True))


def test_what_will_be_tried_again_is_no_failure_yet():
    make_job(URL)
    finish_all(answer(503))
    assert not FailureGroup.objects.exists()


def test_tests_are_not_counted():
    make_job(URL, is_test=True, retry_delays_s=[])
    finish_all(answer(503))
    assert not FailureGroup.objects.exists()


def test_a_group_grows_and_remembers_when_it_was_first_seen():
    job = a_failed_job()
    then = timezone.now() - timedelta(days=2)
    note_failed_jobs([job.pk], then)
    note_failed_jobs([job.pk], timezone.now())
    group = FailureGroup.objects.get()
    assert (group.count, group.first_seen_at) == (2, then)
    assert group.last_seen_at > then


def test_webhooks_that_are_gone_are_told_apart_by_name():
    ids = [a_failed_job(webhook_name=name).pk for name in ("One", "Two")]
    note_failed_jobs(ids, timezone.now())
    assert set(FailureGroup.objects.values_list("webhook_name", flat=True)) == {"One", "Two"}


def test_noting_costs_the_same_for_many_jobs(django_assert_num_queries):
    ids = [a_failed_job().pk for _ in range(50)]
    note_failed_jobs(ids[:1], timezone.now())
    # The transaction's two among them, and the two questions whether anybody listens.
    with django_assert_num_queries(7):
        note_failed_jobs(ids, timezone.now())


# --- when somebody looks ---------------------------------------------------------------------


def test_causes_are_counted_with_their_first_and_last():
    hook = a_webhook()
    now = timezone.now()
    for hours in (5, 3, 1):
        a_failed_job(webhook=hook, status_code=503, finished_at=now - timedelta(hours=hours))
    latest = a_failed_job(webhook=hook, status_code=None, error_kind="timeout")
    causes = causes_since(None).causes
    assert [(c.count, c.error_kind, c.status_code) for c in causes] == [
        (3, "", 503),
        (1, "timeout", None),
    ]
    assert causes[0].first_seen_at == now - timedelta(hours=5)
    assert causes[0].last_seen_at == now - timedelta(hours=1)
    assert causes[1].last_job_id == latest.pk


def test_a_renamed_webhook_is_one_cause():
    hook = a_webhook()
    a_failed_job(webhook=hook, webhook_name="Old name")
    a_failed_job(webhook=hook, webhook_name="New name")
    (cause,) = causes_since(None).causes
    assert (cause.count, cause.webhook_name) == (2, "New name")


def test_only_the_newest_are_looked_at_and_it_says_so(monkeypatch):
    monkeypatch.setattr("webhooks.failures.SCAN_CAP", 3)
    for _ in range(5):
        a_failed_job()
    found = causes_since(None)
    assert found.count == 3
    assert found.looked_back_to is not None


# --- the page --------------------------------------------------------------------------------


def test_the_page_says_what_to_do_and_leads_on(client):
    hook = a_webhook(name="Notify <CRM>")
    for _ in range(3):
        job = a_failed_job(webhook=hook, webhook_name=hook.name, status_code=401)
    a_job(webhook=hook)
    html = page(client)
    assert "Notify &lt;CRM&gt;" in html
    assert "401 Unauthorized" in html
    assert "The receiver wants a valid login." in html
    assert f"webhook={hook.pk}&amp;status=401" in html
    assert f"tab=failures&amp;webhook={hook.pk}&amp;status=4xx&amp;time=24h" in html
    assert reverse("admin:webhooks_webhookjob_change", args=[job.pk]) in html


@pytest.mark.parametrize("window", ["24h", "7d", "all", "nonsense", "\0"])
def test_any_window_has_a_page(client, window):
    assert "No failures" in page(client, window=window)


def test_the_page_costs_the_same_for_many(client, django_assert_max_num_queries):
    a_failed_job(webhook=a_webhook())
    with django_assert_max_num_queries(30) as few:
        page(client)
    for number in range(20):
        a_failed_job(webhook=a_webhook(name=f"Hook {number}"), status_code=500 + number)
    with django_assert_max_num_queries(len(few)):
        page(client)


def test_who_may_not_see_jobs_may_not_see_their_failures():
    client = Client()
    client.force_login(User.objects.create_user("vera", password="secret", is_staff=True))
    assert client.get(reverse("admin:webhooks_failuregroup_changelist")).status_code == 403
