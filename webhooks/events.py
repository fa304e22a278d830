"""Events of the deliveries themselves: a job that failed for good, a destination that is disabled.

They are written in the transaction that records it. What they show of a request has its secrets by name.
"""

from collections.abc import Sequence
from typing import Final

from records.events import capture, make_event
from records.listeners import is_anybody_listening
from records.models import Event
from webhooks.jsontext import iso_moment
from webhooks.models import Destination, WebhookJob

JOB_FAILED: Final = "job.failed"
DESTINATION_DISABLED: Final = "destination.disabled"


def tell_of_failed(ids: Sequence[str]) -> None:
    """An event for each of these jobs, as far as they have failed, if anybody wants to know. Tests are no news.

    A job that was made for such an event has none of its own: a webhook that tells of failures and fails itself
    would go round for ever.
    """
    if not ids or not is_anybody_listening(JOB_FAILED):
        return
    failed = WebhookJob.objects.failures().filter(pk__in=ids, is_test=False)
    jobs = failed.exclude(event_name=JOB_FAILED).select_related("event").order_by("pk")
    # Neither bodies nor snapshots are read: they may be large.
    jobs = jobs.defer("headers", "body", "event__before", "event__after")
    if events := [_job_failed(job) for job in jobs]:
        capture(*events)


def tell_of_disabled(destination: Destination) -> None:
    """Nothing is sent there any more, by its circuit or by a person, whom the event names."""
    since = destination.failing_since
    capture(
        make_event(
            DESTINATION_DISABLED,
            after={
                "origin": destination.lane,
                "failing_since": iso_moment(since) if since else None,
                "error": destination.last_error,
            },
            subject_id=destination.pk,
            subject_label=destination.lane,
        )
    )


def _job_failed(job: WebhookJob) -> Event:
    event = make_event(
        JOB_FAILED,
        after={
            "webhook": job.webhook_name,
            "webhook_id": job.webhook_id,
            "event": job.event_name,
            "record_id": job.record_id,
            "method": job.method,
            "url": job.shown_url,
            "status_code": job.status_code,
            "error_kind": job.error_kind,
            "error": job.error,
            "reason": job.reason,
            "attempts": job.attempts,
        },
        subject_id=job.pk,
        subject_label=str(job),
    )
    # One more link of the chain, so that whoever bounds chains sees this one grow.
    cause = job.event
    event.run_id = job.run_id or (cause.run_id if cause else None)
    event.depth = max(job.depth, cause.depth + 1 if cause else 0)
    return event
