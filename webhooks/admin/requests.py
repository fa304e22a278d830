"""The request log: every request that was sent or received. Nothing in it is changed, but some of it is kept."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from records.models import User
from webhooks.admin.filters import clean_id
from webhooks.admin.pages import OwnPages
from webhooks.admin.request_filters import Asked, filter_context, read_address
from webhooks.admin.request_page import request_context, trial_of
from webhooks.admin.request_rows import may_see_addresses, row_of, where_of
from webhooks.inbound.former import former_endpoints
from webhooks.keptrequests import keep_request, release_request
from webhooks.logqueries import SEARCHED_OF_BODY
from webhooks.models import Direction, RequestLog
from webhooks.replays import ReplayRefused, replay_request, try_on_draft
from webhooks.requestlog import page_of


@admin.register(RequestLog)
class RequestLogAdmin(OwnPages):
    """Pages of our own: Django's list counts, and sorts in ways that a table of millions can't bear."""

    folder = "admin/webhooks/requestlog"

    def get_urls(self) -> list[URLPattern]:
        def act(route: str, view: Callable[..., HttpResponse]) -> URLPattern:
            view = self.admin_site.admin_view(require_POST(view))
            return path(f"<str:object_id>/{route}/", view, name=f"webhooks_requestlog_{route}")

        return [
            act("keep", self.keep_view),
            act("release", self.release_view),
            act("replay", self.replay_view),
            act("try", self.try_view),
            *super().get_urls(),
        ]

    # --- pages ---

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_view(request)
        asked = _asked(request)
        page = page_of(asked.query, before=asked.before, after=asked.after)
        former = former_endpoints(page.rows)
        return self.page(
            request,
            "list.html",
            title="Request log",
            asked=asked,
            page=page,
            rows=[row_of(request, row, former) for row in page.rows],
            newest_address=asked.address(),
            newer_address=asked.address(after=page.newer),
            older_address=asked.address(before=page.older),
            searched_of_body=SEARCHED_OF_BODY,
            **filter_context(request, asked),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_view(request)
        return self._page(request, self._row(object_id))

    # --- acts ---

    def keep_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._keepable(request, object_id)
        keep_request(row=row, name=request.POST.get("name", ""))
        self.log_change(request, row, f"Kept as a sample{f' “{row.name}”' if row.name else ''}.")
        messages.success(request, "Kept as a sample: it is not cleaned up.")
        return self._back(request, row)

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._keepable(request, object_id)
        release_request(row=row)
        self.log_change(request, row, "No longer kept as a sample.")
        messages.success(request, "It is no sample any more, and is cleaned up in its time.")
        return self._back(request, row)

    def replay_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row, user = self._replayable(request, object_id)
        try:
            replayed = replay_request(row=row, user=user)
        except ReplayRefused as error:
            messages.error(request, f"Not replayed: {error}")
            return self._back(request, row)
        self.log_change(request, row, f"Replayed as {replayed.request_id}.")
        words = (
            "its run is below" if replayed.run_id else "no run is known yet; see its event below"
        )
        messages.success(request, f"Replayed as a new event; {words}.")
        return HttpResponseRedirect(_url(replayed.request_id))

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Nothing is done by it, so the answer is the page with what would be done."""
        row, user = self._replayable(request, object_id)
        try:
            outcome = try_on_draft(row=row, user=user)
        except ReplayRefused as error:
            messages.error(request, f"Not tried: {error}")
            return self._back(request, row)
        return self._page(request, row, trial=trial_of(request, row, outcome))

    # --- permissions ---

    def has_change_permission(self, request: HttpRequest, obj: RequestLog | None = None) -> bool:
        return False

    def _row(self, object_id: str) -> RequestLog:
        pk = clean_id(RequestLog, unquote(object_id))
        rows = RequestLog.objects.select_related("job", "endpoint", "event", "actor")
        row = rows.filter(pk=pk).first() if pk else None
        if row is None:
            raise Http404("There is no such request; perhaps it was cleaned up.")
        return row

    def _keepable(self, request: HttpRequest, object_id: str) -> RequestLog:
        self.require_view(request)
        row = self._row(object_id)
        if not _may_keep(request, row):
            raise PermissionDenied
        return row

    def _replayable(self, request: HttpRequest, object_id: str) -> tuple[RequestLog, User]:
        self.require_view(request)
        if not _may_replay(request) or not isinstance(request.user, User):
            raise PermissionDenied
        return self._row(object_id), request.user

    # --- parts ---

    def _page(self, request: HttpRequest, row: RequestLog, **extra: Any) -> HttpResponse:
        asked = _asked(request)
        return self.page(
            request,
            "request.html",
            title=f"{row.method} {where_of(row)[:200]}",
            **request_context(
                request,
                row,
                asked,
                may_keep=_may_keep(request, row),
                may_replay=_may_replay(request),
            ),
            **extra,
        )

    def _back(self, request: HttpRequest, row: RequestLog) -> HttpResponse:
        return HttpResponseRedirect(_url(row.pk) + _asked(request).address())


def _asked(request: HttpRequest) -> Asked:
    return read_address(request.GET, timezone.now(), sees_addresses=may_see_addresses(request))


def _url(request_id: str) -> str:
    return reverse("admin:webhooks_requestlog_change", args=[request_id])


def _may_keep(request: HttpRequest, row: RequestLog) -> bool:
    """Who may change what a request belongs to."""
    is_in = row.direction == Direction.IN
    name = "change_inboundendpoint" if is_in else "change_webhookjob"
    return request.user.has_perm(f"webhooks.{name}")


def _may_replay(request: HttpRequest) -> bool:
    return request.user.has_perm("webhooks.change_inboundendpoint")
