"""Requests once more: into their automation, on its draft; and requests that are kept as samples."""

from datetime import timedelta
from importlib import import_module
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from automations.document import TriggerPart
from automations.models import Run, RunStatus
from automations.samples import TrialSamples
from records.ids import decode, encode, new_id
from records.models import Event, User
from tests.automations.making import step, step_of, work
from tests.webhooks.inbound.making import make_form, make_listener, send
from tests.webhooks.jobs_at_hand import a_job, a_person
from tests.webhooks.requests_at_hand import arrived, page, sent, text_of
from webhooks.inbound import logbook
from webhooks.inbound.inspectors import clear_requests
from webhooks.keptrequests import keep_request, kept_requests, release_request
from webhooks.logqueries import LogQuery
from webhooks.models import InboundEndpoint, RequestLog, WebhookJob
from webhooks.replays import ReplayRefused, received_of, replay_request, try_on_draft
from webhooks.requestlog import page_of
from webhooks.retention import begin_retention, run_retention

pytestmark = pytest.mark.django_db

KEEPS_N = step("set_variables", "s1", variables={"n": "{{ webhook.body.n }}"})


@pytest.fixture
def listener():
    return make_listener(KEEPS_N)


@pytest.fixture
def endpoint(listener):
    return listener[1]


@pytest.fixture
def ada():
    return a_person("ada")


def events():
    return Event.objects.filter(type="webhook.received")


def test_a_replay_is_a_new_event_by_a_person(client, endpoint, ada):
    send(client, endpoint, {"n": 7}, query="?a=b")
    row = RequestLog.objects.get()
    replayed = replay_request(row=row, user=ada)
    event = Event.objects.get(pk=replayed.event_id)
    assert event.pk != row.event_id
    assert event.after == row.event.after
    assert (event.actor, event.target) == (ada, endpoint.automation_id)
    assert event.subject_label == f"Orders · Replay of {row.pk}"
    again = RequestLog.objects.get(pk=replayed.request_id)
    assert (again.actor, again.run_id, again.status_code) == (ada, replayed.run_id, None)
    work()
    assert [run.status for run in Run.objects.all()] == [RunStatus.SUCCEEDED] * 2
    assert step_of(Run.objects.get(pk=replayed.run_id)).output == {"n": 7}


def test_a_request_and_its_replays_lead_to_each_other(admin_client, endpoint, ada):
    row = arrived(endpoint)
    again = replay_request(row=row, user=ada).request_id
    assert RequestLog.objects.get(pk=again).replay_of == row.pk
    assert page("change", again) in text_of(admin_client.get(page("change", row.pk)))
    assert page("change", row.pk) in text_of(admin_client.get(page("change", again)))
    assert [each.pk for each in page_of(LogQuery(request_id=row.pk)).rows] == [again, row.pk]
    RequestLog.objects.filter(pk=row.pk).delete()
    text = text_of(admin_client.get(page("change", again)))
    assert f"{row.pk}, which was cleaned up" in text


def test_of_older_replays_the_label_of_the_event_told(endpoint, ada):
    row = arrived(endpoint)
    again = replay_request(row=row, user=ada).request_id
    RequestLog.objects.update(replay_of=None)
    migration = import_module("webhooks.migrations.0008_request_replays")
    migration.read_labels(apps, None)
    found = dict(RequestLog.objects.values_list("pk", "replay_of"))
    assert found == {row.pk: None, again: row.pk}


def test_of_many_replays_the_newest_are_named(admin_client, endpoint, ada):
    row = arrived(endpoint)
    replays = [replay_request(row=row, user=ada).request_id for _ in range(6)]
    text = text_of(admin_client.get(page("change", row.pk)))
    named = text.partition("<dt>Replayed</dt>")[2].partition("</dd>")[0]
    assert [pk for pk in replays if pk in named] == replays[1:]
    assert f"?q={row.pk}" in named


def test_a_delivery_that_is_known_can_be_replayed_again_and_again(client, endpoint, ada):
    send(client, endpoint, headers={"webhook-id": "msg_1"})
    row = RequestLog.objects.get()
    for _ in range(2):
        replay_request(row=row, user=ada)
    assert events().count() == 3


def test_what_could_not_be_verified_can_be_replayed_by_a_person(client, ada):
    _, endpoint = make_listener(KEEPS_N, scheme="bearer")
    assert send(client, endpoint, {"n": 3}).status_code == 401
    replayed = replay_request(row=RequestLog.objects.get(), user=ada)
    work()
    assert step_of(Run.objects.get(pk=replayed.run_id)).output == {"n": 3}


def test_without_its_event_a_request_is_read_anew(client, endpoint):
    send(client, endpoint, {"n": 7}, query="?a=b")
    row = RequestLog.objects.get()
    as_it_came = row.event.after
    Event.objects.all().delete()
    row.refresh_from_db()
    assert row.event is None
    assert received_of(row) == as_it_came


