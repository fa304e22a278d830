"""The admin's pages of webhook jobs: what they show, what they let people do, and what they refuse."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from records.ids import new_id
from records.models import User
from tests.webhooks.jobs_at_hand import (
    a_failed_job,
    a_job,
    a_person,
    a_record,
    a_webhook,
    an_attempt,
    an_event,
    id_of_age,
)
from webhooks.binding import Credentials
from webhooks.models import JobChange, WebhookJob
from webhooks.models.destinations import Destination

pytestmark = pytest.mark.django_db

LIST = "/admin/webhooks/webhookjob/"
EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(a_person("boss", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def viewer() -> Client:
    """May see jobs and nothing else."""
    user = a_person("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_webhookjob"))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def refresh(client: Client, address: str, **headers: str) -> Any:
    """What HTMX gets: the live part of a page."""
    return client.get(address, headers={"HX-Request": "true", **headers})


def listed(html: str) -> list[str]:
    """The ids of the jobs in a list."""
    return re.findall(r'id="open-(job_\w+)"', html)


def of(job: WebhookJob, what: str = "change") -> str:
    return f"{LIST}{job.pk}/{what}/"


def told(client: Client, address: str) -> str:
    """The messages of the page that a POST leads to."""
    return unescape(page(client, address))


# --- the list ---


def test_each_tab_lists_its_jobs(boss: Client) -> None:
    jobs = {
        status: a_job(status=status).pk
        for status in ("succeeded", "failed", "cancelled", "pending", "sending")
    }

    assert listed(page(boss, LIST)) == list(jobs.values())[::-1]
    assert listed(page(boss, f"{LIST}?tab=failures")) == [jobs["failed"]]
    assert listed(page(boss, f"{LIST}?tab=pending")) == [jobs["sending"], jobs["pending"]]


def test_a_row_tells_what_happened_and_leads_to_the_causes(boss: Client) -> None:
    webhook, record = a_webhook("Notify CRM"), a_record("Grace Hopper")
    event = an_event(record)
    a_failed_job(webhook=webhook, record=record, event=event, status_code=404, duration_ms=1234)

    html = page(boss, LIST)

    for words in ("404 Not Found", "4 of 4", "1.2 s", "Grace Hopper", "Notify CRM", "Submitted"):
        assert words in html
    for address in (
        f"/admin/webhooks/webhook/{webhook.pk}/change/",
        f"/admin/records/record/{record.pk}/change/",
        f"/admin/records/event/{event.pk}/change/",
    ):
        assert f'href="{address}"' in html


def test_a_waiting_job_tells_when_it_is_tried_next(boss: Client) -> None:
    soon = timezone.now() + timedelta(minutes=4, seconds=30)
    a_job(status_code=503, attempts=1, next_attempt_at=soon)

    html = page(boss, f"{LIST}?tab=pending")

    assert "in 4 min" in html
    assert f'title="{soon:%Y-%m-%d %H:%M:%S} UTC"' in html
    assert "503 Service Unavailable" in html
    assert "Retrying" in html


def test_tests_are_marked(boss: Client) -> None:
    a_job(is_test=True)

    assert '<span class="jobs-badge">Test</span>' in page(boss, LIST)


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("all", "Nothing has been sent yet"),
        ("failures", "No failures"),
        ("pending", "Nothing is waiting"),
    ],
)
def test_an_empty_tab_says_what_it_is_for(boss: Client, tab: str, words: str) -> None:
    assert words in page(boss, f"{LIST}?tab={tab}")


def test_filters_in_the_address(boss: Client) -> None:
    webhook = a_webhook()
    mine = a_job(webhook=webhook, status="succeeded", status_code=201)
    dns = a_failed_job(status_code=None, error_kind="dns", id=id_of_age(timedelta(hours=30)))
    record = a_record()
    theirs = a_failed_job(record=record, url="https://needle.example.com/")

    def rows(query: str) -> list[str]:
        return listed(page(boss, f"{LIST}?{query}"))

    assert rows(f"webhook={webhook.pk}") == [mine.pk]
    assert rows("status=2xx") == [mine.pk]
    assert rows("error=dns") == [dns.pk]
    assert rows("time=24h") == [theirs.pk, mine.pk]
    yesterday = timezone.localtime() - timedelta(hours=29)
    assert rows(f"to={yesterday:%Y-%m-%dT%H:%M}") == [dns.pk]
    assert rows(f"from={yesterday:%Y-%m-%dT%H:%M}") == [theirs.pk, mine.pk]
    assert rows(f"q={mine.pk}") == [mine.pk]
    assert rows(f"q={mine.pk.upper()}".replace("JOB_", "job_")) == [mine.pk]
    assert rows(f"q={record.pk}") == [theirs.pk]
    assert rows("q=needle.example") == [theirs.pk]


def test_tabs_keep_the_filters_and_count_under_them(boss: Client) -> None:
    webhook = a_webhook()
    a_failed_job(webhook=webhook)
    a_failed_job()

    html = page(boss, f"{LIST}?webhook={webhook.pk}")

    link = re.search(
        r'id="tab-failures" href="([^"]+)".*?jobs-count[^>]*>([^<]+)<', html, re.DOTALL
    )
    assert link is not None
    assert f"webhook={webhook.pk}" in unescape(link[1])
    assert link[2] == "1"


def test_pages_follow_the_ids(boss: Client) -> None:
    ids = [a_job().pk for _ in range(60)][::-1]

    first = page(boss, LIST)
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = page(boss, LIST + unescape(older[1]))

    assert listed(first) + listed(second) == ids
    newer = re.search(r'rel="prev" href="([^"]+)"', second)
    assert newer is not None
    assert listed(page(boss, LIST + unescape(newer[1]))) == ids[:50]


def test_the_list_takes_as_many_queries_for_fifty_as_for_five(boss: Client) -> None:
    def jobs(number: int) -> None:
        for position in range(number):
            record = a_record(f"Record {position}")
            a_failed_job(
                webhook=a_webhook(f"Hook {position}"), record=record, event=an_event(record)
            )

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            refresh(boss, LIST)
        return len(counted)

    jobs(5)
    page(boss, LIST)
    few = queries()
    jobs(45)

    assert queries() == few


HOSTILE = [
    "tab=nope", "tab=", "webhook=x", "webhook=hook_zzz", "status=9xx", "status=2", "error=%27%22",
    "time=later", "from=yesterday", "from=0001-01-01T00:00", "to=9999-12-31T23:59", "to=0000-00-00",
    "from=2025-02-31T10:00", "from=2025-01-01", "before=x", "before=job_zzz", "after=%00", "q=%00",
    "q=job_", "q=job_zzzz", "q=rec_1", "q=evt_" + "z" * 26, "q=%F0%9F%92%A9", "q=%ff%fe", "q=" + "x" * 5000,
    "q=%25%5C_%27", "page=7", "o=1.2", "p=99999", "e=1", "all=", "_popup=1", "id__in=1", "tab=all&tab=pending",
    "before=" + "a" * 9000, "after=rec_01h455vb4pex5vsknk084sn02q", "webhook__secret=1",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_whatever_the_address_says_there_is_a_page(boss: Client, query: str) -> None:
    a_failed_job(webhook=a_webhook())

    assert boss.get(f"{LIST}?{query}").status_code == 200
    assert boss.get(f"{LIST}?{query}", headers={"HX-Request": "true"}).status_code == 200


def test_what_was_not_understood_is_told(boss: Client) -> None:
    html = told(boss, f"{LIST}?status=9xx&q=job_zzz&from=tomorrow&webhook=hook_1")

    assert "“9xx” is no choice of the filter “status”" in html
    assert "“job_zzz” is not an id" in html
    assert "“tomorrow” is no time" in html
    assert "“hook_1” is no id of a webhook" in html


def test_nothing_in_a_job_becomes_markup(boss: Client) -> None:
    webhook = a_webhook("Evil")
    record = a_record(EVIL)
    job = a_failed_job(
        webhook=webhook,
        webhook_name=EVIL,
        event_name=EVIL[:50],
        record=record,
        event=an_event(record, changed=[EVIL], actor_label=EVIL, subject_label=EVIL),
        url=f"https://example.com/{EVIL}",
        headers=[[EVIL, EVIL]],
        body=json.dumps({EVIL: [EVIL]}),
        error=f"`{EVIL}` {EVIL}",
        error_kind="dns",
        status_code=None,
        reason=EVIL,
    )
    for number, body in enumerate([EVIL, json.dumps({EVIL: EVIL}), f'{{"a": "{EVIL}'], start=1):
        an_attempt(
            job,
            number,
            status_code=500,
            response_headers=[["X", EVIL], [EVIL, "x"]],
            response_body=body,
            request_body=EVIL,
            error=EVIL,
            remote_address=EVIL[:60],
        )
    JobChange.objects.create(
        job=job,
        action="edited",
        actor=None,
        changes={"url": [EVIL, EVIL], "headers": [[[EVIL, EVIL]], []]},
    )

    addresses = [LIST, f"{LIST}?q={quote(EVIL)}", of(job), of(job, "edit")]
    for html in [page(boss, address) for address in addresses]:
        assert "<script>alert(1)" not in html
        assert "<img src=x" not in html
    confirm = boss.post(f"{LIST}bulk/", {"action": "retry", "ids": [job.pk]})
    assert "<script>alert(1)" not in confirm.content.decode()


# --- a job's page ---


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


# --- live ---


def test_the_list_refreshes_itself_only_when_something_is_new(boss: Client) -> None:
    job = a_job()
    html = page(boss, LIST)
    assert 'data-open="1"' in html
    digest = re.search(r'data-digest="(\w+)"', html)
    assert digest is not None

    assert refresh(boss, LIST, **{"X-Live-Digest": digest[1]}).status_code == 204

    WebhookJob.objects.filter(pk=job.pk).update(status="succeeded", status_code=200)
    answer = refresh(boss, LIST, **{"X-Live-Digest": digest[1]})
    assert (answer.status_code, answer["X-Live-Open"]) == (200, "0")
    part = answer.content.decode()
    assert "200 OK" in part
    assert '<div id="tabs" hx-swap-oob="innerHTML">' in part
    assert "<html" not in part


def test_a_job_refreshes_itself_until_it_has_ended(boss: Client) -> None:
    job = a_job(status="sending", attempts=1)
    assert 'data-open="1"' in page(boss, of(job))

    WebhookJob.objects.filter(pk=job.pk).update(status="succeeded", status_code=200)
    answer = refresh(boss, of(job))
    assert answer["X-Live-Open"] == "0"
    assert "200 OK" in answer.content.decode()


def test_a_step_back_in_the_browser_gets_the_whole_page(boss: Client) -> None:
    answer = refresh(boss, LIST, **{"HX-History-Restore-Request": "true"})

    assert "<html" in answer.content.decode()


# --- retry, cancel ---


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


# --- many ---


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


# --- edit and retry ---


def edit(client: Client, job: WebhookJob, **values: str) -> Any:
    given = {
        "url": job.url,
        "headers": "\r\n".join(f"{name}: {value}" for name, value in job.headers),
        "body": job.body,
        "seen_attempts": str(job.attempts),
    }
    return client.post(of(job, "edit"), {**given, **values}, follow=True)


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
