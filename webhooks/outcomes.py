"""What came of requests, written down: log rows, the jobs' new status, circuits, failures. In bulk."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from django.db import transaction

from config.bulk import insert_rows, update_rows
from config.clocks import shared_now
from records.ids import new_id
from webhooks.binding import SECRET_ERROR
from webhooks.circuits import Tally, is_trouble
from webhooks.destinations import tell_of_disabled
from webhooks.endings import tell_of_ended
from webhooks.failures import note_failed_jobs
from webhooks.lanes import note_outcomes
from webhooks.models import Direction, RequestLog, Webhook, WebhookJob
from webhooks.retries import RetryPolicy, Verdict, judge_attempt
from webhooks.taking import ClaimedJob
from webhooks.transport import OutboundRequest, Outcome


@dataclass(frozen=True, slots=True)
class Finished:
    """A claimed job, the request as it may be shown, the outcome, and the id that its row in the log will have."""

    job: ClaimedJob
    request: OutboundRequest
    outcome: Outcome
    log_id: str = field(default_factory=partial(new_id, "req"))


def unrecorded(finished: Sequence[Finished]) -> list[Finished]:
    """Those that are not in the log: when the connection broke in a commit, nobody knows without looking."""
    ids = [each.log_id for each in finished]
    recorded = set(RequestLog.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [each for each in finished if each.log_id not in recorded]


def record_outcomes(token: uuid.UUID, finished: Sequence[Finished]) -> None:
    """Write what came of jobs in one transaction: a request log row each, the job's new status, the circuits."""
    now = shared_now()
    verdicts = [_judge(each, now) for each in finished]
    with transaction.atomic():
        insert_rows([_log_row(each) for each in finished])
        # One that was claimed anew meanwhile is left alone.
        update_rows(
            WebhookJob,
            _UPDATED_COLUMNS,
            ("id", "lease_token", "attempts"),
            [
                _outcome_row(each, verdict, token, now)
                for each, verdict in zip(finished, verdicts, strict=True)
            ],
        )
        tell_of_disabled(note_outcomes(*_tallies(finished, verdicts), now))
        _switch_off_gone(finished, verdicts, now)
        note_failed_jobs(_ids_of_failed(finished, verdicts), now)
        tell_of_ended(_ids_of_ended(finished, verdicts))


def _log_row(finished: Finished) -> RequestLog:
    request, outcome = finished.request, finished.outcome
    return RequestLog(
        id=finished.log_id,
        direction=Direction.OUT,
        job_id=finished.job.id,
        attempt=finished.job.attempts,
        method=request.method,
        url=request.url,
        request_headers=[list(pair) for pair in request.headers],
        # Where there are secrets, the request says how it may be shown.
        request_body=finished.job.body
        if finished.job.credentials is None
        else request.body.decode(),
        status_code=outcome.status_code,
        response_headers=[list(pair) for pair in outcome.headers],
        response_body=text_of(outcome.body),
        response_truncated=outcome.truncated,
        error_kind=outcome.error_kind,
        error=outcome.error,
        started_at=datetime.fromtimestamp(outcome.started_at, tz=UTC),
        duration_ms=outcome.duration_ms,
        remote_address=outcome.remote_address,
    )


def text_of(body: bytes) -> str:
    """A body as text that any database takes: UTF-8, with marks where bytes are no text."""
    return body.decode("utf-8", errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


_UPDATED_COLUMNS: Final = (
    "status", "next_attempt_at", "finished_at", "status_code", "error_kind", "error", "duration_ms",
    "reason", "lease_token", "lease_until",
)  # fmt: skip


def _judge(finished: Finished, now: datetime) -> Verdict:
    job, outcome = finished.job, finished.outcome
    return judge_attempt(
        RetryPolicy.from_json(job.policy),
        status_code=outcome.status_code,
        error_kind=outcome.error_kind,
        is_hopeless=outcome.is_hopeless,
        retry_after=next((v for n, v in outcome.headers if n.lower() == "retry-after"), ""),
        tries=job.tries,
        age_s=(now - job.created_at).total_seconds(),
        now=now,
        chance=random.random(),  # noqa: S311  (spreads load; guards nothing)
    )


def _outcome_row(
    finished: Finished, verdict: Verdict, token: uuid.UUID, now: datetime
) -> list[Any]:
    """The new values of a job, in the order of `_UPDATED_COLUMNS`, then what identifies the claim."""
    job, outcome = finished.job, finished.outcome
    return [
        verdict.status,
        verdict.next_attempt_at,
        None if verdict.status == "pending" else now,
        outcome.status_code,
        outcome.error_kind,
        outcome.error,
        outcome.duration_ms,
        verdict.reason,
        None,
        None,
        job.id,
        token,
        job.attempts,
    ]


def _tallies(
    finished: Sequence[Finished], verdicts: Sequence[Verdict]
) -> tuple[dict[str, Tally], dict[str, str]]:
    """What the circuits have to know: by lane, how requests went, and the latest error in words."""
    tallies: dict[str, Tally] = {}
    errors: dict[str, str] = {}
    for each, verdict in zip(finished, verdicts, strict=True):
        lane, outcome = each.job.lane, each.outcome
        tally = tallies.get(lane, Tally())
        if verdict.status == "succeeded":
            tallies[lane] = replace(tally, succeeded=tally.succeeded + 1)
            continue
        if (
            outcome.error_kind == SECRET_ERROR
        ):  # nothing was sent, so it tells nothing of the destination
            continue
        errors[lane] = outcome.error or f"Status {outcome.status_code}"
        if is_trouble(outcome.status_code, outcome.error_kind):
            tallies[lane] = replace(tally, unanswered=tally.unanswered + 1)
        else:
            tallies[lane] = replace(tally, answered=tally.answered + 1)
    return tallies, errors


def _ids_of_failed(finished: Sequence[Finished], verdicts: Sequence[Verdict]) -> list[str]:
    return [
        each.job.id
        for each, verdict in zip(finished, verdicts, strict=True)
        if verdict.status == "failed"
    ]


def _ids_of_ended(finished: Sequence[Finished], verdicts: Sequence[Verdict]) -> list[str]:
    return [
        each.job.id
        for each, verdict in zip(finished, verdicts, strict=True)
        if verdict.status != "pending"
    ]


def _switch_off_gone(
    finished: Sequence[Finished], verdicts: Sequence[Verdict], now: datetime
) -> None:
    """410 Gone switches the webhook off, and the webhook says so."""
    gone = {
        each.job.webhook_id
        for each, verdict in zip(finished, verdicts, strict=True)
        if verdict.is_gone and each.job.webhook_id is not None
    }
    if gone:
        Webhook.objects.active().filter(pk__in=gone).update(
            is_active=False,
            disabled_reason=f"The receiver answered 410 Gone on {now:%Y-%m-%d %H:%M} UTC:"
            " it does not want these requests any more.",
        )
