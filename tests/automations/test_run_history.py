"""The history of runs, asked for in every way: tabs, filters, search, pages, bounded looks; how long it is kept."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from automations import history
from automations.history import RunsQuery, Tab, count_tabs, neighbours_of, page_of
from automations.models import Run, StepRun
from tests.automations.runs_at_hand import a_run, a_step, an_automation, run_id_of_age
from tests.webhooks.jobs_at_hand import a_record, an_event
from webhooks.models import RetentionState
from webhooks.retention import run_retention

pytestmark = pytest.mark.django_db

STATUSES = (
    "succeeded",
    "failed",
    "halted",
    "cancelled",
    "skipped",
    "pending",
    "running",
    "waiting",
)


def found(query: RunsQuery | None = None, **where: str) -> list[str]:
    return [run.pk for run in page_of(query or RunsQuery(), **where).runs]


def counts(query: RunsQuery | None = None) -> dict[str, str]:
    return {str(tab): str(count) for tab, count in count_tabs(query or RunsQuery()).items()}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pages, windows and caps, so that a test needs few rows."""
    monkeypatch.setattr(history, "PAGE_SIZE", 3)
    monkeypatch.setattr(history, "WINDOW", 5)
    monkeypatch.setattr(history, "SCATTERED_WINDOW", 4)
    monkeypatch.setattr(history, "COUNT_CAP", 4)


# --- tabs and filters ---


def test_each_tab_has_its_runs_newest_first() -> None:
    runs = {status: a_run(status=status).pk for status in STATUSES}

    newest_first = [runs[status] for status in reversed(STATUSES)]
    assert found() == [pk for pk in newest_first if pk != runs["skipped"]]
    assert found(RunsQuery(tab=Tab.FAILURES)) == [runs["failed"]]
    assert found(RunsQuery(tab=Tab.NOT_FIRED)) == [runs["skipped"]]
    assert found(RunsQuery(tab=Tab.WAITING)) == [
        runs["waiting"], runs["running"], runs["pending"],
    ]  # fmt: skip
    assert counts() == {"all": "7", "failures": "1", "waiting": "3", "not_fired": "1"}


def test_counts_stop_at_the_cap(small: None) -> None:
    for _ in range(6):
        a_run()

    assert counts() == {"all": "4+", "failures": "0", "waiting": "0", "not_fired": "0"}


@pytest.mark.parametrize("status", ["succeeded", "failed", "halted", "cancelled"])
def test_filter_by_status(status: str) -> None:
    runs = {each: a_run(status=each).pk for each in STATUSES}

    assert found(RunsQuery(status=status)) == [runs[status]]
    # The other tabs count what they show without it.
    assert counts(RunsQuery(status=status)) == {
        "all": "1", "failures": "1", "waiting": "3", "not_fired": "1",
    }  # fmt: skip


def test_filters_by_automation_event_record_and_cause() -> None:
    other, record = an_automation("Other"), a_record()
    event = an_event(record)
    cause = a_run(an_automation("First"))
    run = a_run(other, record=record, event=event, caused_by=cause)
    skipped = a_run(other, record=record, event=event, caused_by=cause, status="skipped")

    for query in (
        {"automation_id": other.automation_id},
        {"event_id": event.pk},
        {"record_id": record.pk},
        {"cause_id": cause.pk},
        {"cause_id": cause.pk, "automation_id": other.automation_id, "status": "succeeded"},
    ):
        assert found(RunsQuery(**query)) == [run.pk], query
        assert counts(RunsQuery(**query))["all"] == "1"
        if "status" not in query:
            assert found(RunsQuery(tab=Tab.NOT_FIRED, **query)) == [skipped.pk]
            assert counts(RunsQuery(**query))["not_fired"] == "1"


def test_filters_by_mode_kind_of_error_and_words() -> None:
    plain = a_run()
    test = a_run(mode="test")
    failed = a_run(status="failed", reason="Tell them: 503", error={"kind": "status", "path": ""})

    assert found(RunsQuery(mode="test")) == [test.pk]
    assert found(RunsQuery(mode="live")) == [failed.pk, plain.pk]
    assert found(RunsQuery(error_kind="status")) == [failed.pk]
    assert found(RunsQuery(text="tell THEM")) == [failed.pk]
    assert found(RunsQuery(text="nobody")) == []


def test_filter_by_time_is_a_range_of_ids() -> None:
    now = timezone.now()
    old = a_run(id=run_id_of_age(timedelta(hours=3)))
    young = a_run()

    assert found(RunsQuery(since=now - timedelta(hours=1))) == [young.pk]
    assert found(RunsQuery(until=now - timedelta(hours=1))) == [old.pk]


