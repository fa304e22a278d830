"""Beside the form of a webhook: the live preview, and tests of what is in the form, saved or not."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from records.models import ObjectDefinition, User
from webhooks.admin.filters import clean_id
from webhooks.admin.links import admin_url
from webhooks.admin.preview import make_preview
from webhooks.forms import WebhookForm
from webhooks.models import JobStatus, RequestLog, Webhook, WebhookJob
from webhooks.names import Names, menu_of
from webhooks.samples import Sample, Samples
from webhooks.services import send_test
from webhooks.summaries import hint_of, summary_of

if TYPE_CHECKING:
    from webhooks.admin.webhooks import WebhookAdmin

_FOLDER: Final = "admin/webhooks/webhook"
_ENDED: Final = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)
# After so long without an end, the page says what may be the matter.
_PATIENCE: Final = timedelta(seconds=10)
# Not about the request: the page has them beside their inputs.
_NOT_THE_REQUEST: Final = frozenset({"name", "description", "is_active"})


class PreviewPages:
    """The addresses that the form asks for while somebody works on it."""

    def __init__(self, model_admin: "WebhookAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            wrapped = self.admin.admin_site.admin_view(view)
            address: URLPattern = path(route, wrapped, name=f"webhooks_webhook_{name}")
            return address

        return [
            page("preview/", require_POST(self.preview), "preview"),
            page("test/", require_POST(self.test), "test"),
            page("test/<str:job_id>/", self.outcome, "outcome"),
        ]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The request that the form as it stands makes of the chosen event."""
        form = self._form(request)
        form.is_valid()
        webhook = form.draft()
        samples = Samples(_user(request), webhook.event, _object_of(webhook))
        picker = _picker(request, samples, webhook)
        sample = samples.get(picker["selected"])
        preview = make_preview(webhook, sample)
        shown = preview.errors.values()
        return self._part(
            request,
            "_preview.html",
            preview=preview,
            problems=[
                (label, words)
                for label, words in _problems(form)
                if words not in shown and not (preview.lacks_url and label == "URL")
            ],
            picker=picker,
            names=menu_of(Names(webhook.event, _object_of(webhook), form.secret_names)),
        )

    def test(self, request: HttpRequest) -> HttpResponse:
        """Send once what the preview shows. With a mistake in it, nothing is sent."""
        form = self._form(request)
        form.is_valid()
        problems = _problems(form)
        webhook = form.draft()
        sample = self._sample(request, webhook)
        if not problems:
            preview = make_preview(webhook, sample)
            problems = [
                ("", preview.errors[part])
                for part in ("url", "headers", "body")
                if part in preview.errors
            ]
        if problems:
            return self._part(request, "_test.html", problems=problems)
        webhook.name = webhook.name or "Unsaved webhook"
        job = send_test(webhook=webhook, event=sample.event)
        return self._outcome(request, job)

    def outcome(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """How a test goes; asked again and again until it has ended."""
        if not (
            self.admin.has_change_permission(request) or self.admin.has_add_permission(request)
        ):
            raise PermissionDenied
        pk = clean_id(WebhookJob, job_id)
        job = WebhookJob.objects.filter(pk=pk, is_test=True).first() if pk else None
        if job is None:
            raise Http404
        return self._outcome(request, job)

    # --- what they have in common ---

    def _form(self, request: HttpRequest) -> WebhookForm:
        """The unsaved form, for those who may save it. Raises PermissionDenied, Http404."""
        webhook = None
        if key := request.POST.get("webhook_id"):
            webhook = self.admin.get_object(request, unquote(key))
            if webhook is None:
                raise Http404
        allowed = (
            self.admin.has_change_permission(request, webhook)
            if webhook
            else self.admin.has_add_permission(request)
        )
        if not allowed:
            raise PermissionDenied
        form_class = self.admin.get_form(request, webhook, change=webhook is not None)
        form: WebhookForm = form_class(request.POST, instance=webhook or Webhook())
        return form

    def _sample(self, request: HttpRequest, webhook: Webhook) -> Sample:
        samples = Samples(_user(request), webhook.event, _object_of(webhook))
        return samples.get(request.POST.get("sample", ""))

    def _outcome(self, request: HttpRequest, job: WebhookJob) -> HttpResponse:
        ended = job.status in _ENDED
        log = RequestLog.objects.filter(job=job).order_by("-id").first() if ended else None
        return self._part(
            request,
            "_test.html",
            job=job,
            ended=ended,
            summary=summary_of(
                status=job.status,
                status_code=job.status_code,
                error_kind=job.error_kind,
                error=job.error,
            ),
            hint=hint_of(
                is_success=job.status == JobStatus.SUCCEEDED,
                status_code=job.status_code,
                error_kind=job.error_kind,
            ),
            response=log.response_body[:2000] if log else "",
            waits_long=not ended and timezone.now() - job.created_at > _PATIENCE,
            job_url=admin_url(request, WebhookJob, job.pk),
            poll_url=reverse("admin:webhooks_webhook_outcome", args=[job.pk]),
        )

    def _part(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        return TemplateResponse(request, f"{_FOLDER}/{template}", context)


def _picker(request: HttpRequest, samples: Samples, webhook: Webhook) -> dict[str, Any]:
    """The drop-down of events to try. It is only sent anew when it offers something else."""
    query = request.POST.get("sample_query", "").strip()[:200].replace("\0", "")
    made_for = f"{webhook.event} {webhook.object_id or ''} {query}"
    selected = request.POST.get("sample", "")
    if request.POST.get("sample_made_for") == made_for:
        return {"selected": selected, "is_new": False}
    groups = samples.choices(query)
    keys = [choice.key for _, choices in groups for choice in choices]
    if selected not in keys:
        selected = keys[0]
    return {"selected": selected, "groups": groups, "made_for": made_for, "is_new": True}


def _problems(form: WebhookForm) -> list[tuple[str, str]]:
    """(Label, words) of the mistakes that keep the request from being what is meant."""
    return [
        (str(form.fields[name].label or name.capitalize()), str(message))
        for name, messages in form.errors.items()
        if name in form.fields and name not in _NOT_THE_REQUEST
        for message in messages
    ]


def _object_of(webhook: Webhook) -> ObjectDefinition | None:
    return webhook.object if webhook.object_id else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # the admin knows only our users
