"""Retention: what is old is cleaned up in small pieces, so that no table grows without end and nobody notices.

Each rule walks along its table from the oldest row on, a bounded look and a short transaction at a time, and leaves
how far it has come in its `RetentionState`. It runs once an hour, and on and on while it is behind. Ids begin with
the time, so an age is a range of ids. Jobs that are open are never touched.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from config.clocks import shared_now
from config.queues import ring_on_commit, stopping
from records.ids import first_id_at
from webhooks.models import RetentionState
from webhooks.retention_rules import RULES, Rule
from webhooks.walks import look_on

RUN_EVERY: Final = timedelta(hours=1)
# One transaction cleans up so many rows at most, and fewer where that takes longer than it may.
MAX_BATCH: Final = 500
MIN_BATCH: Final = 50
MAX_BATCH_S: Final = 0.05
# One look goes past so many rows that stay.
WINDOW: Final = 5_000
# One answer to the bell works no longer than this, and pauses in between as long as it worked.
BUDGET_S: Final = 1.5
_LONGEST_PAUSE_S: Final = 0.1


def is_retention_due(now: datetime) -> bool:
    """Whether a rule has to run, or has never run. One query of a few rows."""
    rests = RetentionState.objects.filter(name__in=RULES).at_rest(now)
    return rests.count() < len(RULES)


def run_retention(is_wanted: Callable[[], bool] = lambda: False) -> int:
    """Clean up for a moment. How many rows.

    `is_wanted` is asked after each transaction: whether this process has something better to do.
    """
    _add_missing()
    cleaned = 0
    deadline = time.monotonic() + BUDGET_S
    while time.monotonic() < deadline and not stopping.is_set():
        began = time.monotonic()
        count = _step(_batch.size)
        if count is None:
            break
        cleaned += count
        took_s = time.monotonic() - began
        _batch.learn(took_s)
        if is_wanted():
            break
        time.sleep(min(took_s, _LONGEST_PAUSE_S))
    return cleaned


def begin_retention() -> None:
    """Let every rule run now, also before its hour has come."""
    now = shared_now()
    _add_missing()
    RetentionState.objects.filter(next_run_at__gt=now).update(next_run_at=now)
    ring_on_commit("chores")


def _add_missing() -> None:
    known = set(RetentionState.objects.values_list("name", flat=True))
    missing = [name for name in RULES if name not in known]
    if missing:
        now = shared_now()
        RetentionState.objects.bulk_create(
            [RetentionState(name=name, next_run_at=now) for name in missing], ignore_conflicts=True
        )


@transaction.atomic
def _step(limit: int) -> int | None:
    """One look of the first rule that is due. How many rows it cleaned up; None when no rule is due."""
    now = shared_now()
    # While another worker is at it, it is left to that one.
    due = RetentionState.objects.due(now).filter(name__in=RULES)
    states = {state.name: state for state in due.select_for_update(skip_locked=True)}
    state = next((states[name] for name in RULES if name in states), None)
    if state is None:
        return None
    rule = RULES[state.name]
    count = _clean_some(rule, state, limit, now) if rule.limit else _rest(state, now)
    _count(state, count, now)
    state.save()
    return count


def _clean_some(rule: Rule, state: RetentionState, limit: int, now: datetime) -> int:
    old = now - rule.age
    if state.started_at is None:
        state.started_at, state.run_count = now, 0
    rows = rule.rows().filter(pk__lt=first_id_at(rule.prefix, old))
    look = look_on(
        rows, rule.which(old), after=state.cursor or None, limit=limit, window=WINDOW, columns=()
    )
    ids = _still_so(rows, rule.which(old), [pk for (pk,) in look.found])
    rule.clean(ids)
    if look.cursor is not None:
        state.cursor = look.cursor
        state.next_run_at = now
    else:
        state.cleaned_to, state.finished_at, state.started_at = old, now, None
        state.next_run_at = now + RUN_EVERY
        if not rule.is_steady:
            state.cursor = ""
        elif look.found:
            state.cursor = look.found[-1][0]
    return len(ids)


def _still_so(rows: QuerySet[Any], which: Q, ids: Sequence[str]) -> list[str]:
    """Locked: a job that somebody retries just now is open, and stays."""
    locked = rows.filter(which, pk__in=ids).order_by("pk").select_for_update(skip_locked=True)
    return list(locked.values_list("pk", flat=True)) if ids else []


def _rest(state: RetentionState, now: datetime) -> int:
    """The rule is switched off."""
    state.started_at = state.cleaned_to = None
    state.next_run_at = now + RUN_EVERY
    return 0


def _count(state: RetentionState, count: int, now: datetime) -> None:
    day = timezone.localdate(now)
    if state.today != day:
        state.today, state.today_count = day, 0
    state.run_count += count
    state.today_count += count
    state.total_count += count


class _Batch:
    """How many rows one transaction takes: less where it takes long, more where it does not."""

    def __init__(self) -> None:
        self.size = MAX_BATCH

    def learn(self, took_s: float) -> None:
        if took_s > MAX_BATCH_S:
            self.size = max(MIN_BATCH, self.size // 2)
        elif took_s < MAX_BATCH_S / 2:
            self.size = min(MAX_BATCH, self.size * 2)


_batch = _Batch()
