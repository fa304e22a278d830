"""What fails in deliveries is an event itself: others can react to it, and nothing goes round for ever."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from records import listeners
from records.actors import acting
from records.dispatch import dispatch_events
from records.expressions import evaluate
from records.models import Event
from tests.webhooks.jobs_at_hand import a_failed_job, a_person, an_event
from tests.webhooks.making import answer, make_job, no_answer
from webhooks.binding import Credentials, new_nonce, placeholder
from webhooks.claims import claim_jobs
from webhooks.destinations import disable_destination, end_jobs_of_disabled
from webhooks.failures import note_failed_jobs
from webhooks.models import Destination, Webhook, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished, record_outcomes
from webhooks.payloads import context_of

pytestmark = pytest.mark.django_db

TOKEN = uuid.uuid4()
URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def alarm():
    """A webhook that tells somebody of failures."""
    return Webhook.objects.create(name="Alarm", event="job.failed", url=URL, retry_delays_s=[])


def finish_all(outcome):
    jobs = claim_jobs(token=TOKEN, limit=100, room=lambda lane: 100).jobs
    record_outcomes(TOKEN, [Finished(job, outbound_request(job), outcome) for job in jobs])


def events_of(kind="job.failed"):
    return list(Event.objects.filter(type=kind).order_by("pk"))


# --- jobs that fail --------------------------------------------------------------------------


def test_a_job_that_fails_for_good_is_an_event_that_tells_what_happened(alarm):
    job = make_job(f"{URL}?key=1", retry_delays_s=[], webhook_name="Notify CRM")
    finish_all(no_answer("timeout", "No answer within 30 seconds."))
    (event,) = events_of()
    context = context_of(event, "job.failed")
    told = {
        name: evaluate(f"subject.{name}", context)
        for name in ("id", "webhook", "url", "status_code", "error_kind", "error", "attempts")
    }
    assert told == {
        "id": job.pk,
        "webhook": "Notify CRM",
        "url": f"{URL}?key=1",
        "status_code": None,
        "error_kind": "timeout",
        "error": "No answer within 30 seconds.",
        "attempts": 1,
    }


def test_secrets_of_its_url_are_shown_by_name(alarm):
    nonce = new_nonce()
    url = f"{URL}?token={placeholder('api_key', nonce)}"
    job = a_failed_job(url=url, credentials=Credentials(nonce=nonce).to_json())
    note_failed_jobs([job.pk], timezone.now())
    assert events_of()[0].after["url"] == f"{URL}?token={{{{ secrets.api_key }}}}"


def test_a_webhook_reacts_to_the_failure_of_another(alarm):
    make_job(URL, retry_delays_s=[], webhook_name="Notify CRM")
    finish_all(answer(500))
    dispatch_events()
    job = WebhookJob.objects.get(webhook=alarm)
    assert (job.event_name, job.status) == ("job.failed", "pending")
    assert '"webhook":"Notify CRM"' in job.body


@pytest.mark.parametrize("active", [None, False])
def test_nothing_is_written_where_nobody_listens(active):
    if active is not None:
        Webhook.objects.create(name="Off", event="job.failed", url=URL, is_active=active)
    note_failed_jobs([a_failed_job().pk], timezone.now())
    assert events_of() == []


def test_other_apps_can_listen_too(monkeypatch):
    monkeypatch.setattr(listeners, "_questions", [])
    listeners.register(lambda name: name == "job.failed")
    note_failed_jobs([a_failed_job().pk], timezone.now())
    assert len(events_of()) == 1


def test_what_will_be_tried_again_and_what_was_a_test_is_no_event(alarm):
    make_job(URL)
    make_job(URL, is_test=True, retry_delays_s=[])
    finish_all(answer(500))
    assert events_of() == []


def test_an_alarm_that_fails_itself_does_not_go_round(alarm):
    make_job(URL, retry_delays_s=[])
    for _ in range(3):
        finish_all(answer(500))
        dispatch_events()
    assert WebhookJob.objects.failures().count() == 2
    assert len(events_of()) == 1


def test_an_alarm_with_a_mistake_in_it_does_not_go_round(alarm):
    Webhook.objects.filter(pk=alarm.pk).update(body_kind="text", body="{{ subject.nmae }}")
    make_job(URL, retry_delays_s=[])
    finish_all(answer(500))
    for _ in range(3):
        dispatch_events()
    assert WebhookJob.objects.get(webhook=alarm).error_kind == "template"
    assert len(events_of()) == 1


def test_a_chain_grows_by_one_and_knows_the_run_that_began_it(alarm):
    run = "run_01h455vb4pex5vsknk084sn02q"
    job = a_failed_job(event=an_event(run_id=run, depth=2))
    note_failed_jobs([job.pk], timezone.now())
    (event,) = events_of()
    assert (event.run_id, event.depth) == (run, 3)


def test_the_failure_of_a_runs_request_is_caused_by_that_run(alarm):
    first, second = "run_01h455vb4pex5vsknk084sn02q", "run_01h455vb4pex5vsknk084sn02r"
    job = a_failed_job(event=an_event(run_id=first, depth=2), run_id=second, depth=3)
    note_failed_jobs([job.pk], timezone.now())
    (event,) = events_of()
    assert (event.run_id, event.depth) == (second, 3)


def test_the_event_goes_with_the_failure_that_is_taken_back(alarm):
    job = a_failed_job()
    with transaction.atomic():
        note_failed_jobs([job.pk], timezone.now())
        transaction.set_rollback(True)
    assert events_of() == []


def test_many_cost_no_more_queries_than_one(alarm, django_assert_num_queries):
    jobs = [a_failed_job(event=an_event()).pk for _ in range(30)]
    note_failed_jobs(jobs[:1], timezone.now())
    with django_assert_num_queries(8):  # two of them are the transaction's
        note_failed_jobs(jobs, timezone.now())
    assert len(events_of()) == 31


# --- destinations that are disabled ----------------------------------------------------------


def test_a_destination_that_is_disabled_after_days_is_an_event(settings):
    settings.DESTINATION_DISABLE_AFTER_DAYS = 5
    since = timezone.now() - timedelta(days=6)
    destination = Destination.objects.create(
        lane="http://127.0.0.1:9", circuit="open", failures=90, failing_since=since
    )
    make_job(URL)
    Destination.objects.update(probe_at=timezone.now(), probe_interval_s=60)
    finish_all(no_answer("timeout", "No answer."))
    (event,) = events_of("destination.disabled")
    assert (event.subject_id, event.subject_label) == (destination.pk, "http://127.0.0.1:9")
    context = context_of(event, "destination.disabled")
    assert evaluate("subject.origin", context) == "http://127.0.0.1:9"
    assert evaluate("subject.error", context) == "No answer."


def test_a_person_who_disables_one_is_named(alarm):
    ada = a_person()
    destination = Destination.objects.create(lane="http://127.0.0.1:9")
    make_job(URL)
    with acting(ada):
        disable_destination(destination=destination, actor=ada)
    (event,) = events_of("destination.disabled")
    assert event.actor == ada
    end_jobs_of_disabled()
    assert [event.after["error_kind"] for event in events_of()] == ["disabled"]
