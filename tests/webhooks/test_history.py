"""The history, asked for in every way: tabs, filters, search, pages, bounded looks."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from records.ids import new_id
from tests.webhooks.jobs_at_hand import (
    a_failed_job,
    a_job,
    a_record,
    a_webhook,
    an_event,
    id_of_age,
)
from webhooks import history
from webhooks.history import Count, HistoryQuery, Tab, count_tabs, ids_of, page_of
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db


def found(query: HistoryQuery | None = None, **where: str) -> list[str]:
    return [job.pk for job in page_of(query or HistoryQuery(), **where).jobs]


def some_jobs(number: int, **values: Any) -> list[str]:
    """Newest first, as pages have them."""
    return [a_job(**values).pk for _ in range(number)][::-1]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, windows and caps, so that a test needs few rows."""
    monkeypatch.setattr(history, "PAGE_SIZE", 3)
    monkeypatch.setattr(history, "WINDOW", 5)
    monkeypatch.setattr(history, "SCATTERED_WINDOW", 4)
    monkeypatch.setattr(history, "COUNT_CAP", 4)


# --- tabs ---


def test_each_tab_has_its_jobs_newest_first() -> None:
    jobs = {
        status: a_job(status=status).pk
        for status in ("succeeded", "failed", "cancelled", "pending", "sending")
    }

    assert found() == list(jobs.values())[::-1]
    assert found(HistoryQuery(tab=Tab.FAILURES)) == [jobs["failed"]]
    assert found(HistoryQuery(tab=Tab.PENDING)) == [jobs["sending"], jobs["pending"]]
    assert {tab: str(count) for tab, count in count_tabs(HistoryQuery()).items()} == {
        "all": "5",
        "failures": "1",
        "pending": "2",
    }


def test_counts_stop_at_the_cap(small: None) -> None:
    some_jobs(4)
    assert count_tabs(HistoryQuery())[Tab.ALL] == Count(4)
    a_job()
    assert str(count_tabs(HistoryQuery())[Tab.ALL]) == "4+"


def test_large_counts_have_separators() -> None:
    assert str(Count(1000, more=True)) == "1,000+"


# --- filters ---


def test_filter_by_webhook() -> None:
    one, other = a_webhook("One"), a_webhook("Other")
    mine = a_job(webhook=one)
    a_job(webhook=other)

    assert found(HistoryQuery(webhook_id=one.pk)) == [mine.pk]


