"""What people do with destinations, and what that means for the jobs that wait for them."""

import uuid
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from records.messages import send_mails
from records.models import Mail, Notification, User
from tests.webhooks.making import answer, make_job
from webhooks.claims import claim_jobs
from webhooks.destinations import (
    close_circuit,
    disable_destination,
    enable_destination,
    end_jobs_of_disabled,
    pending_counts,
    probe_now,
)
from webhooks.exceptions import DestinationRefused
from webhooks.models import Destination, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.outcomes import Finished, record_outcomes

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9/hook"
LANE = "http://127.0.0.1:9"
TOKEN = uuid.uuid4()


def a_destination(circuit="open", **values):
    now = timezone.now()
    given = {"failures": 14, "failing_since": now - timedelta(hours=1), "last_error": "No answer."}
    if circuit == "open":
        given |= {
            "opened_at": now - timedelta(minutes=30),
            "probe_at": now + timedelta(minutes=10),
            "probe_interval_s": 900,
        }
    if circuit == "disabled":
        given["disabled_at"] = now - timedelta(minutes=5)
    return Destination.objects.create(**{"lane": LANE, "circuit": circuit, **given, **values})


def claim():
    return claim_jobs(token=TOKEN, limit=100, room=lambda lane: 100).jobs


def finish(jobs, outcome):
    record_outcomes(TOKEN, [Finished(job, outbound_request(job), outcome) for job in jobs])


@pytest.fixture
def boss():
    return User.objects.create_superuser("boss", "boss@example.com", "secret")


@pytest.fixture
def client(boss):
    client = Client()
    client.force_login(boss)
    return client


# --- probing and closing ---------------------------------------------------------------------


def test_a_probe_now_lets_one_job_through_although_it_waits_for_its_retry():
    destination = a_destination()
    make_job(URL, due_in_s=600)
    make_job(URL, due_in_s=1200)
    assert claim() == []
    assert probe_now(destination=destination)
    assert len(claim()) == 1
    assert claim() == []


def test_probing_by_hand_does_not_make_the_pauses_longer():
    destination = a_destination(probe_interval_s=60)
    make_job(URL)
    probe_now(destination=destination)
    claim()
    destination.refresh_from_db()
    assert destination.probe_interval_s == 60


def test_without_jobs_there_is_nothing_to_probe_with():
    assert not probe_now(destination=a_destination())


def test_an_answered_probe_lets_everything_through():
    destination = a_destination()
    for _ in range(5):
        make_job(URL)
    probe_now(destination=destination)
    finish(claim(), answer(200))
    assert len(claim()) == 4


def test_ending_the_pause_sends_everything_and_keeps_counting_the_days():
    destination = a_destination()
    make_job(URL)
    close_circuit(destination=destination)
    assert len(claim()) == 1
    destination.refresh_from_db()
    assert (destination.circuit, destination.failures) == ("closed", 0)
    assert destination.failing_since is not None


@pytest.mark.parametrize("act", [probe_now, close_circuit])
@pytest.mark.parametrize("circuit", ["closed", "disabled"])
def test_only_a_pause_can_be_probed_or_ended(act, circuit):
    destination = a_destination(circuit)
    with pytest.raises(DestinationRefused):
        act(destination=destination)


# --- disabling and enabling ------------------------------------------------------------------


def test_jobs_of_a_disabled_destination_end_as_failed_and_say_why():
    a_destination("disabled")
    fresh = make_job(URL)
    tried = make_job(URL, status_code=503, attempts=2)
    elsewhere = make_job("http://127.0.0.1:10/hook")
    assert end_jobs_of_disabled() == 2
    for job in (fresh, tried, elsewhere):
        job.refresh_from_db()
    assert (fresh.status, fresh.error_kind) == ("failed", "disabled")
    assert fresh.reason.startswith("Its destination is disabled since ")
    assert fresh.reason.endswith("; retry once it works again.")
    assert (tried.status, tried.error_kind, tried.status_code) == ("failed", "", 503)
    assert elsewhere.status == "pending"


def test_they_are_ended_some_at_a_time(monkeypatch):
    monkeypatch.setattr("webhooks.destinations._END_AT_ONCE", 3)
    a_destination("disabled")
    for _ in range(5):
        make_job(URL)
    assert (end_jobs_of_disabled(), end_jobs_of_disabled(), end_jobs_of_disabled()) == (3, 2, 0)


def test_a_job_that_is_being_sent_is_left_to_its_outcome():
    a_destination("disabled")
    job = make_job(URL, status="sending", lease_token=TOKEN, attempts=1)
    assert end_jobs_of_disabled() == 0
    job.refresh_from_db()
    assert job.status == "sending"


