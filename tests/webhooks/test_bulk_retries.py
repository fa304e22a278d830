"""Bulk retries: everything that failed for a cause, once each, little by little, whoever dies meanwhile."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from records.models import User
from tests.webhooks.jobs_at_hand import a_failed_job, a_job, a_person, a_webhook, id_of_age
from webhooks import bulk_retries
from webhooks.bulk_retries import (
    Outcomes,
    cancel_bulk_retry,
    go_on_with_bulk_retries,
    outcomes_of,
    start_bulk_retry,
)
from webhooks.models import BulkRetry, Destination, JobChange, WebhookJob
from webhooks.retry_filters import RetryFilter, preview_of
from webhooks.services import retry_jobs

pytestmark = pytest.mark.django_db

LANE = "https://api.example.com:443"
OTHER = "https://other.example.com:443"


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    monkeypatch.setattr(bulk_retries, "BATCH_SIZE", 4)
    monkeypatch.setattr(bulk_retries, "WINDOW", 3)
    monkeypatch.setattr(bulk_retries, "STEP_BUDGET_S", 60.0)


def failed(count=1, **values):
    return [a_failed_job(**values).pk for _ in range(count)]


def start(actor=None, **which):
    return start_bulk_retry(which=RetryFilter(**(which or {"lane": LANE})), actor=actor)


def step():
    """One step, as if a second had passed."""
    BulkRetry.objects.update(step_at=timezone.now() - timedelta(seconds=1))
    return go_on_with_bulk_retries()


def run(bulk, steps=50):
    for _ in range(steps):
        step()
        bulk.refresh_from_db()
        if not bulk.is_running:
            return bulk
    pytest.fail("It does not come to an end.")


def pending(**values):
    return set(WebhookJob.objects.filter(status="pending", **values).values_list("pk", flat=True))


def fail_again():
    """What was put back is sent, and fails."""
    now = timezone.now() + timedelta(milliseconds=1)
    WebhookJob.objects.filter(status="pending").update(
        status="failed", next_attempt_at=None, finished_at=now
    )


# --- which jobs ------------------------------------------------------------------------------


def test_everything_that_fits_is_retried_and_nothing_else():
    wanted = failed(10)
    others = [*failed(3, lane=OTHER), a_job(status="cancelled").pk, a_job(status="succeeded").pk]
    bulk = run(start())
    assert (bulk.status, bulk.total, bulk.done, bulk.left) == ("finished", 10, 10, 0)
    assert pending() == set(wanted)
    assert not WebhookJob.objects.filter(pk__in=others, status="pending").exists()


@pytest.mark.parametrize(
    ("which", "fits", "fits_not"),
    [
        ({"error_kind": "timeout"}, {"error_kind": "timeout"}, {"error_kind": "dns"}),
        ({"http_status": "503"}, {"status_code": 503}, {"status_code": 500}),
        ({"http_status": "5xx"}, {"status_code": 599}, {"status_code": 404}),
        ({"lane": LANE, "http_status": "4xx"}, {"status_code": 404}, {"status_code": 500}),
    ],
)
def test_a_filter_is_a_cause(which, fits, fits_not):
    wanted = failed(2, **fits)
    failed(2, **fits_not)
    run(start(**which))
    assert pending() == set(wanted)


def test_a_webhook_that_is_deleted_meanwhile_does_not_widen_the_filter():
    hook = a_webhook()
    failed(2, webhook=hook)
    bulk = start(webhook_id=hook.pk)
    hook.delete()
    run(bulk)
    assert pending() == set()


def test_since_is_when_it_failed_and_not_when_it_was_made():
    now = timezone.now()
    old_but_failed_lately = a_failed_job(
        id=id_of_age(timedelta(days=3)), finished_at=now - timedelta(minutes=5)
    )
    failed(2, finished_at=now - timedelta(days=2))
    run(start(lane=LANE, since=now - timedelta(hours=1)))
    assert pending() == {old_but_failed_lately.pk}


def test_what_fails_after_the_beginning_is_not_retried():
    failed(6)
    bulk = start()
    step()
    late = failed(2, finished_at=timezone.now() + timedelta(seconds=5))
    run(bulk)
    assert not pending() & set(late)


def test_what_fails_after_the_preview_is_not_retried_either():
    first = failed(2)
    asked_at = timezone.now()
    failed(2, finished_at=asked_at + timedelta(milliseconds=5))
    run(start(lane=LANE, until=asked_at + timedelta(milliseconds=1)))
    assert pending() == set(first)


def test_no_job_is_retried_twice_although_it_fails_again_at_once():
    failed(10)
    bulk = start()
    for _ in range(20):
        step()
        fail_again()
    bulk.refresh_from_db()
    assert (bulk.status, bulk.done) == ("finished", 10)
    assert JobChange.objects.filter(action="retried").count() == 10


def test_it_is_written_down_who_did_it():
    person = a_person()
    failed(1)
    run(start(actor=person))
    assert JobChange.objects.get().actor == person


def test_a_job_that_was_delivered_meanwhile_is_left_alone():
    ids = failed(10)
    bulk = start()
    step()
    WebhookJob.objects.filter(pk=ids[-1]).update(status="succeeded")
    bulk = run(bulk)
    assert (bulk.done, bulk.left) == (9, 1)


def test_with_nothing_to_do_it_ends():
    bulk = run(start())
    assert (bulk.status, bulk.total) == ("finished", 0)


# --- little by little ------------------------------------------------------------------------


def test_a_step_puts_back_a_batch_and_the_next_is_a_second_later():
    failed(10)
    start()
    assert go_on_with_bulk_retries() == 4
    assert go_on_with_bulk_retries() == 0
    assert step() == 4


def test_a_destination_gets_no_more_while_it_has_many_waiting_and_others_go_on(monkeypatch):
    monkeypatch.setattr(bulk_retries, "MAX_WAITING", 3)
    failed(6, status_code=503)
    others = failed(6, status_code=503, lane=OTHER)
    bulk = start(http_status="503")
    for _ in range(6):
        step()
        # The other destination answers, this one does not.
        WebhookJob.objects.filter(status="pending", lane=OTHER).update(status="succeeded")
    bulk.refresh_from_db()
    assert len(pending(lane=LANE)) == 3
    assert WebhookJob.objects.filter(pk__in=others, status="succeeded").count() == 6
    assert bulk.is_running
    assert bulk.held[LANE]
    for _ in range(3):  # now it answers too
        WebhookJob.objects.filter(status="pending").update(status="succeeded")
        step()
    run(bulk)
    assert (bulk.done, bulk.left) == (12, 0)


def test_what_goes_to_a_disabled_destination_is_left():
    Destination.objects.create(lane=OTHER, circuit="disabled")
    wanted = failed(3, status_code=503)
    failed(3, status_code=503, lane=OTHER)
    bulk = run(start(http_status="503"))
    assert (bulk.done, bulk.left) == (3, 3)
    assert pending() == set(wanted)


def test_a_destination_that_is_disabled_while_it_is_held_does_not_hold_up_the_end(monkeypatch):
    monkeypatch.setattr(bulk_retries, "MAX_WAITING", 2)
    failed(6)
    bulk = start()
    for _ in range(3):
        step()
    Destination.objects.create(lane=LANE, circuit="disabled")
    bulk = run(bulk)
    assert (bulk.done, bulk.left) == (2, 4)


def test_the_bell_goes_on_until_it_is_over(drain, monkeypatch):
    monkeypatch.setattr(bulk_retries, "STEP_INTERVAL", timedelta(0))
    wanted = failed(6)
    bulk = start()
    drain("chores")
    bulk.refresh_from_db()
    assert bulk.status == "finished"
    assert pending() == set(wanted)


def test_a_clock_that_was_ahead_does_not_stop_it():
    failed(1)
    start()
    BulkRetry.objects.update(step_at=timezone.now() + timedelta(days=1))
    assert go_on_with_bulk_retries() == 1


# --- workers that die, people who change their minds -----------------------------------------


def test_a_worker_that_dies_in_a_step_has_done_nothing_and_the_next_one_does_it(monkeypatch):
    wanted = failed(10)
    bulk = start()
    step()

    class KilledError(BaseException):
        pass

    real = bulk_retries.retry_jobs

    def retry_and_die(**values):
        real(**values)
        raise KilledError

    monkeypatch.setattr(bulk_retries, "retry_jobs", retry_and_die)
    with pytest.raises(KilledError):
        step()
    monkeypatch.setattr(bulk_retries, "retry_jobs", real)
    bulk.refresh_from_db()
    assert (bulk.done, len(pending())) == (4, 4)
    run(bulk)
    bulk.refresh_from_db()
    assert (bulk.total, bulk.done, bulk.left) == (10, 10, 0)
    assert pending() == set(wanted)
    assert JobChange.objects.filter(action="retried").count() == 10


def test_cancelling_leaves_the_rest_as_it_is():
    failed(10)
    bulk = start()
    step()
    assert cancel_bulk_retry(bulk=bulk)
    assert step() == 0
    bulk.refresh_from_db()
    assert (bulk.status, bulk.done, len(pending())) == ("cancelled", 4, 4)
    assert not cancel_bulk_retry(bulk=bulk)


def test_a_second_click_starts_no_second_one():
    failed(2)
    assert start() == start()
    assert BulkRetry.objects.count() == 1


# --- the preview -----------------------------------------------------------------------------


def test_the_preview_counts_and_shows_where_it_goes():
    Destination.objects.create(lane=OTHER, circuit="open")
    now = timezone.now()
    failed(3, status_code=503, finished_at=now - timedelta(hours=2))
    failed(1, status_code=503, lane=OTHER, finished_at=now - timedelta(hours=1))
    preview = preview_of(RetryFilter(http_status="5xx"))
    assert (preview.count, preview.is_capped) == (4, False)
    assert [(lane, number) for lane, number, _ in preview.lanes] == [(LANE, 3), (OTHER, 1)]
    assert preview.lanes[1][2].circuit == "open"
    assert preview.oldest == now - timedelta(hours=2)
    assert preview.newest == now - timedelta(hours=1)


def test_the_preview_counts_up_to_a_cap(monkeypatch):
    monkeypatch.setattr("webhooks.retry_filters.PREVIEW_CAP", 3)
    failed(5)
    preview = preview_of(RetryFilter(lane=LANE))
    assert (preview.count, preview.is_capped) == (3, True)


def test_the_preview_costs_the_same_for_many(django_assert_num_queries):
    failed(30)
    with django_assert_num_queries(4):
        preview_of(RetryFilter(lane=LANE))


def test_a_step_costs_the_same_for_many(django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(bulk_retries, "BATCH_SIZE", 100)
    monkeypatch.setattr(bulk_retries, "WINDOW", 1000)
    failed(80)
    start()
    with django_assert_max_num_queries(24):
        assert go_on_with_bulk_retries() == 80


# --- pages -----------------------------------------------------------------------------------


@pytest.fixture
def client():
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def text(response):
    return " ".join(response.content.decode().split())


NEW = "/admin/webhooks/bulkretry/add/"


def test_first_it_says_how_many_then_it_does_it(client):
    failed(3, error_kind="timeout", status_code=None)
    page = client.get(NEW, {"error": "timeout"})
    assert "Retry 3 jobs?" in text(page)
    assert not BulkRetry.objects.exists()
    assert pending() == set()
    response = client.post(NEW, {"error": "timeout", "until": timezone.now().isoformat()})
    bulk = BulkRetry.objects.get()
    assert response.url == reverse("admin:webhooks_bulkretry_change", args=[bulk.pk])
    assert "Counting" in text(client.get(response.url))
    run(bulk)
    assert "3</strong> of 3 put back to pending" in text(client.get(response.url))
    assert "Timeout" in text(client.get(reverse("admin:webhooks_bulkretry_changelist")))


def test_without_a_condition_nothing_is_started(client):
    failed(1)
    page = client.post(NEW, {"time": "24h"})
    assert "Choose a webhook, a destination, an error or a status." in text(page)
    assert not BulkRetry.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        {"webhook": "nonsense"},
        {"webhook": "hook_00000000000000000000000000"},
        {"destination": "x" * 300},
        {"destination": "\0"},
        {"error": "nonsense"},
        {"status": "999"},
        {"status": "5x"},
        {"error": "timeout", "since": "yesterday"},
        {"error": "timeout", "since": "9999-12-31T23:59:59+14:00"},
        {"error": "timeout", "since": "0001-01-01T00:00"},
        {"error": "timeout", "time": "century"},
        {"error": "timeout", "until": "never"},
    ],
)
def test_whatever_an_address_says_there_is_a_page(client, query):
    assert client.get(NEW, query).status_code == 200
    assert client.post(NEW, query).status_code in (200, 302)


def test_who_may_only_look_can_not_retry():
    failed(1)
    bulk = start()
    viewer = User.objects.create_user("vera", password="secret", is_staff=True)
    from django.contrib.auth.models import Permission

    viewer.user_permissions.add(Permission.objects.get(codename="view_webhookjob"))
    client = Client()
    client.force_login(viewer)
    page = reverse("admin:webhooks_bulkretry_change", args=[bulk.pk])
    assert client.get(page).status_code == 200
    assert "Cancel the rest" not in text(client.get(page))
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, {"error": "timeout"}).status_code == 403
    cancel = reverse("admin:webhooks_bulkretry_cancel", args=[bulk.pk])
    assert client.post(cancel).status_code == 403


def test_cancelling_is_a_post_and_says_what_was_done(client):
    failed(10)
    bulk = start()
    step()
    cancel = reverse("admin:webhooks_bulkretry_cancel", args=[bulk.pk])
    assert client.get(cancel).status_code == 405
    assert "4 jobs were put back" in text(client.post(cancel, follow=True))
    assert "It had ended already." in text(client.post(cancel, follow=True))


@pytest.mark.parametrize("pk", ["nonsense", "bulk_00000000000000000000000000"])
def test_what_is_no_bulk_retry_is_not_found(client, pk):
    assert client.get(f"/admin/webhooks/bulkretry/{pk}/change/").status_code == 404
    assert client.post(f"/admin/webhooks/bulkretry/{pk}/cancel/").status_code == 404


def test_the_live_part_is_asked_for_while_it_runs(client):
    failed(6)
    bulk = start()
    page = reverse("admin:webhooks_bulkretry_change", args=[bulk.pk])
    part = client.get(page, headers={"HX-Request": "true"})
    assert part["X-Live-Open"] == "1"
    assert "<html" not in text(part)
    run(bulk)  # what it put back has still to come to something
    assert client.get(page, headers={"HX-Request": "true"})["X-Live-Open"] == "1"
    WebhookJob.objects.update(status="succeeded", next_attempt_at=None)
    assert client.get(page, headers={"HX-Request": "true"})["X-Live-Open"] == "0"


# --- what became of them ---------------------------------------------------------------------


def test_it_tells_what_its_jobs_have_come_to_by_now_and_where_they_are(client):
    hook = a_webhook()
    ids = failed(6, webhook=hook)
    others = failed(2, lane=OTHER)
    bulk = run(start(lane=LANE, webhook_id=hook.pk))
    retry_jobs(ids=others, actor=None)
    for pk, status in zip(ids, ["succeeded", "succeeded", "succeeded", "failed"], strict=False):
        WebhookJob.objects.filter(pk=pk).update(status=status, next_attempt_at=None)
    WebhookJob.objects.filter(pk=ids[4]).update(status="cancelled", next_attempt_at=None)
    assert outcomes_of(bulk) == Outcomes(succeeded=3, failed=1, waiting=1, cancelled=1)
    page = text(client.get(reverse("admin:webhooks_bulkretry_change", args=[bulk.pk])))
    for words in ("3 succeeded", "1 failed again", "1 waiting", "1 cancelled"):
        assert words in page
    which = f"webhook={hook.pk}&amp;q=https%3A%2F%2Fapi.example.com"
    for tab in ("tab=all&amp;status=2xx", "tab=failures", "tab=pending"):
        assert f"?{tab}&amp;{which}" in page


def test_a_job_says_that_it_was_retried_with_others(client):
    (pk,) = failed(1)
    bulk = run(start())
    page = text(client.get(reverse("admin:webhooks_webhookjob_change", args=[pk])))
    assert f'<a href="{reverse("admin:webhooks_bulkretry_change", args=[bulk.pk])}">' in page


def test_only_the_newest_retries_are_looked_at_and_it_says_so(client, monkeypatch):
    monkeypatch.setattr(bulk_retries, "OUTCOMES_WINDOW", 3)
    failed(5)
    bulk = run(start())
    assert outcomes_of(bulk).counted == 3
    page = text(client.get(reverse("admin:webhooks_bulkretry_change", args=[bulk.pk])))
    assert "among the newest 3 of them" in page
