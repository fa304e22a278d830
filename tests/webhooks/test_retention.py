"""Cleaning up: what is old enough goes, in small pieces; what is open, or young, stays."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from records.ids import decode, encode, moment_of, new_id
from records.models import Event, Mail, Notification, User
from tests.webhooks.jobs_at_hand import a_job, an_attempt
from webhooks import retention
from webhooks.models import (
    FailureGroup,
    InboundEndpoint,
    JobChange,
    RequestLog,
    RetentionState,
    WebhookJob,
)
from webhooks.retention import begin_retention, is_retention_due, run_retention
from webhooks.retention_rules import RULES

pytestmark = pytest.mark.django_db


def id_of(prefix, days):
    then = timezone.now() - timedelta(days=days)
    low = decode(prefix, new_id(prefix)).int & ((1 << 80) - 1)
    return encode(prefix, UUID(int=int(then.timestamp() * 1000) << 80 | low))


def old_job(days, status="succeeded", **values):
    then = timezone.now() - timedelta(days=days)
    ended = None if status in ("pending", "sending") else then
    return a_job(
        **{
            "id": id_of("job", days),
            "status": status,
            "created_at": then,
            "finished_at": ended,
            "attempts": 1,
            **values,
        }
    )


def old_attempt(job, days, **values):
    return an_attempt(job, id=id_of("req", days), response_body="ok", **values)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr("webhooks.retention.time.sleep", lambda seconds: None)


def left():
    return set(WebhookJob.objects.values_list("pk", flat=True))


# --- jobs ------------------------------------------------------------------------------------


def test_successes_go_after_thirty_days_and_failures_stay_longer():
    old, young = old_job(31), old_job(29)
    cancelled = old_job(31, "cancelled")
    failed, very_old_failed = old_job(31, "failed"), old_job(91, "failed")
    run_retention()
    assert left() == {young.pk, failed.pk}
    assert not left() & {old.pk, cancelled.pk, very_old_failed.pk}


def test_open_jobs_are_never_touched():
    ids = {old_job(1000, status).pk for status in ("pending", "sending")}
    run_retention()
    assert left() == ids


def test_a_job_that_ended_lately_stays_although_it_was_made_long_ago():
    job = old_job(200, "failed", finished_at=timezone.now() - timedelta(days=1))
    other = old_job(200, finished_at=timezone.now() - timedelta(days=1))
    run_retention()
    assert left() == {job.pk, other.pk}


def test_the_attempts_and_changes_of_a_job_go_along():
    job = old_job(31)
    old_attempt(job, 31)
    JobChange.objects.create(job=job, action="retried")
    kept = old_attempt(old_job(29), 29)
    run_retention()
    assert set(RequestLog.objects.values_list("pk", flat=True)) == {kept.pk}
    assert not JobChange.objects.exists()


def test_many_successes_do_not_push_out_failures():
    failures = {old_job(60, "failed").pk for _ in range(3)}
    for _ in range(20):
        old_job(40)
    run_retention()
    assert left() == failures


def test_a_job_that_is_retried_just_now_stays():
    job = old_job(91, "failed")
    rule = RULES["failed"]
    old = timezone.now() - timedelta(days=90)
    WebhookJob.objects.filter(pk=job.pk).update(status="pending")
    assert retention._still_so(rule.rows(), rule.which(old), [job.pk]) == []


@pytest.mark.parametrize("setting", sorted({rule.setting for rule in RULES.values()}))
def test_zero_keeps_for_ever(settings, setting):
    setattr(settings, setting, 0)
    old_job(9999)
    old_job(9999, "failed")
    run_retention()
    kept = {job.status for job in WebhookJob.objects.all()}
    expected = {"RETENTION_SUCCEEDED_DAYS": {"succeeded"}, "RETENTION_FAILED_DAYS": {"failed"}}
    assert kept == expected.get(setting, set())


# --- bodies ----------------------------------------------------------------------------------


def test_bodies_go_earlier_and_it_is_marked():
    job = old_job(15)
    log = old_attempt(job, 15)
    young = old_attempt(job, 13)
    run_retention()
    for row in (job, log, young):
        row.refresh_from_db()
    assert (log.request_body, log.response_body, log.bodies_removed) == ("", "", True)
    assert (job.body, job.body_removed) == ("", True)
    assert (young.response_body, young.bodies_removed) == ("ok", False)


@pytest.mark.parametrize("status", ["failed", "pending", "cancelled"])
def test_what_could_still_be_sent_keeps_its_body(status):
    job = old_job(20, status)
    run_retention()
    job.refresh_from_db()
    assert (job.body, job.body_removed) == ('{"a":1}', False)


def test_an_exchange_without_bodies_is_not_marked():
    log = an_attempt(old_job(15), id=id_of("req", 15), request_body="")
    run_retention()
    log.refresh_from_db()
    assert not log.bodies_removed


def test_the_pages_say_that_a_body_was_removed():
    job = old_job(15)
    log = old_attempt(job, 15, status_code=200)
    run_retention()
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    for page in (
        reverse("admin:webhooks_webhookjob_change", args=[job.pk]),
        reverse("admin:webhooks_requestlog_change", args=[log.pk]),
    ):
        assert "was too old to keep" in client.get(page).content.decode()


# --- everything else -------------------------------------------------------------------------


def test_what_inspectors_received_goes_after_its_own_time():
    endpoint = InboundEndpoint.objects.create(name="Inspector")
    kept = old_attempt(old_job(31, "failed"), 31)
    for days in (31, 29):
        RequestLog.objects.create(
            id=id_of("req", days), direction="in", endpoint=endpoint, method="POST", url="/", started_at=timezone.now()
        )  # fmt: skip
    run_retention()
    assert RequestLog.objects.filter(endpoint=endpoint).count() == 1
    assert RequestLog.objects.filter(pk=kept.pk).exists()


def test_events_go_once_they_are_dispatched_and_their_jobs_stay():
    now = timezone.now()
    old = Event.objects.create(id=id_of("evt", 401), type="x", created_at=now, dispatched_at=now)
    waiting = Event.objects.create(id=id_of("evt", 401), type="x", created_at=now)
    young = Event.objects.create(id=id_of("evt", 399), type="x", created_at=now, dispatched_at=now)
    job = old_job(10, "failed", event=old)
    run_retention()
    assert set(Event.objects.values_list("pk", flat=True)) == {waiting.pk, young.pk}
    job.refresh_from_db()
    assert job.event is None


def test_notifications_go_when_they_were_read_and_much_later_when_not():
    user = User.objects.create_user("ada")

    def note(days, *, read):
        then = timezone.now() - timedelta(days=days)
        return Notification.objects.create(
            id=id_of("ntf", days), user=user, title="x", created_at=then, read_at=then if read else None
        )  # fmt: skip

    note(91, read=True)
    note(361, read=False)
    kept = {note(89, read=True).pk, note(91, read=False).pk, note(359, read=False).pk}
    run_retention()
    assert set(Notification.objects.values_list("pk", flat=True)) == kept


def test_mails_go_when_they_were_sent_or_given_up():
    now = timezone.now()

    def mail(**values):
        return Mail.objects.create(id=id_of("mail", 91), subject="x", created_at=now, **values)

    mail(sent_at=now)
    mail(attempts=5)
    waiting = mail(next_attempt_at=now)
    run_retention()
    assert list(Mail.objects.all()) == [waiting]


def test_groups_of_failures_go_when_they_happen_no_more():
    now = timezone.now()

    def group(name, days):
        then = now - timedelta(days=days)
        return FailureGroup.objects.create(
            id=id_of("fail", 100), fingerprint=name, webhook_name=name, first_seen_at=then, last_seen_at=then
        )  # fmt: skip

    group("old", 91)
    kept = group("new", 1)
    run_retention()
    assert list(FailureGroup.objects.all()) == [kept]


# --- little by little ------------------------------------------------------------------------


def test_a_run_goes_on_where_the_last_bell_left_it(monkeypatch):
    monkeypatch.setattr(retention._batch, "size", 2)
    monkeypatch.setattr(retention._Batch, "learn", lambda self, took_s: None)
    for _ in range(7):
        old_job(31)
    # Something better to do after each transaction.
    rounds = 0
    while is_retention_due(timezone.now()):
        assert run_retention(is_wanted=lambda: True) <= 2
        rounds += 1
        assert rounds < 100
    assert left() == set()
    state = RetentionState.objects.get(name="succeeded")
    assert (state.run_count, state.today_count, state.total_count) == (7, 7, 7)
    assert state.started_at is None


def test_rows_that_stay_are_walked_past_a_window_at_a_time(monkeypatch):
    monkeypatch.setattr(retention, "WINDOW", 3)
    kept = {old_job(60, "failed").pk for _ in range(10)}
    old_job(31)
    run_retention()
    assert left() == kept


def test_it_rests_for_an_hour_and_then_begins_anew():
    run_retention()
    now = timezone.now()
    assert not is_retention_due(now)
    old_job(31)
    run_retention()
    assert len(left()) == 1
    assert is_retention_due(now + timedelta(minutes=61))
    RetentionState.objects.update(next_run_at=now)
    run_retention()
    assert left() == set()


def test_a_clock_that_was_ahead_does_not_stop_it():
    run_retention()
    RetentionState.objects.update(next_run_at=timezone.now() + timedelta(days=30))
    assert is_retention_due(timezone.now())


def test_the_sweep_rings_when_it_is_due(drain):
    old_job(31)
    drain("chores")
    assert left() == set()


def test_a_batch_shrinks_where_it_takes_long_and_grows_again():
    batch = retention._Batch()
    batch.learn(1.0)
    assert batch.size == retention.MAX_BATCH // 2
    for _ in range(10):
        batch.learn(1.0)
    assert batch.size == retention.MIN_BATCH
    for _ in range(10):
        batch.learn(0.001)
    assert batch.size == retention.MAX_BATCH


def test_a_deletion_does_not_read_what_it_deletes(django_assert_max_num_queries):
    for _ in range(30):
        old_attempt(old_job(31), 31)
    with django_assert_max_num_queries(250) as queries:
        run_retention()
    assert not any('"body"' in query["sql"] and query["sql"].startswith("SELECT") and "COUNT" not in query["sql"]
                   and '"webhooks_webhookjob"."headers"' in query["sql"] for query in queries)  # fmt: skip


def test_an_id_tells_when_it_was_made():
    assert abs(moment_of(id_of("job", 3)) - (timezone.now() - timedelta(days=3))) < timedelta(
        seconds=5
    )


# --- the page --------------------------------------------------------------------------------


@pytest.fixture
def client():
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def text(response):
    return " ".join(response.content.decode().split())


PAGE = "/admin/webhooks/retentionstate/"


def test_the_page_shows_what_is_kept_and_how_far_it_is(client, settings):
    settings.RETENTION_EVENTS_DAYS = 0
    assert "Not run yet" in text(client.get(PAGE))
    old_job(31)
    run_retention()
    page = text(client.get(PAGE))
    for words in ("30 days", "90 days", "Up to date", "For ever", "RETENTION_BODIES_DAYS"):
        assert words in page


def test_the_page_says_when_it_is_behind(client, monkeypatch):
    monkeypatch.setattr(retention._batch, "size", 1)
    monkeypatch.setattr(retention._Batch, "learn", lambda self, took_s: None)
    for _ in range(5):
        old_job(31)
    for _ in range(3):
        run_retention(is_wanted=lambda: True)
    page = client.get(PAGE)
    assert "Behind, at" in text(page)
    assert client.get(PAGE, headers={"HX-Request": "true"})["X-Live-Open"] == "1"


def test_it_can_be_begun_by_hand(client):
    run_retention()
    old_job(31)
    assert client.get(f"{PAGE}run/").status_code == 405
    client.post(f"{PAGE}run/")
    assert is_retention_due(timezone.now())
    begin_retention()
    run_retention()
    assert left() == set()


def test_who_may_only_look_can_not_begin_it():
    viewer = User.objects.create_user("vera", password="secret", is_staff=True)
    client = Client()
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_retentionstate"))
    assert client.get(PAGE).status_code == 200
    assert client.post(f"{PAGE}run/").status_code == 403
