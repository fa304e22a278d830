"""What has arrived at an endpoint, as its page shows it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models.functions import Left
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from records.ids import decode
from webhooks.admin.bodies import BodyView, view_body
from webhooks.admin.links import admin_url
from webhooks.admin.request_rows import url_of
from webhooks.models import EndpointKind, InboundEndpoint, RequestLog, WebhookJob

PAGE_SIZE: Final = 25
# Of a body so many characters are shown here; the request's own page has it whole.
MAX_SHOWN: Final = 20_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. `target` is what stood behind the endpoint's own address. `url` is that of its own page, `address`
    where it arrived.

    `answer`: what it was answered, where that is not the same each time.
    """

    row: RequestLog
    url: str
    address: str
    target: str
    body: BodyView
    is_cut: bool
    job: WebhookJob | None
    job_url: str
    run_url: str
    is_test: bool
    answer: BodyView | None


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
    rows = rows.defer("request_body")
    if endpoint.kind == EndpointKind.INSPECTOR:
        rows = rows.defer("response_body")
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
                address=url_of(request, row),
                target=_target_of(row.url, endpoint),
                body=view_body(
                    row.beginning[:MAX_SHOWN],
                    truncated=row.request_truncated or is_cut,
                    removed=row.bodies_removed,
                ),
                is_cut=is_cut,
                job=job,
                job_url=admin_url(request, WebhookJob, job.pk) if job else "",
                run_url=_run_url(request, row.run_id),
                is_test=bool(endpoint.test_token) and endpoint.test_token in row.url,
                answer=_answer_of(row, endpoint),
            )
        )
    return found


def _target_of(url: str, endpoint: InboundEndpoint) -> str:
    """Behind whichever of its addresses was used."""
    for token in (endpoint.token, endpoint.previous_token, endpoint.test_token):
        if token and token in url:
            return url.partition(token)[2] or "/"
    return f"?{url.partition('?')[2]}" if "?" in url else "/"


def _answer_of(row: RequestLog, endpoint: InboundEndpoint) -> BodyView | None:
    if endpoint.kind == EndpointKind.INSPECTOR or not row.response_body:
        return None
    shown = row.response_body[:MAX_SHOWN]
    return view_body(shown, truncated=len(row.response_body) > MAX_SHOWN)


def _run_url(request: HttpRequest, run_id: str | None) -> str:
    """The app above has the page, if it is there and this user may see it."""
    if run_id is None or not request.user.has_perm("automations.view_run"):
        return ""
    try:
        return reverse("admin:automations_run_change", args=[run_id])
    except NoReverseMatch:
        return ""


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