def test_disabling_by_hand_remembers_who_did_it(boss):
    destination = a_destination("closed", failures=0, failing_since=None)
    disable_destination(destination=destination, actor=boss)
    destination.refresh_from_db()
    assert (destination.circuit, destination.disabled_by) == ("disabled", boss)
    assert destination.disabled_at is not None
    with pytest.raises(DestinationRefused):
        disable_destination(destination=destination, actor=boss)


def test_a_success_that_was_in_the_air_does_not_enable_it_again(boss):
    destination = a_destination("closed")
    make_job(URL)
    claimed = claim()
    disable_destination(destination=destination, actor=boss)
    finish(claimed, answer(200))
    destination.refresh_from_db()
    assert destination.circuit == "disabled"


def test_enabling_makes_it_as_good_as_new_and_tells_since_when_it_failed():
    destination = a_destination("disabled")
    since = destination.failing_since
    make_job(URL)
    assert enable_destination(destination=destination) == since
    destination.refresh_from_db()
    assert (destination.circuit, destination.failing_since, destination.last_error) == (
        "closed",
        None,
        "",
    )
    assert end_jobs_of_disabled() == 0
    assert len(claim()) == 1


def test_only_a_disabled_one_can_be_enabled():
    with pytest.raises(DestinationRefused):
        enable_destination(destination=a_destination("open"))


def test_days_of_failures_are_told_to_the_admins_in_the_app_and_by_mail(boss, settings):
    settings.ALERT_EMAILS = ["ops@example.com"]
    destination = a_destination("closed", failing_since=timezone.now() - timedelta(days=6))
    make_job(URL)
    finish(claim(), answer(500))
    destination.refresh_from_db()
    assert destination.circuit == "disabled"
    page = reverse("admin:webhooks_destination_change", args=[destination.pk])
    notification = Notification.objects.get()
    assert (notification.user, notification.url, notification.urgency) == (boss, page, "high")
    assert LANE in notification.title
    assert {tuple(mail.to) for mail in Mail.objects.all()} == {
        ("boss@example.com",),
        ("ops@example.com",),
    }
    send_mails()
    assert all(settings.PUBLIC_URL + page in message.body for message in outbox.outbox)


def test_it_is_told_once():
    User.objects.create_superuser("boss", "boss@example.com", "secret")
    a_destination("closed", failing_since=timezone.now() - timedelta(days=6))
    for _ in range(3):
        make_job(URL)
    jobs = claim()
    finish(jobs[:1], answer(500))
    finish(jobs[1:], answer(500))
    assert Notification.objects.count() == 1


def test_pending_jobs_are_counted_up_to_a_cap():
    a_destination()
    for _ in range(4):
        make_job(URL)
    make_job("http://127.0.0.1:10/hook")
    assert pending_counts([LANE]) == {LANE: 4}
    assert pending_counts([LANE], cap=2) == {LANE: 3}
    assert pending_counts([]) == {}


# --- pages -----------------------------------------------------------------------------------


def page_of(destination, name="change"):
    return reverse(f"admin:webhooks_destination_{name}", args=[destination.pk])


def text(response):
    return " ".join(response.content.decode().split())


def test_the_list_tells_each_state(client):
    a_destination()
    a_destination("disabled", lane="https://b.example:443")
    a_destination("closed", lane="https://c.example:443", failures=0, rate_per_s=5, concurrency=3)
    make_job(URL)
    page = text(client.get(reverse("admin:webhooks_destination_changelist")))
    for words in (
        "Paused after failures",
        "next probe",
        "Disabled",
        "Working",
        "3 at once, 5 per second",
    ):
        assert words in page


def test_the_list_costs_the_same_for_many(client, django_assert_max_num_queries):
    for number in range(3):
        a_destination(lane=f"https://{number}.example:443")
    address = reverse("admin:webhooks_destination_changelist")
    with django_assert_max_num_queries(30) as few:
        client.get(address)
    for number in range(3, 25):
        a_destination(lane=f"https://{number}.example:443")
    with django_assert_max_num_queries(len(few)):
        client.get(address)


def test_a_paused_ones_page_explains_itself_and_offers_what_helps(client):
    destination = a_destination()
    job = make_job(URL)
    WebhookJob.objects.filter(pk=job.pk).update(next_attempt_at=timezone.now())
    page = text(client.get(page_of(destination)))
    assert "14 requests in a row got no proper answer" in page
    assert "No answer." in page
    assert page_of(destination, "probe") in page
    assert page_of(destination, "enable") not in page


