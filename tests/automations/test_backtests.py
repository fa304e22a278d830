"""What a draft would have done in the last days, from what was captured."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from automations import backtests
from automations.backtests import FIRED, HELD_BACK, UNFIT, Backtest, Tally, buckets_of
from automations.services import create_automation
from automations.timers import TICK
from records.ids import first_id_at
from records.models import Event, ObjectDefinition, Record, User
from records.services import update_record
from tests.automations.making import ON_CREATED, make_company, make_lead, make_leads, step
from tests.records.making import make_user

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
RICH = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 9}]}
ON_AMOUNT = {"type": "field_changed", "config": {"object": "leads", "fields": ["amount"]}}


def backtest_of(
    trigger: dict[str, Any] | None = None,
    conditions: dict[str, Any] | None = None,
    user: User | None = None,
) -> Backtest:
    draft = {
        "trigger": trigger or ON_CREATED,
        "conditions": conditions,
        "steps": [step("add_comment", body="x")],
    }
    automation = create_automation(name="Draft", draft=draft)
    return Backtest(automation, automation.draft, user or make_user("root", is_superuser=True))


def looked(backtest: Backtest, days: int = 7, *, slices: int = 100) -> Tally:
    """All of it, through JSON from slice to slice, as the page does it."""
    tally = Tally.begin(days, timezone.now())
    for _ in range(slices):
        if tally.is_done:
            break
        tally = Tally.from_json(tally.to_json())
        backtest.go_on(tally)
    return tally


def totals(tally: Tally) -> tuple[int, int, int]:
    return tally.total(FIRED), tally.total(HELD_BACK), tally.total(UNFIT)


@pytest.fixture
def history() -> list[Record]:
    """Four leads on four days, the last one of twenty days ago; and a company."""
    made = []
    for days, amount in ((20, 50), (3, 5), (2, 50), (1, 500)):
        with time_machine.travel(NOW - timedelta(days=days), tick=False):
            if not made:
                make_leads()
            made.append(make_lead(name=f"Lead {days}", amount=amount))
    with time_machine.travel(NOW, tick=False):
        make_company()
    return made


@pytest.fixture(autouse=True)
def now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def test_what_fires_and_what_conditions_hold_back_is_counted_by_day(history: list[Record]) -> None:
    with time_machine.travel(NOW, tick=False):
        tally = looked(backtest_of(conditions=RICH))
    assert tally.is_done
    assert totals(tally) == (2, 1, 0)
    assert tally.counts == {
        "2026-03-07": [0, 1, 0],
        "2026-03-08": [1, 0, 0],
        "2026-03-09": [1, 0, 0],
    }
    assert [label for _, label, _ in tally.fired] == ["Lead 1", "Lead 2"]
    assert [label for _, label, _ in tally.held_back] == ["Lead 3"]


def test_the_rules_that_failed_are_counted_in_words(history: list[Record]) -> None:
    tally = looked(backtest_of(conditions=RICH))
    assert tally.rules == {"Amount is greater than 9": 1}


def test_the_record_is_judged_as_it_was_then(history: list[Record]) -> None:
    update_record(record=history[3], data={"amount": 1})
    assert totals(looked(backtest_of(conditions=RICH))) == (2, 1, 0)


def test_changes_that_the_trigger_does_not_mean_are_told_apart(history: list[Record]) -> None:
    update_record(record=history[3], data={"status": "x"})
    update_record(record=history[3], data={"amount": 7})
    tally = looked(backtest_of(ON_AMOUNT))
    assert totals(tally) == (1, 0, 1)
    assert tally.records == {history[3].pk: 1}


def test_submitted_is_found_among_what_was_created(history: list[Record]) -> None:
    trigger = {"type": "event", "config": {"event": "record.submitted", "object": "leads"}}
    assert totals(looked(backtest_of(trigger))) == (3, 0, 0)


def test_it_goes_on_slice_by_slice(history: list[Record], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtests, "SLICE", 2)
    backtest = backtest_of(conditions=RICH)
    first = looked(backtest, slices=1)
    assert (first.looked_at, first.is_done) == (2, False)
    assert 0 < backtest.share(first) < 1
    whole = looked(backtest)
    assert totals(whole) == (2, 1, 0)
    assert backtest.share(whole) == 1


def test_a_slice_ends_when_its_time_is_over(
    history: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "SLICE_S", -1.0)
    backtest = backtest_of()
    tally = looked(backtest, slices=1)
    assert (tally.looked_at, tally.is_done) == (1, False)
    assert totals(looked(backtest)) == (3, 0, 0)


def test_it_ends_at_the_limit_and_says_so(
    history: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "SLICE", 1)
    monkeypatch.setattr(backtests, "MAX_LOOKED_AT", 2)
    tally = looked(backtest_of())
    assert (tally.looked_at, tally.is_done, tally.is_capped) == (2, True, True)


def test_what_a_person_may_not_see_is_not_counted(history: list[Record]) -> None:
    trigger = {"type": "event", "config": {"event": "record.created", "object": ""}}
    assert totals(looked(backtest_of(trigger))) == (4, 0, 0)
    assert totals(looked(backtest_of(trigger, user=make_user("nobody")))) == (0, 0, 0)


def test_a_schedule_has_its_ticks() -> None:
    make_leads()
    trigger = {"type": "schedule", "config": {"cron": "0 9 * * *", "timezone": "UTC"}}
    tally = looked(backtest_of(trigger, {"expression": "now.day > 7"}))
    assert totals(tally) == (3, 4, 0)
    assert tally.rules == {"now.day > 7": 4}


def test_records_that_were_due_are_found() -> None:
    make_leads()
    make_lead(name="Due", last_contacted_at=(NOW - timedelta(days=2)).isoformat())
    make_lead(name="Later", last_contacted_at=(NOW + timedelta(days=9)).isoformat())
    make_lead(name="Never")
    make_lead(name="Draft", state="draft", last_contacted_at=(NOW - timedelta(days=2)).isoformat())
    trigger = {
        "type": "due",
        "config": {"object": "leads", "field": "last_contacted_at", "timezone": "UTC"},
    }
    tally = looked(backtest_of(trigger))
    assert [label for _, label, _ in tally.fired] == ["Due"]
    assert tally.counts == {"2026-03-08": [1, 0, 0]}


def test_clicks_are_those_for_this_automation() -> None:
    make_leads()
    lead = make_lead()
    backtest = backtest_of({"type": "manual", "config": {"object": "leads"}})
    for target in (backtest.automation.pk, "auto_00000000000000000000000000"):
        Event.objects.create(
            type="record.clicked",
            object=ObjectDefinition.objects.get(slug="leads"),
            record=lead,
            subject_id=lead.pk,
            target=target,
            after={"data": {}, "stage": "new", "state": "submitted", "owner": None},
            created_at=timezone.now() - timedelta(minutes=1),
            pk=first_id_at("evt", NOW - timedelta(minutes=1 + len(target) % 2))[:-1]
            + ("1" if target == backtest.automation.pk else "2"),
        )
    assert totals(looked(backtest)) == (1, 0, 0)


def test_one_day_is_told_by_the_hour() -> None:
    with time_machine.travel(NOW - timedelta(hours=3), tick=False):
        make_leads()
        make_lead()
    tally = looked(backtest_of(), days=1)
    assert tally.counts == {"2026-03-10 09": [1, 0, 0]}
    buckets = buckets_of(tally.window, 1)
    assert (buckets[0], buckets[-1], len(buckets)) == ("2026-03-09 12", "2026-03-10 12", 25)


def test_samples_can_be_explained(history: list[Record]) -> None:
    backtest = backtest_of(conditions=RICH)
    key = looked(backtest).held_back[0][0]
    finding = backtest.finding(Event.objects.get(pk=key))
    assert finding is not None
    assert (finding.passed, finding.members[0].actual) == (False, "5")


def test_nothing_is_written(history: list[Record]) -> None:
    backtest = backtest_of(conditions=RICH)
    before = Event.objects.count()
    looked(backtest)
    assert Event.objects.count() == before
    assert not Event.objects.filter(type=TICK).exists()