def refused(row, user):
    with pytest.raises(ReplayRefused) as caught:
        replay_request(row=row, user=user)
    assert not events().exists()
    return str(caught.value)


def test_an_automation_that_is_off_takes_no_replay_but_its_draft_is_tried(endpoint, ada):
    endpoint.is_active = False
    endpoint.save()
    row = arrived(endpoint)
    assert "switch its automation on" in refused(row, ada)
    assert try_on_draft(row=row, user=ada)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"request_body": "", "bodies_removed": True}, "too old to keep"),
        ({"request_truncated": True}, "Only the beginning"),
        ({"request_body": "{"}, "no valid JSON"),
    ],
)
def test_what_is_not_whole_is_not_replayed(endpoint, ada, values, words):
    assert words in refused(arrived(endpoint, **values), ada)


def test_only_what_came_in_for_an_automation_is_replayed(ada):
    inspector = InboundEndpoint.objects.create(name="Inspector")
    for row in (arrived(inspector), arrived(make_form())):
        assert "Only requests to automations" in refused(row, ada)
    assert "Only requests that came in" in refused(sent(), ada)


def test_what_reacts_badly_leaves_the_event_to_a_worker(endpoint, ada, monkeypatch):
    def fail(event):
        raise RuntimeError("a receiver's mistake")

    monkeypatch.setattr("webhooks.replays.dispatch", fail)
    replayed = replay_request(row=arrived(endpoint), user=ada)
    assert replayed.run_id is None
    assert events().get().dispatched_at is None
    work()
    assert Run.objects.get().event_id == replayed.event_id


def test_a_dry_run_does_nothing(listener, ada):
    automation, endpoint = listener
    automation.draft["steps"] = [step("webhook", "call", url="https://api.example.com/")]
    automation.save()
    outcome = try_on_draft(row=arrived(endpoint), user=ada)
    assert [each["step"] for each in outcome["steps"]] == ["call"]
    assert not any(model.objects.exists() for model in (Run, WebhookJob))
    assert not events().exists()
    assert RequestLog.objects.count() == 1


# --- pages -----------------------------------------------------------------------------------


def test_the_page_replays_and_leads_to_what_came_of_it(admin_client, endpoint):
    row = arrived(endpoint)
    response = admin_client.post(page("replay", row.pk), follow=True)
    text = text_of(response)
    run = Run.objects.get()
    assert "Replayed as a new event" in text
    assert "A replay answers nobody" in text
    assert not page_of(LogQuery(outcome="error")).rows
    assert f"/admin/automations/run/{run.pk}" in text
    assert page("change", row.pk) in text
    assert events().get().actor == User.objects.get(username="admin")


def test_the_page_of_the_endpoint_tells_a_replay_from_a_caller_that_waits(
    admin_client, endpoint, ada
):
    replay_request(row=arrived(endpoint), user=ada)
    text = text_of(
        admin_client.get(reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk]))
    )
    assert ">replayed<" in text
    assert ">waits<" not in text


def test_the_page_says_why_it_was_not_replayed(admin_client, endpoint):
    endpoint.is_active = False
    endpoint.save()
    row = arrived(endpoint)
    assert "Not replayed: “Orders” takes no requests now" in text_of(
        admin_client.post(page("replay", row.pk), follow=True)
    )


def test_the_page_shows_what_the_draft_would_do(admin_client, endpoint):
    text = text_of(admin_client.post(page("try", arrived(endpoint).pk)))
    for part in ("Would succeed", "Nothing was changed or sent", "set_variables", "Output"):
        assert part in text


def test_what_steps_read_is_for_those_who_may_see_runs(client, endpoint):
    user = User.objects.create_user("staff", is_staff=True)
    names = ("view_requestlog", "change_inboundendpoint")
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(user)
    text = text_of(client.post(page("try", arrived(endpoint).pk)))
    assert "Would succeed" in text
    assert "Output" not in text


def test_the_page_tells_mistakes_of_the_draft(admin_client, listener):
    automation, endpoint = listener
    automation.draft["steps"] = [{"id": "x", "type": "no such step", "config": {}}]
    automation.save()
    assert "has mistakes" in text_of(admin_client.post(page("try", arrived(endpoint).pk)))


@pytest.mark.parametrize("act", ["keep", "release", "replay", "try"])
def test_acts_take_a_post_and_permission(client, endpoint, act):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_requestlog"))
    client.force_login(user)
    row = arrived(endpoint)
    assert client.get(page(act, row.pk)).status_code == 405
    assert client.post(page(act, row.pk)).status_code == 403
    assert (
        'method="post"'
        not in text_of(client.get(page("change", row.pk)))
        .partition("sb-exchange-acts")[2]
        .partition("</section>")[0]
    )
    row.refresh_from_db()
    assert not row.is_kept
    assert not events().exists()


