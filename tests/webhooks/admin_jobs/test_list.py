"""The list of webhook jobs: tabs, filters, pages, and what is refreshed."""

import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.webhooks.admin_jobs.pages import LIST, of, page, refresh, told
from tests.webhooks.jobs_at_hand import (
    a_failed_job,
    a_job,
    a_record,
    a_webhook,
    an_attempt,
    an_event,
    id_of_age,
)
from webhooks.models import JobChange, WebhookJob

pytestmark = pytest.mark.django_db


EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"


def listed(html: str) -> list[str]:
    """The ids of the jobs in a list."""
    return re.findall(r'id="open-(job_\w+)"', html)


# --- the list ----------------------------------------------------------------------------------


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


# --- live --------------------------------------------------------------------------------------


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
