"""Failures by cause: jobs that fail for one webhook in the same way belong together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Count, Max, Min
from django.db.models.functions import Cast, Coalesce

from records.ids import encode, first_id_at
from webhooks.events import tell_of_failed
from webhooks.models import FailureGroup, WebhookJob

# A group is told of when its first failures have had a moment to gather, and then once in so long at most.
FIRST_MAIL_AFTER: Final = timedelta(seconds=20)
MAIL_INTERVAL: Final = timedelta(hours=1)
# The page looks at the newest failures, no more than so many: some 100 ms on PostgreSQL.
SCAN_CAP: Final = 50_000


@dataclass(frozen=True, slots=True)
class Cause:
    """How often a webhook failed in one way, when, and the latest job of it.

    `webhook_id` is None when the webhook is gone; `status_code` is None when there is an `error_kind`.
    """

    webhook_id: str | None
    webhook_name: str
    error_kind: str
    status_code: int | None
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    last_job_id: str

    @property
    def fingerprint(self) -> str:
        """What makes a group. Webhooks that are gone are told apart by their names."""
        of = self.webhook_id or f"gone {self.webhook_name[:60]}"
        return f"{of} {self.error_kind or self.status_code or ''}"


@dataclass(frozen=True, slots=True)
class Causes:
    """Most frequent first. `looked_back_to`: where the look ended, when there is more than it goes through."""

    causes: Sequence[Cause]
    looked_back_to: datetime | None = None

    @property
    def count(self) -> int:
        return sum(cause.count for cause in self.causes)


@transaction.atomic
def note_failed_jobs(ids: Sequence[str], now: datetime) -> None:
    """Add these jobs, as far as they have failed, to their groups, and tell of them.

    Tests are no news: somebody is watching.
    """
    if not ids:
        return
    tell_of_failed(ids)
    causes = {
        cause.fingerprint: cause
        for cause in _causes_of(WebhookJob.objects.failures().filter(pk__in=ids, is_test=False))
    }
    groups = _locked(causes)
    if missing := causes.keys() - {group.fingerprint for group in groups}:
        # Another worker may be making the same.
        FailureGroup.objects.bulk_create(
            [_new_group(causes[name], now) for name in sorted(missing)], ignore_conflicts=True
        )
        groups = _locked(causes)
    for group in groups:
        _add(group, causes[group.fingerprint], now)
    FailureGroup.objects.bulk_update(
        groups, ["webhook_name", "count", "last_seen_at", "last_job_id", "unmailed", "mail_due_at"]
    )


def _locked(fingerprints: Iterable[str]) -> list[FailureGroup]:
    """Always in the same order, so that two workers do not wait for each other."""
    groups = FailureGroup.objects.filter(fingerprint__in=list(fingerprints))
    return list(groups.order_by("pk").select_for_update())


def _new_group(cause: Cause, now: datetime) -> FailureGroup:
    return FailureGroup(
        fingerprint=cause.fingerprint,
        webhook_id=cause.webhook_id,
        webhook_name=cause.webhook_name,
        error_kind=cause.error_kind,
        status_code=cause.status_code,
        first_seen_at=now,
        last_seen_at=now,
    )


def _add(group: FailureGroup, cause: Cause, now: datetime) -> None:
    group.webhook_name = cause.webhook_name
    group.count += cause.count
    group.unmailed += cause.count
    group.last_seen_at = now
    group.last_job_id = cause.last_job_id
    if group.mail_due_at is None:
        group.mail_due_at = now + FIRST_MAIL_AFTER
        if group.mailed_at is not None:
            group.mail_due_at = max(group.mail_due_at, group.mailed_at + MAIL_INTERVAL)


def causes_since(since: datetime | None) -> Causes:
    """The failed jobs that were created since then, by cause. Two queries, whatever there is."""
    failed = WebhookJob.objects.failures()
    if since is not None:
        failed = failed.filter(pk__gte=first_id_at("job", since))
    newest_first = failed.order_by("-pk").values_list("pk", "created_at")
    end = newest_first[SCAN_CAP : SCAN_CAP + 1].first()
    if end is not None:
        failed = failed.filter(pk__gt=end[0])
    causes = sorted(_causes_of(failed), key=lambda cause: (-cause.count, cause.last_seen_at))
    return Causes(causes, looked_back_to=end[1] if end else None)


def _causes_of(failed: Any) -> list[Cause]:
    """One query. What differs only in an older name of the webhook is put together."""
    ended_at = Coalesce("finished_at", "created_at")
    rows = (
        failed.order_by()
        .values_list("webhook_id", "webhook_name", "error_kind", "status_code")
        .annotate(
            number=Count("pk"),
            first=Min(ended_at),
            last=Max(ended_at),
            # As text: not every PostgreSQL knows the greatest of UUIDs.
            newest=Max(Cast("pk", CharField())),
        )
    )
    found: dict[str, Cause] = {}
    for webhook_id, name, kind, status, number, first, last, newest in rows:
        job_id = encode("job", UUID(newest))
        status = None if kind else status
        cause = Cause(webhook_id, name, kind, status, number, first, last, job_id)
        other = found.get(cause.fingerprint)
        found[cause.fingerprint] = _together(cause, other) if other else cause
    return list(found.values())


def _together(one: Cause, other: Cause) -> Cause:
    newest = max(one, other, key=lambda cause: cause.last_job_id)
    return replace(
        newest,
        count=one.count + other.count,
        first_seen_at=min(one.first_seen_at, other.first_seen_at),
        last_seen_at=max(one.last_seen_at, other.last_seen_at),
    )