def test_a_run_that_is_asked_for_by_its_id_is_found_in_any_tab() -> None:
    run = a_run(status="skipped")

    assert found(RunsQuery(run_id=run.pk)) == [run.pk]
    assert found(RunsQuery(tab=Tab.FAILURES, run_id=run.pk)) == [run.pk]
    assert found(RunsQuery(is_impossible=True)) == []


# --- pages ---


def test_pages_lead_to_the_oldest_and_back_without_gaps_or_repeats(small: None) -> None:
    runs = [a_run().pk for _ in range(8)][::-1]

    first = page_of(RunsQuery())
    second = page_of(RunsQuery(), before=first.older or "")
    third = page_of(RunsQuery(), before=second.older or "")
    assert [run.pk for page in (first, second, third) for run in page.runs] == runs
    assert (first.newer, third.older) == (None, None)
    assert found(after=third.newer or "") == runs[3:6]
    assert found(after=second.newer or "") == runs[:3]


def test_a_search_looks_through_a_window_and_goes_on_from_its_end(small: None) -> None:
    wanted = a_run(reason="needle").pk
    for _ in range(6):
        a_run()

    page = page_of(RunsQuery(text="needle"))

    assert (page.runs, page.looked_through) == ([], 5)
    assert page.looked_back_to is not None
    assert found(RunsQuery(text="needle"), before=page.older or "") == [wanted]
    assert counts(RunsQuery(text="needle"))["all"] == "…"


def test_neighbours_are_of_the_same_automation_and_fired_or_not_as_it_did() -> None:
    version, other = an_automation(), an_automation("Other")
    first, _, skipped, last = (
        a_run(version), a_run(other), a_run(version, status="skipped"), a_run(version),
    )  # fmt: skip

    assert neighbours_of(first) == (None, last.pk)
    assert neighbours_of(last) == (first.pk, None)
    assert neighbours_of(skipped) == (None, None)


# --- retention ---


def old_run(days: int, status: str = "succeeded", **values: Any) -> Run:
    then = timezone.now() - timedelta(days=days)
    pk = run_id_of_age(timedelta(days=days))
    ended = None if status == "waiting" else then
    return a_run(id=pk, status=status, **{"created_at": then, "finished_at": ended, **values})


def left() -> set[str]:
    return set(Run.objects.values_list("pk", flat=True))


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Cleans up to the end."""
    monkeypatch.setattr("webhooks.retention.time.sleep", lambda seconds: None)

    def run() -> None:
        RetentionState.objects.update(next_run_at=timezone.now())
        run_retention()

    return run


def test_successes_go_after_thirty_days_and_failures_stay_longer(clean: Any) -> None:
    young = old_run(29)
    failed = [old_run(89, "failed") for _ in range(3)]
    for status in ("succeeded", "halted", "cancelled"):
        old_run(31, status)
    very_old = old_run(91, "failed")
    a_step(very_old)

    clean()

    assert left() == {young.pk, *(run.pk for run in failed)}
    assert not StepRun.objects.exists()


def test_open_runs_and_those_that_ended_lately_stay_although_they_are_old(clean: Any) -> None:
    waiting = old_run(400, "waiting")
    ended = old_run(400, finished_at=timezone.now())

    clean()

    assert left() == {waiting.pk, ended.pk}


def test_of_each_automation_the_newest_that_did_not_fire_are_kept(
    clean: Any, settings: Any
) -> None:
    settings.RETENTION_RUNS_NOT_FIRED = 2
    busy, quiet = an_automation("Busy"), an_automation("Quiet")
    old = old_run(300, "skipped", version=quiet)
    runs = [a_run(busy, status="skipped") for _ in range(5)]
    fired = [a_run(busy) for _ in range(3)]

    clean()

    assert left() == {old.pk, runs[3].pk, runs[4].pk, *(run.pk for run in fired)}


@pytest.mark.parametrize(
    ("setting", "status"),
    [
        ("RETENTION_RUNS_SUCCEEDED_DAYS", "succeeded"),
        ("RETENTION_RUNS_FAILED_DAYS", "failed"),
        ("RETENTION_RUNS_NOT_FIRED", "skipped"),
    ],
)
def test_zero_keeps_for_ever(clean: Any, settings: Any, setting: str, status: str) -> None:
    setattr(settings, setting, 0)
    runs = {old_run(2000, status).pk for _ in range(60)}

    clean()

    assert left() == runs