@pytest.mark.parametrize(
    ("circuit", "name", "words"),
    [
        ("open", "probe", "Nothing waits for it."),
        ("open", "close", "The pause is over"),
        ("disabled", "enable", "is enabled"),
        ("closed", "disable", "It is disabled."),
    ],
)
def test_each_button_does_its_work(client, circuit, name, words):
    destination = a_destination(circuit)
    page = client.post(page_of(destination, name), follow=True)
    assert words in text(page)


@pytest.mark.parametrize("name", ["probe", "close", "enable"])
def test_changes_are_posts(client, name):
    assert client.get(page_of(a_destination(), name)).status_code == 405


def test_disabling_asks_first_and_says_how_many_wait(client):
    destination = a_destination("closed")
    make_job(URL)
    page = text(client.get(page_of(destination, "disable")))
    assert f"Disable {LANE}?" in page
    assert "1 job that waits for it" in page
    destination.refresh_from_db()
    assert destination.circuit == "closed"


@pytest.mark.parametrize("name", ["probe", "close", "enable", "disable"])
def test_who_may_not_change_destinations_may_not_act(name):
    viewer = User.objects.create_user("vera", password="secret", is_staff=True)
    client = Client()
    client.force_login(viewer)
    assert client.post(page_of(a_destination(), name)).status_code == 403


@pytest.mark.parametrize("name", ["probe", "close", "enable", "disable"])
def test_what_is_refused_is_said(client, name):
    wrong = {"probe": "closed", "close": "closed", "enable": "open", "disable": "disabled"}[name]
    page = client.post(page_of(a_destination(wrong), name), follow=True)
    assert page.status_code == 200
    assert "This destination is" in text(page)


@pytest.mark.parametrize("pk", ["nonsense", "dest_00000000000000000000000000", "%00"])
def test_what_is_no_destination_is_not_found(client, pk):
    for name in ("probe", "disable"):
        assert client.post(f"/admin/webhooks/destination/{pk}/{name}/").status_code == 404


def test_enabling_leads_to_retrying_what_failed_meanwhile(client):
    destination = a_destination("disabled")
    make_job(URL)
    end_jobs_of_disabled()
    response = client.post(page_of(destination, "enable"))
    assert response.url.startswith(reverse("admin:webhooks_bulkretry_add"))
    assert "Retry 1 job?" in text(client.get(response.url))


def test_an_origin_without_a_row_can_be_given_limits(client):
    of = reverse("admin:webhooks_destination_of")
    response = client.get(of, {"lane": "https://api.example.com:443"})
    assert "lane=https%3A%2F%2Fapi.example.com%3A443" in response.url
    client.post(response.url, {"lane": "https://api.example.com/some/path", "rate_per_s": "5"})
    row = Destination.objects.get()
    assert (row.lane, row.rate_per_s) == ("https://api.example.com:443", 5)
    assert client.get(of, {"lane": row.lane}).url == page_of(row)


@pytest.mark.parametrize("lane", ["", "nonsense", "\0", "none", "secret:x"])
def test_what_is_no_origin_leads_to_the_list(client, lane):
    response = client.get(reverse("admin:webhooks_destination_of"), {"lane": lane})
    assert response.url == reverse("admin:webhooks_destination_changelist")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lane": "nonsense"}, "This is no origin"),
        ({"lane": LANE, "concurrency": "0"}, "greater than or equal to 1"),
        ({"lane": LANE, "rate_per_s": "-1"}, "greater than or equal to 0.01"),
    ],
)
def test_limits_that_make_no_sense_are_refused(client, values, words):
    page = client.post(reverse("admin:webhooks_destination_add"), values)
    assert words in text(page)


def test_the_latest_requests_are_shown_without_a_query_for_each(
    client, django_assert_max_num_queries
):
    destination = a_destination("closed")
    make_job(URL)
    finish(claim(), answer(200))
    with django_assert_max_num_queries(40) as few:
        page = text(client.get(page_of(destination)))
    assert "1 of the latest 1 succeeded" in page
    for _ in range(10):
        make_job(URL)
    finish(claim(), answer(404))
    with django_assert_max_num_queries(len(few)):
        page = text(client.get(page_of(destination)))
    assert "1 of the latest 11 succeeded" in page


def test_nobody_deletes_a_destination(client):
    assert client.post(page_of(a_destination(), "delete")).status_code == 403


# --- where jobs wait -------------------------------------------------------------------------


def test_jobs_that_wait_say_why_and_lead_to_the_destination(client):
    destination = a_destination()
    job = make_job(URL)
    link = page_of(destination)
    page = text(client.get(reverse("admin:webhooks_webhookjob_change", args=[job.pk])))
    assert f"<strong>{LANE}</strong> is paused since" in page
    assert link in page
    history = reverse("admin:webhooks_webhookjob_changelist")
    assert link in text(client.get(history, {"tab": "pending"}))
    assert link not in text(client.get(history))
