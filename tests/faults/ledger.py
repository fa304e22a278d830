"""What must be true when everything is quiet again, whatever was killed, emptied or set wrong in between."""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from records.models import Event
from tests.waiting import wait_until
from webhooks.models import RequestLog, WebhookJob

OPEN = ("pending", "sending")


def wait_for_quiet(timeout_s: float = 30) -> None:
    """Until every event is dispatched and every job has ended."""
    wait_until(is_quiet, what="The end of all events and jobs", timeout_s=timeout_s)


def is_quiet() -> bool:
    return not Event.objects.undispatched().exists() and not _open_jobs().exists()


def _open_jobs() -> "QuerySet[WebhookJob]":
    return WebhookJob.objects.filter(status__in=OPEN)


def assert_nothing_lost(
    saved: Mapping[tuple[str, str], int],
    arrivals: Iterable[Mapping[str, object]],
    *,
    may_fail: bool = False,
) -> None:
    """Hold the database and what the receiver saw against what was saved: (event name, record id) → how often."""
    arrived = Counter(str(each["job_id"]) for each in arrivals)
    jobs = list(WebhookJob.objects.select_related("event"))
    logs: dict[str, list[RequestLog]] = {job.pk: [] for job in jobs}
    for log in RequestLog.objects.filter(job__isnull=False).order_by("id"):
        logs[log.job_id].append(log)

    _check_events(saved, jobs)
    faults = [
        fault for job in jobs for fault in _faults(job, logs[job.pk], arrived[job.pk], may_fail)
    ]
    faults += [f"{name}: arrived, and is no job" for name in arrived.keys() - logs.keys()]
    assert not faults, "\n".join(faults[:20])


def _check_events(saved: Mapping[tuple[str, str], int], jobs: list[WebhookJob]) -> None:
    assert not Event.objects.undispatched().exists()
    assert not Event.objects.exclude(dispatch_error="").exists()
    written = Counter((event.type, event.subject_id) for event in Event.objects.all())
    expected = Counter(saved)
    assert Counter({key: written[key] for key in expected}) == expected, "events and saves differ"
    made = Counter((job.event_name, job.record_id) for job in jobs)
    assert made == expected, f"lost {expected - made}, too many {made - expected}"
    events = Counter(job.event_id for job in jobs)
    assert set(events.values()) <= {1}, "an event has two jobs of one webhook"


def _faults(job: WebhookJob, logs: list[RequestLog], arrived: int, may_fail: bool) -> Iterable[str]:
    """What is wrong with one job, in words."""
    rows = [(log.attempt, log.status_code, log.error_kind) for log in logs]
    story = f"{job.pk} {job.status} {job.attempts=} {job.interruptions=} {arrived=} {rows}"
    ended = ("succeeded", "failed") if may_fail else ("succeeded",)
    if job.status not in ended:
        yield f"not ended well: {story}"
    if job.lease_token or job.lease_until or job.next_attempt_at or not job.finished_at:
        yield f"ended, and not put away: {story}"
    if not arrived and (job.status == "succeeded" or not may_fail):
        yield f"never arrived: {story}"
    if {log.attempt for log in logs} != set(range(1, job.attempts + 1)):
        yield f"attempts without a row, or rows without an attempt: {story}"
    yield from _doubles(job, logs, arrived, story)
    for log in logs:
        if [value for name, value in log.request_headers if name == "webhook-id"] != [job.pk]:
            yield f"an attempt without its webhook-id: {story}"


def _doubles(job: WebhookJob, logs: list[RequestLog], arrived: int, story: str) -> Iterable[str]:
    """A second arrival needs a reason that shows: an attempt that was interrupted or went wrong."""
    went_wrong = {log.attempt for log in logs if log.error_kind or log.status_code != 200}
    if arrived > 1 and arrived - 1 > len(went_wrong):
        yield f"sent again without a reason that shows: {story}"
    if arrived > job.attempts:
        yield f"sent more often than attempted: {story}"
    interrupted = [log.attempt for log in logs if log.error_kind == "interrupted"]
    if len(interrupted) != job.interruptions:
        yield f"interruptions are miscounted: {story}"
    answered = Counter(log.attempt for log in logs if log.error_kind != "interrupted")
    if any(count > 1 for count in answered.values()):
        yield f"one attempt was written down twice: {story}"
