"""What people may do to jobs in the admin: retry, cancel, edit, and many at once."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from records.models import User
from tests.webhooks.admin_jobs.pages import LIST, edit, of, page, told
from tests.webhooks.jobs_at_hand import a_failed_job, a_job, a_person, a_record, a_webhook, an_event
from webhooks.binding import Credentials
from webhooks.models import JobChange, WebhookJob

pytestmark = pytest.mark.django_db


# --- retry, cancel -----------------------------------------------------------------------------


def test_retry_puts_a_job_back_and_keeps_who_did_it(boss: Client) -> None:
    job = a_failed_job()
    response = boss.post(of(job, "retry"), {"seen_attempts": job.attempts}, follow=True)

    job.refresh_from_db()
    assert response.redirect_chain == [(of(job), 302)]
    assert job.status == "pending"
    assert job.changes.get().actor == User.objects.get(username="boss")
    assert "pending again" in response.content.decode()


def test_two_clicks_on_retry_make_one(boss: Client) -> None:
    job = a_failed_job()
    for _ in range(2):
        boss.post(of(job, "retry"), {"seen_attempts": job.attempts})

    job.refresh_from_db()
    assert (job.manual_attempts, job.changes.count()) == (1, 1)


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 5000, "１"])
def test_retry_takes_any_number_of_attempts_calmly(boss: Client, seen: str) -> None:
    assert boss.post(of(a_failed_job(), "retry"), {"seen_attempts": seen}).status_code == 302


def test_a_refusal_is_told_in_words(boss: Client) -> None:
    job = a_job(status="sending", attempts=1)
    for what in ("retry", "cancel"):
        html = boss.post(of(job, what), follow=True).content.decode()
        assert "This job is being sent right now." in html


def test_a_retry_that_cannot_make_the_request_says_why(boss: Client) -> None:
    webhook = a_webhook(body_kind="text", body="{{ record.nmae }}")
    job = a_failed_job(webhook=webhook, event=an_event(), error_kind="template", attempts=0)

    html = told(boss, boss.post(of(job, "retry"))["Location"])

    assert "The request still can't be made." in html


def test_cancel_gives_up(boss: Client) -> None:
    job = a_job()
    boss.post(of(job, "cancel"))

    job.refresh_from_db()
    assert job.status == "cancelled"


@pytest.mark.parametrize("what", ["retry", "cancel"])
def test_changes_are_posts(boss: Client, what: str) -> None:
    job = a_failed_job()

    assert boss.get(of(job, what)).status_code == 405
    job.refresh_from_db()
    assert job.status == "failed"


def test_changes_need_the_token_of_the_form() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_person("boss", is_staff=True, is_superuser=True))
    job = a_failed_job()

    for address in (of(job, "retry"), of(job, "cancel"), of(job, "edit"), f"{LIST}bulk/"):
        assert client.post(address, {"action": "retry", "ids": [job.pk]}).status_code == 403


def test_who_may_only_see_changes_nothing(viewer: Client) -> None:
    job = a_failed_job()

    assert page(viewer, LIST).count("checkbox") == 0
    for address in (of(job, "retry"), of(job, "cancel"), of(job, "edit"), f"{LIST}bulk/"):
        assert viewer.post(address, {"action": "retry", "ids": [job.pk]}).status_code == 403
    assert viewer.get(of(job, "edit")).status_code == 403
    assert JobChange.objects.count() == 0


def test_who_may_only_see_jobs_gets_no_links_to_other_pages(viewer: Client) -> None:
    record = a_record()
    job = a_failed_job(webhook=a_webhook(), record=record, event=an_event(record))

    for html in (page(viewer, LIST), page(viewer, of(job))):
        assert "/admin/webhooks/webhook/" not in html
        assert "/admin/records/event/" not in html
        assert "/admin/records/record/" not in html


def test_who_may_not_see_jobs_sees_none(client: Client) -> None:
    job = a_failed_job()
    client.force_login(a_person("other", is_staff=True))

    for address in (LIST, of(job), of(job, "edit")):
        assert client.get(address).status_code == 403
    client.logout()
    assert client.get(LIST).status_code == 302


def test_jobs_are_neither_added_nor_deleted_by_hand(boss: Client) -> None:
    job = a_failed_job()

    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.post(of(job, "delete"), {"post": "yes"}).status_code == 403
    assert WebhookJob.objects.filter(pk=job.pk).exists()


# --- many --------------------------------------------------------------------------------------


def test_many_are_retried_after_telling_how_many(boss: Client) -> None:
    failed = [a_failed_job() for _ in range(3)]
    sent = a_job(status="succeeded")
    chosen = {"action": "retry", "ids": [job.pk for job in [*failed, sent]]}

    confirm = boss.post(f"{LIST}bulk/?tab=failures", chosen).content.decode()
    assert "Retry 3 jobs?" in confirm
    assert "1 of the chosen jobs is left alone" in confirm
    assert WebhookJob.objects.filter(status="failed").count() == 3

    done = boss.post(f"{LIST}bulk/?tab=failures", {**chosen, "confirmed": "1"}, follow=True)
    assert done.redirect_chain == [(f"{LIST}?tab=failures", 302)]
    words = unescape(done.content.decode())
    assert "3 jobs put back to pending. 1 job left alone" in words
    assert WebhookJob.objects.filter(status="pending").count() == 3


def test_all_that_match_are_those_of_the_question(boss: Client) -> None:
    webhook = a_webhook()
    mine = [a_failed_job(webhook=webhook) for _ in range(3)]
    other = a_failed_job()
    address = f"{LIST}bulk/?tab=failures&webhook={webhook.pk}"

    confirm = boss.post(address, {"action": "retry", "everything": "1"}).content.decode()
    assert "Retry 3 jobs?" in confirm
    up_to = re.search(r'name="up_to" value="(job_\w+)"', confirm)
    assert up_to is not None
    later = a_failed_job(webhook=webhook)
    boss.post(address, {"action": "retry", "everything": "1", "confirmed": "1", "up_to": up_to[1]})

    assert set(WebhookJob.objects.filter(status="pending")) == set(mine)
    assert set(WebhookJob.objects.filter(status="failed")) == {other, later}


def test_many_are_cancelled(boss: Client) -> None:
    jobs = [a_job() for _ in range(2)]
    boss.post(
        f"{LIST}bulk/", {"action": "cancel", "confirmed": "1", "ids": [job.pk for job in jobs]}
    )

    assert WebhookJob.objects.filter(status="cancelled").count() == 2


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"action": "delete_selected", "ids": ["x"]},
        {"action": "retry"},
        {"action": "retry", "ids": ["x", "", "job_zz", "\0"]},
        {"action": "retry", "everything": "1", "up_to": "nonsense"},
        {"action": "cancel", "ids": ["rec_01h455vb4pex5vsknk084sn02q"], "confirmed": "1"},
    ],
)
def test_nonsense_for_many_does_nothing(boss: Client, data: dict[str, Any]) -> None:
    a_job(status="succeeded")

    assert boss.post(f"{LIST}bulk/", data, follow=True).status_code == 200
    assert JobChange.objects.count() == 0


def test_the_page_for_many_is_no_place_to_go(boss: Client) -> None:
    assert boss.get(f"{LIST}bulk/")["Location"] == LIST


# --- edit and retry ----------------------------------------------------------------------------


def test_an_edit_is_sent_and_kept(boss: Client) -> None:
    job = a_failed_job()
    response = edit(
        boss, job, url="https://new.example.com/x", headers="X-A: 1\nX-B: a: b", body="{}"
    )

    job.refresh_from_db()
    assert response.redirect_chain == [(of(job), 302)]
    assert (job.status, job.url, job.body) == ("pending", "https://new.example.com/x", "{}")
    assert job.headers == [["X-A", "1"], ["X-B", "a: b"]]
    change = job.changes.get()
    assert change.changes["url"] == ["https://api.example.com/leads", "https://new.example.com/x"]
    assert "new.example.com" in response.content.decode()


def test_the_form_shows_what_is_there(boss: Client) -> None:
    job = a_failed_job(body="\nline two </textarea>", headers=[["X-A", "1"], ["X-B", "2"]])
    html = page(boss, of(job, "edit"))

    assert "X-A: 1\nX-B: 2" in html
    assert "\n\nline two &lt;/textarea&gt;" in html  # a browser drops the first line break


def test_what_nobody_touched_stays_to_the_byte(boss: Client) -> None:
    job = a_failed_job(body="a\r\nb\rc\n", headers=[["X-A", "  wide "], ["X-A", "2"]])
    edit(boss, job, body="a\r\nb\r\nc\r\n", url="https://new.example.com/")

    job.refresh_from_db()
    assert job.body == "a\r\nb\rc\n"
    assert set(job.changes.get().changes) == {"url"}


def test_line_breaks_of_the_browser_are_not_sent(boss: Client) -> None:
    job = a_failed_job()
    edit(boss, job, body="a\r\nb")

    job.refresh_from_db()
    assert job.body == "a\nb"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": ""}, "This field is required"),
        ({"url": "ftp://example.com/"}, "http"),
        ({"url": "http://127.0.0.1/"}, "loopback"),
        ({"url": "http://169.254.169.254/latest"}, "link-local"),
        ({"url": "https://user:pw@example.com/"}, "user name or password"),
        ({"headers": "no colon"}, "Line 1: there is no colon"),
        ({"headers": "\n\nX A: b"}, "Line 3, X A"),
        ({"headers": ": b"}, "Line 1, no name"),
        ({"headers": "Host: x"}, "Line 1, Host: Signalbox sets this header itself"),
        ({"headers": "A: 1\nwebhook-id: x"}, "Line 2, webhook-id"),
        ({"body": "a\0b"}, "Null characters are not allowed"),
        ({"seen_attempts": "x"}, "See below"),
    ],
)
def test_what_cannot_be_sent_is_explained(boss: Client, values: dict[str, str], words: str) -> None:
    job = a_failed_job()
    response = edit(boss, job, **values)

    assert response.redirect_chain == []
    assert words in unescape(response.content.decode())
    job.refresh_from_db()
    assert job.status == "failed"


def test_a_body_that_is_not_json_is_sent_with_a_warning(boss: Client) -> None:
    job = a_failed_job()
    response = edit(boss, job, body='{"a":\n oops}')

    job.refresh_from_db()
    assert job.status == "pending"
    assert "not valid JSON (line 2, column 2" in unescape(response.content.decode())


def test_a_body_nested_beyond_reason_is_no_error(boss: Client) -> None:
    job = a_failed_job(body="[" * 100_000)
    assert page(boss, of(job))
    assert edit(boss, job).status_code == 200


@pytest.mark.parametrize("status", ["sending", "succeeded", "cancelled"])
def test_a_job_that_cannot_be_edited_has_no_form(boss: Client, status: str) -> None:
    job = a_job(status=status)
    for response in (boss.get(of(job, "edit"), follow=True), edit(boss, job, body="x")):
        assert response.redirect_chain == [(of(job), 302)]
    job.refresh_from_db()
    assert job.body == '{"a":1}'


def test_a_job_that_went_on_while_the_form_was_open_is_not_overwritten(boss: Client) -> None:
    job = a_failed_job(attempts=3)
    response = edit(boss, job, body="x", seen_attempts="2")

    assert "tried again since you opened it" in unescape(response.content.decode())
    job.refresh_from_db()
    assert job.body == '{"a":1}'


def test_a_job_with_a_client_certificate_names_it(boss: Client) -> None:
    job = a_job(credentials=Credentials(certificate="partner_cert").to_json())
    html = page(boss, f"{LIST}{job.pk}/change/")
    assert "With the client certificate <code>partner_cert</code>" in html
    assert "--cert ./partner_cert.pem" in html
    other = page(boss, f"{LIST}{a_job().pk}/change/")
    assert "certificate</" not in other
    assert "--cert" not in other