# --- samples ---------------------------------------------------------------------------------


def test_a_kept_request_has_a_name_and_can_be_released(admin_client, endpoint):
    row = arrived(endpoint)
    text = text_of(admin_client.post(page("keep", row.pk), {"name": " An  order "}, follow=True))
    assert "Kept as a sample" in text
    assert "An order" in text_of(admin_client.get(page("changelist"), {"kept": "1"}))
    row.refresh_from_db()
    assert (row.is_kept, row.name) == (True, "An order")
    admin_client.post(page("release", row.pk))
    row.refresh_from_db()
    assert (row.is_kept, row.name) == (False, "")


def test_whole_samples_of_an_automation_are_offered_newest_first(listener):
    automation, endpoint = listener
    for number in (1, 2):
        keep_request(row=arrived(endpoint), name=f"Order {number}")
    keep_request(row=arrived(endpoint, request_truncated=True), name="Cut")
    keep_request(row=arrived(endpoint, bodies_removed=True), name="Cleaned up")
    arrived(endpoint)
    assert [row.name for row in kept_requests(automation.pk)] == ["Order 2", "Order 1"]
    assert kept_requests("auto_00000000000000000000000000") == []


def test_the_draft_of_its_automation_can_be_tried_on_a_sample(admin_client, listener):
    automation, endpoint = listener
    row = keep_request(row=arrived(endpoint), name="An order")
    trials = TrialSamples(
        User.objects.get(username="admin"),
        automation,
        TriggerPart.model_validate(automation.draft["trigger"]),
    )
    assert row.pk in {choice.key for _, choices in trials.choices() for choice in choices}
    text = text_of(admin_client.get(page("change", row.pk)))
    assert f"/automation/{automation.pk}/test/?sample={row.pk}" in text


def test_clearing_an_endpoint_leaves_samples(endpoint):
    row = keep_request(row=arrived(endpoint), name="")
    arrived(endpoint)
    clear_requests(endpoint)
    assert RequestLog.objects.get() == row
    release_request(row=row)
    clear_requests(endpoint)
    assert not RequestLog.objects.exists()


# --- retention -------------------------------------------------------------------------------


def id_of_age(prefix, days):
    then = timezone.now() - timedelta(days=days)
    low = decode(prefix, new_id(prefix)).int & ((1 << 80) - 1)
    return encode(prefix, UUID(int=int(then.timestamp() * 1000) << 80 | low))


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr("webhooks.retention.time.sleep", lambda seconds: None)


def test_samples_are_not_cleaned_up_until_they_are_released(endpoint, no_pauses):
    sample = arrived(endpoint, id=id_of_age("req", 400), is_kept=True)
    passed_by = arrived(endpoint, id=id_of_age("req", 390))
    run_retention()
    assert RequestLog.objects.get() == sample
    sample.refresh_from_db()
    assert (sample.request_body, sample.bodies_removed) == ('{"n": 1}', False)
    assert not RequestLog.objects.filter(pk=passed_by.pk).exists()
    release_request(row=sample)
    begin_retention()
    run_retention()
    assert not RequestLog.objects.exists()


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_the_job_of_a_sample_stays_with_it(no_pauses, status):
    then = timezone.now() - timedelta(days=400)
    old = {"status": status, "created_at": then, "finished_at": then}
    job, other = (a_job(id=id_of_age("job", 400), **old) for _ in range(2))
    sample = sent(job, id=id_of_age("req", 400), is_kept=True, response_body="ok")
    sent(other, id=id_of_age("req", 400))
    run_retention()
    assert RequestLog.objects.get() == sample
    assert WebhookJob.objects.get() == job
    sample.refresh_from_db()
    assert sample.response_body == "ok"


def test_many_refusals_push_no_sample_out(client, endpoint, monkeypatch):
    monkeypatch.setattr(logbook, "KEEP_REFUSED", 1)
    monkeypatch.setattr(logbook, "_CLEAR_EVERY", 1)
    send(client, endpoint, body=b"{")
    sample = keep_request(row=RequestLog.objects.get(), name="Broken JSON")
    for _ in range(4):
        send(client, endpoint, body=b"{")
    assert RequestLog.objects.count() == 2
    assert RequestLog.objects.filter(pk=sample.pk).exists()


def test_many_requests_push_no_sample_out_of_an_inspector(client, monkeypatch):
    monkeypatch.setattr("webhooks.inbound.inspectors.KEEP_PER_INSPECTOR", 1)
    inspector = InboundEndpoint.objects.create(name="Inspector")
    client.post(inspector.path, {"n": 1})
    sample = keep_request(row=RequestLog.objects.get(), name="")
    for _ in range(3):
        client.post(inspector.path, {"n": 2})
    assert RequestLog.objects.count() == 2
    assert RequestLog.objects.filter(pk=sample.pk).exists()
