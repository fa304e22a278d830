"""The history of webhook jobs: the list, a job's page, and what people may do with jobs."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from webhooks.admin.bulk import read_bulk
from webhooks.admin.filters import clean_id
from webhooks.admin.job_forms import EditForm
from webhooks.admin.job_list import filter_context, list_context
from webhooks.admin.job_page import job_context, load_job
from webhooks.admin.live import live_part, part_response, wants_part
from webhooks.admin.pages import OwnPages
from webhooks.exceptions import JobRefused
from webhooks.models import JobStatus, WebhookJob
from webhooks.services import EDITABLE, cancel_job, edit_job, retry_job


@admin.register(WebhookJob)
class WebhookJobAdmin(OwnPages):
    """Read-only, but for retry, edit and cancel. The pages are our own: Django's list counts and sorts
    in ways that a table of millions can't bear."""

    folder = "admin/webhooks/webhookjob"

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            guarded: Callable[..., HttpResponse] = self.admin_site.admin_view(view)
            return path(route, guarded, name=f"webhooks_webhookjob_{name}")

        return [
            page("bulk/", self.bulk_view, "bulk"),
            page("<str:object_id>/retry/", require_POST(self.retry_view), "retry"),
            page("<str:object_id>/cancel/", require_POST(self.cancel_view), "cancel"),
            page("<str:object_id>/edit/", self.edit_view, "edit"),
            *super().get_urls(),
        ]

    # --- pages ---

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        context = list_context(request) | {"may_change": self.has_change_permission(request)}
        part = live_part(
            request,
            f"{self.folder}/_list.html",
            context,
            is_open=context["is_open"],
            beside={"tabs": f"{self.folder}/_tabs.html"},
        )
        if wants_part(request):
            return part_response(request, part)
        context |= filter_context(context["asked"]) | part
        return self.page(request, "list.html", title="Webhook jobs", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_view(request)
        job = self._job(object_id)
        if job is None:
            return self._no_such_job(request, object_id)
        context = job_context(request, job, may_change=self.has_change_permission(request))
        part = live_part(request, f"{self.folder}/_job.html", context, is_open=context["is_open"])
        if wants_part(request):
            return part_response(request, part)
        return self.page(request, "job.html", title=str(job), **context, **part)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.require_change(request)
        job = self._job(object_id)
        if job is None:
            return self._no_such_job(request, object_id)
        if job.status not in EDITABLE:
            messages.error(request, _why_not_editable(job))
            return _to_job(job.pk)
        form = EditForm(request.POST if request.method == "POST" else None, job=job)
        if form.is_valid():
            return self._edit(request, job, form)
        return self.page(request, "edit.html", title="Edit and retry", job=job, form=form)

    # --- actions ---

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        seen = request.POST.get("seen_attempts", "")

        def retry(job: WebhookJob) -> None:
            retried = retry_job(
                job=job,
                actor=request.user,  # type: ignore[arg-type]  # the admin knows only our users
                seen_attempts=int(seen) if seen.isdecimal() and len(seen) < 10 else None,
            )
            if retried.status == JobStatus.FAILED:
                messages.error(request, f"The request still can't be made. {retried.error}")
            elif retried.status == JobStatus.PENDING:
                messages.success(request, "The job is pending again and is sent at once.")

        return self._act(request, object_id, retry)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def cancel(job: WebhookJob) -> None:
            cancel_job(job=job, actor=request.user)  # type: ignore[arg-type]
            messages.success(request, "The job is cancelled. It can still be retried.")

        return self._act(request, object_id, cancel)

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """First how many it would touch, then, when that is confirmed, doing it."""
        self.require_change(request)
        history = reverse("admin:webhooks_webhookjob_changelist")
        if request.method != "POST":
            return HttpResponseRedirect(history)
        bulk = read_bulk(request)
        if isinstance(bulk, str):
            messages.error(request, bulk)
            return HttpResponseRedirect(f"{history}?{request.GET.urlencode()}")
        history += bulk.asked.address()
        if not request.POST.get("confirmed"):
            title = f"{bulk.action.verb} webhook jobs"
            return self.page(request, "confirm.html", title=title, bulk=bulk, history=history)
        messages.success(request, bulk.do(request.user))  # type: ignore[arg-type]
        return HttpResponseRedirect(history)

    def _act(
        self, request: HttpRequest, object_id: str, act: Callable[[WebhookJob], None]
    ) -> HttpResponse:
        self.require_change(request)
        job = self._job(object_id)
        if job is None:
            return self._no_such_job(request, object_id)
        try:
            act(job)
        except JobRefused as refusal:
            messages.error(request, str(refusal))
        return _to_job(job.pk)

    def _edit(self, request: HttpRequest, job: WebhookJob, form: EditForm) -> HttpResponse:
        try:
            edit_job(
                job=job,
                actor=request.user,  # type: ignore[arg-type]
                **form.cleaned_data,
            )
        except JobRefused as refusal:
            messages.error(request, str(refusal))
            return _to_job(job.pk)
        if warning := form.warning():
            messages.warning(request, warning)
        messages.success(request, "The job was changed, and is sent at once.")
        return _to_job(job.pk)

    def _job(self, object_id: str) -> WebhookJob | None:
        pk = clean_id(WebhookJob, object_id)
        return load_job(pk) if pk else None

    def _no_such_job(self, request: HttpRequest, object_id: str) -> HttpResponse:
        messages.warning(
            request, f"There is no webhook job “{object_id[:60]}”; perhaps it was cleaned up."
        )
        return HttpResponseRedirect(reverse("admin:webhooks_webhookjob_changelist"))


def _to_job(pk: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:webhooks_webhookjob_change", args=[pk]))


def _why_not_editable(job: WebhookJob) -> str:
    if job.status == JobStatus.SENDING:
        return "This job is being sent right now. Wait until its attempt has ended, then try again."
    return "Only a failed or pending job can be edited."