@pytest.mark.parametrize("status_class", [2, 3, 4, 5])
def test_filter_by_class_of_status(status_class: int) -> None:
    jobs = {code // 100: a_failed_job(status_code=code).pk for code in (200, 302, 404, 599)}
    a_job()

    assert found(HistoryQuery(status_class=status_class)) == [jobs[status_class]]


def test_filter_by_kind_of_error() -> None:
    dns = a_failed_job(status_code=None, error_kind="dns")
    a_failed_job(status_code=None, error_kind="tls")

    assert found(HistoryQuery(error_kind="dns")) == [dns.pk]


def test_filter_by_time_is_a_range_of_ids() -> None:
    now = timezone.now()
    ages = [timedelta(minutes=m) for m in (5, 65, 3000)]
    new, middle, old = (a_job(id=id_of_age(age, now)).pk for age in ages)

    hour_ago, day_ago = now - timedelta(hours=1), now - timedelta(days=1)
    assert found(HistoryQuery(since=hour_ago)) == [new]
    assert found(HistoryQuery(since=day_ago, until=hour_ago)) == [middle]
    assert found(HistoryQuery(until=day_ago)) == [old]


def test_filters_add_up() -> None:
    webhook = a_webhook()
    wanted = a_failed_job(webhook=webhook, status_code=404)
    a_failed_job(webhook=webhook, status_code=500)
    a_failed_job(status_code=404)
    a_job(webhook=webhook, status_code=404, status="pending")

    query = HistoryQuery(tab=Tab.FAILURES, webhook_id=webhook.pk, status_class=4)
    assert found(query) == [wanted.pk]


# --- search ---


def test_search_by_ids() -> None:
    record = a_record()
    event = an_event(record)
    job = a_job(record=record, event=event)
    a_job()

    assert found(HistoryQuery(job_id=job.pk)) == [job.pk]
    assert found(HistoryQuery(record_id=record.pk)) == [job.pk]
    assert found(HistoryQuery(event_id=event.pk)) == [job.pk]
    assert found(HistoryQuery(job_id=new_id("job"))) == []
    assert found(HistoryQuery(is_impossible=True)) == []


@pytest.mark.parametrize("text", ["crm.EXAMPLE.com", "/v2/leads?", "100%_real"])
def test_search_by_part_of_the_url(text: str) -> None:
    job = a_job(url="https://CRM.example.com/v2/leads?x=100%_real")
    a_job(url="https://other.example.org/v2/100XXreal")

    assert found(HistoryQuery(text=text)) == [job.pk]


def test_search_finds_names_of_webhooks_and_words_of_errors() -> None:
    named = a_job(webhook_name="Warehouse sync")
    failed = a_failed_job(error="Connection refused by 10.1.2.3", error_kind="connect")

    assert found(HistoryQuery(text="warehouse")) == [named.pk]
    assert found(HistoryQuery(text="refused")) == [failed.pk]


# --- pages ---


def test_pages_lead_to_the_oldest_and_back_without_gaps_or_repeats(small: None) -> None:
    ids = some_jobs(8)

    first = page_of(HistoryQuery())
    assert ([job.pk for job in first.jobs], first.newer) == (ids[:3], None)
    second = page_of(HistoryQuery(), before=first.older or "")
    assert [job.pk for job in second.jobs] == ids[3:6]
    third = page_of(HistoryQuery(), before=second.older or "")
    assert ([job.pk for job in third.jobs], third.older) == (ids[6:], None)

    back = page_of(HistoryQuery(), after=third.newer or "")
    assert [job.pk for job in back.jobs] == ids[3:6]
    top = page_of(HistoryQuery(), after=back.newer or "")
    assert ([job.pk for job in top.jobs], top.newer) == (ids[:3], None)


def test_a_page_stays_the_same_while_newer_jobs_come(small: None) -> None:
    ids = some_jobs(6)
    older = page_of(HistoryQuery()).older or ""
    some_jobs(5)

    assert found(before=older) == ids[3:6]


def test_newer_jobs_than_the_newest_are_the_newest_page(small: None) -> None:
    ids = some_jobs(2)

    assert found(after=ids[0]) == ids


def test_an_empty_older_page_leads_back(small: None) -> None:
    ids = some_jobs(2)
    page = page_of(HistoryQuery(), before=ids[-1])

    assert (page.jobs, page.older, page.newer) == ([], None, ids[-1])


# --- bounded looks ---


def test_a_search_looks_through_a_window_and_goes_on_from_its_end(small: None) -> None:
    old = a_job(url="https://needle.example.com/")
    ids = some_jobs(6)

    page = page_of(HistoryQuery(text="needle"))
    assert page.jobs == []
    assert page.older == ids[4]
    assert page.looked_through == 5
    assert page.looked_back_to is not None
    created_at = WebhookJob.objects.get(pk=ids[4]).created_at
    assert abs(page.looked_back_to - created_at) < timedelta(seconds=5)

    further = page_of(HistoryQuery(text="needle"), before=page.older or "")
    assert [job.pk for job in further.jobs] == [old.pk]
    assert (further.looked_back_to, further.older) == (None, None)


def test_a_full_page_does_not_speak_of_the_window(small: None) -> None:
    some_jobs(9, url="https://needle.example.com/")
    page = page_of(HistoryQuery(text="needle"))

    assert len(page.jobs) == 3
    assert page.looked_back_to is None
    assert page.older == page.jobs[-1].pk


def test_the_count_of_a_bounded_look_says_that_there_may_be_more(small: None) -> None:
    a_job(url="https://needle.example.com/")
    some_jobs(6)
    a_job(url="https://needle.example.com/")

    counts = count_tabs(HistoryQuery(text="needle"))
    assert {tab: str(count) for tab, count in counts.items()} == {
        "all": "1+",
        "failures": "…",
        "pending": "1+",
    }


def test_counts_under_filters_are_those_of_the_newest_that_match(small: None) -> None:
    webhook = a_webhook()
    for status in ("failed", "failed", "pending", "succeeded"):
        a_job(webhook=webhook, status=status)
    a_failed_job()

    query = HistoryQuery(tab=Tab.FAILURES, webhook_id=webhook.pk)
    assert {tab: str(count) for tab, count in count_tabs(query).items()} == {
        "all": "4",
        "failures": "2",
        "pending": "1",
    }
    a_job(webhook=webhook)
    assert {tab: str(count) for tab, count in count_tabs(query).items()} == {
        "all": "4+",
        "failures": "2+",
        "pending": "2+",
    }


def test_two_filters_look_through_a_shorter_window(small: None) -> None:
    webhook = a_webhook()
    wanted = a_failed_job(webhook=webhook, status_code=None, error_kind="dns")
    for _ in range(4):
        a_failed_job(status_code=None, error_kind="dns")

    query = HistoryQuery(webhook_id=webhook.pk, error_kind="dns")
    page = page_of(query)
    assert (page.jobs, page.looked_through) == ([], 4)
    assert found(query, before=page.older or "") == [wanted.pk]


def test_one_filter_that_has_an_index_is_never_bounded(small: None) -> None:
    wanted = a_failed_job(status_code=None, error_kind="dns")
    some_jobs(9)

    page = page_of(HistoryQuery(error_kind="dns"))
    assert ([job.pk for job in page.jobs], page.looked_back_to) == ([wanted.pk], None)


# --- all that match ---


def test_ids_of_all_that_match_are_those_that_can_be_acted_on_and_not_newer() -> None:
    failed = [a_failed_job().pk for _ in range(3)]
    a_job(status="succeeded")
    later = a_failed_job().pk

    assert ids_of(HistoryQuery(up_to=failed[-1]), ["failed"], 10) == failed[::-1]
    assert ids_of(HistoryQuery(), ["failed"], 2) == [later, failed[-1]]
