"""Retention: what is old is cleaned up in small pieces, so that no table grows without end and nobody notices.

Each rule walks along its table from the oldest row on, a bounded look and a short transaction at a time, and leaves
how far it has come in its `RetentionState`. It runs once an hour, and on and on while it is behind. Ids begin with
the time, so an age is a range of ids. Jobs that are open are never touched.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from config.clocks import shared_now
from config.queues import ring_on_commit, stopping
from records.ids import first_id_at
from records.models import Event, Mail, Notification
from webhooks.models import (
    BulkRetry,
    Direction,
    FailureGroup,
    JobStatus,
    RequestLog,
    RetentionState,
    WebhookJob,
)
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
# Notifications that nobody has read are kept so many times as long as those that were read.
UNREAD_FACTOR: Final = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done to rows that are older than a setting says. `which` is given the time before which they are old.

    `is_steady`: a row that was looked at need not be looked at again, so the next run goes on where this one ended.
    """

    name: str
    label: str
    setting: str
    prefix: str
    rows: Callable[[], QuerySet[Any]]
    which: Callable[[datetime], Q]
    clean: Callable[[Sequence[str]], None]
    is_steady: bool = False

    @property
    def days(self) -> int:
        """0: kept for ever."""
        days: int = getattr(settings, self.setting)
        return days


def _delete(model: type[Model]) -> Callable[[Sequence[str]], None]:
    def delete(ids: Sequence[str]) -> None:
        # Only the keys: what goes need not be read first. What refers to it goes along, or forgets it.
        model._base_manager.filter(pk__in=ids).only("pk").delete()

    return delete


def _ended_before(moment: datetime) -> Q:
    return Q(finished_at__lt=moment) | Q(finished_at=None)


def _empty_exchanges(ids: Sequence[str]) -> None:
    RequestLog.objects.filter(pk__in=ids).update(
        request_body="", response_body="", bodies_removed=True
    )


def _empty_jobs(ids: Sequence[str]) -> None:
    WebhookJob.objects.filter(pk__in=ids).update(body="", body_removed=True)


RULES: Final = {
    rule.name: rule
    for rule in (
        Rule(
            name="succeeded",
            label="Delivered and cancelled jobs, with their attempts",
            setting="RETENTION_SUCCEEDED_DAYS",
            prefix="job",
            rows=WebhookJob.objects.all,
            which=lambda old: (
                Q(status__in=(JobStatus.SUCCEEDED, JobStatus.CANCELLED)) & _ended_before(old)
            ),
            clean=_delete(WebhookJob),
        ),
        Rule(
            name="failed",
            label="Failed jobs, with their attempts",
            setting="RETENTION_FAILED_DAYS",
            prefix="job",
            rows=WebhookJob.objects.failures,
            which=_ended_before,
            clean=_delete(WebhookJob),
        ),
        Rule(
            name="failure_groups",
            label="Groups of failures that happen no more",
            setting="RETENTION_FAILED_DAYS",
            prefix="fail",
            rows=FailureGroup.objects.all,
            which=lambda old: Q(last_seen_at__lt=old, mail_due_at=None),
            clean=_delete(FailureGroup),
        ),
        Rule(
            name="bulk_retries",
            label="Bulk retries that have ended",
            setting="RETENTION_FAILED_DAYS",
            prefix="bulk",
            rows=BulkRetry.objects.all,
            which=lambda old: Q(finished_at__lt=old),
            clean=_delete(BulkRetry),
        ),
        Rule(
            name="exchange_bodies",
            label="Bodies of requests and answers",
            setting="RETENTION_BODIES_DAYS",
            prefix="req",
            rows=RequestLog.objects.all,
            which=lambda old: (
                Q(bodies_removed=False) & ~Q(request_body="", response_body="")
            ),
            clean=_empty_exchanges,
            is_steady=True,
        ),
        Rule(
            name="job_bodies",
            label="Bodies of delivered jobs",
            setting="RETENTION_BODIES_DAYS",
            prefix="job",
            rows=WebhookJob.objects.all,
            which=lambda old: (
                Q(status=JobStatus.SUCCEEDED) & ~Q(body="") & _ended_before(old)
            ),
            clean=_empty_jobs,
            is_steady=True,
        ),
        Rule(
            name="inbound",
            label="What inspectors have received",
            setting="RETENTION_INBOUND_DAYS",
            prefix="req",
            rows=RequestLog.objects.all,
            which=lambda old: Q(direction=Direction.IN),
            clean=_delete(RequestLog),
            is_steady=True,
        ),
        Rule(
            name="events",
            label="Events, the history of records",
            setting="RETENTION_EVENTS_DAYS",
            prefix="evt",
            rows=Event.objects.all,
            which=lambda old: Q(dispatched_at__isnull=False),
            clean=_delete(Event),
        ),
        Rule(
            name="notifications",
            label="Notifications",
            setting="RETENTION_MESSAGES_DAYS",
            prefix="ntf",
            rows=Notification.objects.all,
            which=lambda old: (
                Q(read_at__isnull=False)
                | Q(created_at__lt=old - (UNREAD_FACTOR - 1) * (timezone.now() - old))
            ),
            clean=_delete(Notification),
        ),
        Rule(
            name="mails",
            label="Mails that were sent or given up",
            setting="RETENTION_MESSAGES_DAYS",
            prefix="mail",
            rows=Mail.objects.all,
            which=lambda old: Q(next_attempt_at=None),
            clean=_delete(Mail),
        ),
    )
}  # fmt: skip


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
    """One look of the rule that has waited longest. How many rows it cleaned up; None when no rule is due."""
    now = shared_now()
    due = RetentionState.objects.due(now).filter(name__in=RULES).order_by("next_run_at", "name")
    # A rule that another worker is at, is left to it.
    state = due.select_for_update(skip_locked=True).first()
    if state is None:
        return None
    rule = RULES[state.name]
    count = _clean_some(rule, state, limit, now) if rule.days else _rest(state, now)
    _count(state, count, now)
    state.save()
    return count


def _clean_some(rule: Rule, state: RetentionState, limit: int, now: datetime) -> int:
    old = now - timedelta(days=rule.days)
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
        state.next_run_at = now  # behind the other rules
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
