"""What has arrived at an inspector, as its page shows it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models.functions import Left
from django.http import HttpRequest

from records.ids import decode
from webhooks.admin.bodies import BodyView, view_body
from webhooks.admin.links import admin_url
from webhooks.models import InboundEndpoint, RequestLog, WebhookJob

PAGE_SIZE: Final = 25
# Of a body so many characters are shown here; the request's own page has it whole.
MAX_SHOWN: Final = 20_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. `target` is what stood behind the inspector's own address. `url` is that of its own page."""

    row: RequestLog
    url: str
    target: str
    body: BodyView
    is_cut: bool
    job: WebhookJob | None
    job_url: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Newest first. `older` is the id from which the next page goes on, if there is one."""

    items: Sequence[Arrival]
    older: str


def arrivals_of(
    request: HttpRequest, endpoint: InboundEndpoint, *, after: str = "", before: str = ""
) -> Arrivals:
    """The newest page; only what is newer than `after`; or what is older than `before`."""
    rows = RequestLog.objects.filter(endpoint=endpoint).order_by("-pk")
    if after:
        rows = rows.filter(pk__gt=after)
    if before:
        rows = rows.filter(pk__lt=before)
    rows = rows.defer("request_body", "response_body")
    page = list(rows.annotate(beginning=Left("request_body", MAX_SHOWN + 1))[: PAGE_SIZE + 1])
    older = page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else ""
    return Arrivals(_shown(request, endpoint, page[:PAGE_SIZE]), older)


def _shown(request: HttpRequest, endpoint: InboundEndpoint, rows: Sequence[Any]) -> list[Arrival]:
    jobs = _jobs_of(rows)
    found = []
    for row in rows:
        job = jobs.get(_webhook_id(row))
        is_cut = len(row.beginning) > MAX_SHOWN
        found.append(
            Arrival(
                row=row,
                url=admin_url(request, RequestLog, row.pk),
                target=row.url.partition(endpoint.token)[2] or "/",
                body=view_body(
                    row.beginning[:MAX_SHOWN],
                    truncated=row.request_truncated or is_cut,
                    removed=row.bodies_removed,
                ),
                is_cut=is_cut,
                job=job,
                job_url=admin_url(request, WebhookJob, job.pk) if job else "",
            )
        )
    return found


def _jobs_of(rows: Iterable[RequestLog]) -> Mapping[str, WebhookJob]:
    """The jobs that sent these requests, where they are jobs of ours."""
    ids = {_webhook_id(row) for row in rows} - {""}
    jobs = WebhookJob.objects.filter(pk__in=ids).only("pk", "webhook_name", "event_name")
    return {job.pk: job for job in jobs}


def _webhook_id(row: RequestLog) -> str:
    """The id of a job in the request's headers; "" when there is none that could be ours."""
    for name, value in row.request_headers:
        if name.lower() == "webhook-id":
            try:
                decode("job", value)
            except ValueError:
                return ""
            return str(value)
    return ""
