"""What is kept for how long: one rule for each kind of row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from records.models import Event, Mail, Notification
from webhooks.models import (
    BulkRetry,
    Direction,
    FailureGroup,
    JobStatus,
    RequestLog,
    WebhookJob,
)

# Notifications that nobody has read are kept so many times as long as those that were read.
UNREAD_FACTOR: Final = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done to rows that are older than a setting says. `which` is given the time before which they are old.

    `is_steady`: a row that was looked at need not be looked at again, so the next run goes on where this one ended.
    `counts`: what the setting counts: days, or something else, for rows that go at any age.
    """

    name: str
    label: str
    setting: str
    prefix: str
    rows: Callable[[], QuerySet[Any]]
    which: Callable[[datetime], Q]
    clean: Callable[[Sequence[str]], None]
    is_steady: bool = False
    counts: str = "day"

    @property
    def limit(self) -> int:
        """0: kept for ever."""
        limit: int = getattr(settings, self.setting)
        return limit

    @property
    def age(self) -> timedelta:
        """Younger rows are not looked at."""
        return timedelta(days=self.limit if self.counts == "day" else 0)


def delete_rows(model: type[Model]) -> Callable[[Sequence[str]], None]:
    def delete(ids: Sequence[str]) -> None:
        # Only the keys: what goes need not be read first. What refers to it goes along, or forgets it.
        model._base_manager.filter(pk__in=ids).only("pk").delete()

    return delete


def _ended_before(moment: datetime) -> Q:
    return Q(finished_at__lt=moment) | Q(finished_at=None)


def _without_samples() -> Q:
    """Jobs none of whose requests is kept as a sample: it would go with its job. There are few samples."""
    kept = RequestLog.objects.filter(is_kept=True, job__isnull=False)
    return ~Q(pk__in=kept.values("job"))


def _empty_exchanges(ids: Sequence[str]) -> None:
    RequestLog.objects.filter(pk__in=ids).update(
        request_body="", response_body="", bodies_removed=True
    )


def _empty_jobs(ids: Sequence[str]) -> None:
    WebhookJob.objects.filter(pk__in=ids).update(body="", body_removed=True)


# In the order in which they run. What deletes comes before what only empties, so that nothing is done twice.
RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule(
            name="succeeded",
            label="Delivered and cancelled jobs, with their attempts",
            setting="RETENTION_SUCCEEDED_DAYS",
            prefix="job",
            rows=WebhookJob.objects.all,
            which=lambda old: (
                Q(status__in=(JobStatus.SUCCEEDED, JobStatus.CANCELLED))
                & _ended_before(old)
                & _without_samples()
            ),
            clean=delete_rows(WebhookJob),
        ),
        Rule(
            name="failed",
            label="Failed jobs, with their attempts",
            setting="RETENTION_FAILED_DAYS",
            prefix="job",
            rows=WebhookJob.objects.failures,
            which=lambda old: _ended_before(old) & _without_samples(),
            clean=delete_rows(WebhookJob),
        ),
        Rule(
            name="failure_groups",
            label="Groups of failures that happen no more",
            setting="RETENTION_FAILED_DAYS",
            prefix="fail",
            rows=FailureGroup.objects.all,
            which=lambda old: Q(last_seen_at__lt=old, mail_due_at=None),
            clean=delete_rows(FailureGroup),
        ),
        Rule(
            name="bulk_retries",
            label="Bulk retries that have ended",
            setting="RETENTION_FAILED_DAYS",
            prefix="bulk",
            rows=BulkRetry.objects.all,
            which=lambda old: Q(finished_at__lt=old),
            clean=delete_rows(BulkRetry),
        ),
        Rule(
            name="inbound",
            label="Requests that came in, but for samples",
            setting="RETENTION_INBOUND_DAYS",
            prefix="req",
            rows=RequestLog.objects.all,
            which=lambda old: Q(direction=Direction.IN, is_kept=False),
            clean=delete_rows(RequestLog),
            is_steady=True,
        ),
        Rule(
            name="events",
            label="Events, the history of records",
            setting="RETENTION_EVENTS_DAYS",
            prefix="evt",
            rows=Event.objects.all,
            which=lambda old: Q(dispatched_at__isnull=False),
            clean=delete_rows(Event),
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
            clean=delete_rows(Notification),
        ),
        Rule(
            name="mails",
            label="Mails that were sent or given up",
            setting="RETENTION_MESSAGES_DAYS",
            prefix="mail",
            rows=Mail.objects.all,
            which=lambda old: Q(next_attempt_at=None),
            clean=delete_rows(Mail),
        ),
        Rule(
            name="exchange_bodies",
            label="Bodies of requests and answers",
            setting="RETENTION_BODIES_DAYS",
            prefix="req",
            rows=RequestLog.objects.all,
            which=lambda old: (
                Q(bodies_removed=False, is_kept=False)
                & ~Q(request_body="", response_body="")
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
    )
}  # fmt: skip


def add_rules(*rules: Rule) -> None:
    """Apps above webhooks add the rules for what they keep, when they are made ready."""
    RULES.update({rule.name: rule for rule in rules})
