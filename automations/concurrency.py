"""Concurrency modes: what an open run means for the next one of the same automation and record.

The modes and what a maximum means in each are Home Assistant's:
https://www.home-assistant.io/docs/automation/modes/
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Count
from django.utils import timezone

from automations.compiled import Listener
from automations.models import AutomationVersion, Run, RunStatus, StepRun, StepStatus
from records.models import Event
from webhooks.models import JobStatus, WebhookJob
from webhooks.services import cancel_jobs

_RESTARTED: Final = "The automation fired again for this record, and starts anew then."


def order_key_of(listener: Listener, event: Event) -> str | None:
    """Runs of one automation and one record have the same key; None when they need not mind each other."""
    if listener.version.settings.concurrency.mode == "parallel":
        return None
    return key_of(listener.automation_id, event.record_id or "")


def key_of(automation_id: str, record_id: str) -> str:
    return hashlib.sha256(f"{automation_id} {record_id}".encode()).hexdigest()[:40]


@dataclass(slots=True)
class Crowd:
    """The open runs that new ones have to mind. Looked at once for a batch of events, under a lock for the
    automations concerned, so that two workers do not let in one each."""

    by_automation: Counter[str] = field(default_factory=Counter)
    by_key: Counter[str] = field(default_factory=Counter)
    # Keys of saved runs that make way for a new one.
    restarted_keys: set[str] = field(default_factory=set)
    # Runs of this batch, by their keys.
    admitted: dict[str, list[Run]] = field(default_factory=dict)

    def look(self, candidates: Iterable[tuple[Listener, Event]]) -> None:
        """Up to three queries when any of them has to mind others; none otherwise."""
        counted: set[str] = set()
        keys: set[str] = set()
        for listener, event in candidates:
            concurrency = listener.version.settings.concurrency
            if concurrency.max_open is not None:
                counted.add(listener.automation_id)
            if concurrency.mode in ("skip", "restart"):
                keys.add(order_key_of(listener, event) or "")
                counted.add(listener.automation_id)
        if not counted:
            return
        _lock(counted)
        open_runs = Run.objects.open().order_by()
        for automation, count in (
            open_runs.filter(automation__in=counted).values_list("automation").annotate(Count("pk"))
        ):
            self.by_automation[automation] = count
        for key, count in (
            open_runs.filter(order_key__in=keys).values_list("order_key").annotate(Count("pk"))
        ):
            self.by_key[key] = count

    def refuses(self, listener: Listener, event: Event) -> str:
        """Why this one can't be let in; empty when it can."""
        concurrency = listener.version.settings.concurrency
        key = order_key_of(listener, event)
        waiting = self.by_key[key] if key else 0
        if concurrency.mode == "skip" and waiting:
            return (
                "An earlier run of it for this record has not ended, and the automation skips then."
            )
        count = self.by_automation[listener.automation_id]
        if concurrency.mode == "restart":
            count -= waiting  # they make way
        if concurrency.max_open is not None and count >= concurrency.max_open:
            return f"{count} runs of it have not ended; the automation allows {concurrency.max_open} at once."
        return ""

    def admit(self, listener: Listener, run: Run) -> None:
        self.by_automation[listener.automation_id] += 1
        key = run.order_key
        if not key:
            return
        if listener.version.settings.concurrency.mode == "restart":
            for earlier in self.admitted.pop(key, ()):
                _cancel(earlier)
            if self.by_key[key]:
                self.restarted_keys.add(key)
            self.by_automation[listener.automation_id] -= self.by_key[key]
            self.by_key[key] = 0
        self.by_key[key] += 1
        self.admitted.setdefault(key, []).append(run)

    def make_way(self) -> None:
        """Cancel what is restarted, with the requests it waits for. Call it before the new runs are saved."""
        if not self.restarted_keys:
            return
        earlier = Run.objects.open().filter(order_key__in=self.restarted_keys)
        # First the jobs: whoever sends them locks them before the runs that they wake.
        jobs = earlier.filter(waiting_job__isnull=False).values_list("waiting_job", flat=True)
        locked = _lock_jobs(list(jobs))
        found = list(earlier.order_by("pk").select_for_update().values_list("pk", flat=True))
        now = timezone.now()
        Run.objects.filter(pk__in=found).update(
            status=RunStatus.CANCELLED,
            reason=_RESTARTED,
            cursor=[],
            due_at=None,
            waiting_job=None,
            lease_token=None,
            lease_until=None,
            finished_at=now,
        )
        StepRun.objects.filter(run__in=found, status=StepStatus.WAITING).update(
            status=StepStatus.SKIPPED, note=_RESTARTED, finished_at=now
        )
        cancel_jobs(ids=locked, actor=None)


def _lock(automations: Collection[str]) -> None:
    """By their first versions, which nobody else locks: who holds runs may wait for an automation, so whoever
    holds an automation must not wait for runs."""
    versions = AutomationVersion.objects.filter(automation__in=automations, number=1)
    list(versions.order_by("pk").select_for_update(no_key=True, of=("self",)).values("pk"))


def _lock_jobs(ids: Sequence[str]) -> list[str]:
    """Those that are not being sent just now; what they come to is of no interest any more."""
    pending = WebhookJob.objects.filter(pk__in=ids, status=JobStatus.PENDING).order_by("pk")
    return list(pending.select_for_update(skip_locked=True).values_list("pk", flat=True))


def _cancel(run: Run) -> None:
    run.status, run.reason = RunStatus.CANCELLED, _RESTARTED
    run.cursor, run.due_at, run.finished_at = [], None, timezone.now()
