"""What a record's page says of webhooks: the jobs that its changes led to."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from records.eventtypes import label_of
from records.models import Record, User
from records.panels import Panel, register
from webhooks.models import WebhookJob
from webhooks.summaries import Summary, summary_of

_MAX_JOBS: Final = 10


@dataclass(frozen=True, slots=True)
class PanelJob:
    job: WebhookJob
    summary: Summary
    event: str
    url: str


@register
def jobs_of_record(request: HttpRequest, record: Record) -> Panel | None:
    """The latest jobs, for staff who may see them; nothing where there are none. One query."""
    if not _may_see(request):
        return None
    jobs = WebhookJob.objects.filter(record=record.pk).order_by("-pk").defer("headers", "body")
    rows = [_row(job) for job in jobs[: _MAX_JOBS + 1]]
    if not rows:
        return None
    more = ""
    if len(rows) > _MAX_JOBS:
        more = f"{reverse('admin:webhooks_webhookjob_changelist')}?q={record.pk}"
    context = {"jobs": rows[:_MAX_JOBS], "more": more}
    return Panel("webhooks/_record_panel.html", context, title="Webhook jobs", icon="webhook")


def _may_see(request: HttpRequest) -> bool:
    user = request.user
    return (
        isinstance(user, User)
        and user.is_staff
        and (
            user.has_perm("webhooks.view_webhookjob") or user.has_perm("webhooks.change_webhookjob")
        )
    )


def _row(job: WebhookJob) -> PanelJob:
    return PanelJob(
        job=job,
        summary=summary_of(
            status=job.status,
            status_code=job.status_code,
            error_kind=job.error_kind,
            error=job.error,
        ),
        event=label_of(job.event_name).removeprefix("Record · "),
        url=reverse("admin:webhooks_webhookjob_change", args=[job.pk]),
    )
