"""What is done with destinations: probe, close the circuit, enable, disable, and what that means for their jobs."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from config.clocks import shared_now
from config.queues import ring_on_commit
from records.messages import admins, notify, queue_mail, with_link
from records.models import Urgency, User
from webhooks import events
from webhooks.circuits import FIRST_PROBE_S, CircuitState
from webhooks.endings import tell_of_ended
from webhooks.exceptions import (
    DestinationIsDisabled,
    DestinationIsNotDisabled,
    DestinationIsNotPaused,
)
from webhooks.failures import note_failed_jobs
from webhooks.lanes import state_of, store_state
from webhooks.models import Circuit, Destination, JobStatus, WebhookJob

# The error kind of a job that was never sent, because its destination is disabled.
DISABLED: Final = "disabled"
# Jobs of disabled destinations are ended so many at a time: some 30 ms of a transaction.
_END_AT_ONCE: Final = 500
_LANES_AT_ONCE: Final = 4
# Counts beyond are shown as "1,000+".
COUNT_CAP: Final = 1_000


@transaction.atomic
def probe_now(*, destination: Destination) -> bool:
    """Let one job try a paused destination now. Whether there is one; else the next to come is the probe.

    A job that waits for its retry is brought forward. The pauses between probes do not grow by this.
    """
    locked = _lock(destination)
    if locked.circuit != Circuit.OPEN:
        raise DestinationIsNotPaused
    now = shared_now()
    locked.probe_at = now
    locked.probe_interval_s = max(FIRST_PROBE_S, locked.probe_interval_s // 2)
    locked.save(update_fields=["probe_at", "probe_interval_s"])
    waiting = WebhookJob.objects.filter(status=JobStatus.PENDING, lane=locked.lane)
    first = waiting.unblocked().order_by("next_attempt_at").values_list("pk", flat=True).first()
    if first is not None:
        waiting.filter(pk=first, next_attempt_at__gt=now).update(next_attempt_at=now)
    ring_on_commit("deliveries")
    return first is not None


@transaction.atomic
def close_circuit(*, destination: Destination) -> None:
    """Send everything again. If it still fails, it is paused again; the days until it is disabled go on."""
    locked = _lock(destination)
    if locked.circuit != Circuit.OPEN:
        raise DestinationIsNotPaused
    store_state(locked, CircuitState(failing_since=locked.failing_since))
    ring_on_commit("deliveries")


@transaction.atomic
def enable_destination(*, destination: Destination) -> datetime | None:
    """Make a disabled destination as good as new. Since when there was nothing but failures, if it is known."""
    locked = _lock(destination)
    if locked.circuit != Circuit.DISABLED:
        raise DestinationIsNotDisabled
    since = locked.failing_since or locked.disabled_at
    store_state(locked, CircuitState())
    locked.disabled_by, locked.last_error = None, ""
    locked.save(update_fields=["disabled_by", "last_error"])
    ring_on_commit("deliveries")
    return since


@transaction.atomic
def disable_destination(*, destination: Destination, actor: User | None) -> None:
    """Send nothing more until a person enables it. Its jobs are ended as failed, and can be retried later."""
    locked = _lock(destination)
    if locked.circuit == Circuit.DISABLED:
        raise DestinationIsDisabled
    state = state_of(locked)
    store_state(
        locked,
        CircuitState(
            circuit="disabled",
            failures=state.failures,
            failing_since=state.failing_since,
            disabled_at=shared_now(),
        ),
    )
    locked.disabled_by = actor
    locked.save(update_fields=["disabled_by"])
    events.tell_of_disabled(locked)


def tell_of_disabled(lanes: Sequence[str]) -> None:
    """Notify the admins, and write the events, in the transaction that disabled these destinations."""
    for destination in Destination.objects.filter(lane__in=lanes) if lanes else ():
        events.tell_of_disabled(destination)
        days = settings.DESTINATION_DISABLE_AFTER_DAYS
        title = f"Disabled after {days:g} days of failures: {destination.lane}"[:200]
        body = (
            f"Nothing but failures came of {destination.lane} for {days:g} days, so nothing is sent there any more. "
            f"The last error: {destination.last_error or 'not known'}\n\n"
            "Its jobs are kept among the failures. Once it works again, enable it on its page; "
            "that offers to retry them."
        )
        url = reverse("admin:webhooks_destination_change", args=[destination.pk])
        notify(admins(), title=title, body=body, url=url, urgency=Urgency.HIGH, by_mail=True)
        for address in settings.ALERT_EMAILS:
            queue_mail(to=[address], subject=title, body=with_link(body, url))


def end_jobs_of_disabled() -> int:
    """End what waits for disabled destinations as failed, some of it. How many jobs.

    Among the failures they can be seen and retried together; in Pending they would wait for nothing.
    """
    disabled = Destination.objects.filter(circuit=Circuit.DISABLED).values_list("lane", flat=True)
    return sum(_end_jobs(lane) for lane in islice(_with_pending(disabled), _LANES_AT_ONCE))


@transaction.atomic
def _end_jobs(lane: str) -> int:
    # Locked, so that nobody enables it meanwhile.
    row = Destination.objects.select_for_update(skip_locked=True)
    destination = row.filter(lane=lane, circuit=Circuit.DISABLED).first()
    if destination is None:
        return 0
    waiting = WebhookJob.objects.filter(status=JobStatus.PENDING, lane=lane)
    ids = list(
        waiting.order_by("next_attempt_at")
        .select_for_update(skip_locked=True)
        .values_list("pk", flat=True)[:_END_AT_ONCE]
    )
    now = shared_now()
    words = f"Its destination is disabled since {_day(destination.disabled_at or now)}; retry once it works again."
    jobs = WebhookJob.objects.filter(pk__in=ids)
    # What its last attempt came to, stays; a job without one has to say something else.
    jobs.filter(error_kind="", status_code=None).update(error_kind=DISABLED, error=words)
    jobs.update(status=JobStatus.FAILED, next_attempt_at=None, finished_at=now, reason=words)
    note_failed_jobs(ids, now)
    tell_of_ended(ids)
    return len(ids)


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"


def _with_pending(lanes: Iterable[str]) -> Iterable[str]:
    for lane in lanes:
        if WebhookJob.objects.filter(status=JobStatus.PENDING, lane=lane).exists():
            yield lane


def pending_counts(lanes: Sequence[str], cap: int = COUNT_CAP) -> dict[str, int]:
    """How many jobs wait for each of these destinations, counted up to `cap` + 1. One query."""
    if not lanes:
        return {}
    table, jobs = Destination._meta.db_table, WebhookJob._meta.db_table
    marks = ", ".join(["%s"] * len(lanes))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT lane, (
                SELECT COUNT(*) FROM (
                    SELECT 1 FROM {jobs} WHERE status = 'pending' AND {jobs}.lane = {table}.lane LIMIT %s
                ) AS few
            ) FROM {table} WHERE lane IN ({marks})
            """,  # noqa: S608  (what is put in are names of tables, and marks)
            [cap + 1, *lanes],
        )
        return dict(cursor.fetchall())


def troubled_destinations(limit: int = 5) -> list[Destination]:
    """Paused and disabled ones, the latest trouble first; few, by an index of their own."""
    troubled = Destination.objects.exclude(circuit=Circuit.CLOSED)
    return list(troubled.select_related("disabled_by").order_by("-failing_since", "pk")[:limit])


def next_probe_at(destination: Destination, now: datetime) -> datetime | None:
    """When a paused destination is tried next; the past is now."""
    if destination.circuit != Circuit.OPEN:
        return None
    return max(destination.probe_at or now, now - timedelta(seconds=1))


def _lock(destination: Destination) -> Destination:
    return Destination.objects.select_for_update().get(pk=destination.pk)
