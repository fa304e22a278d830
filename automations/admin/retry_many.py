"""Many runs are retried: first what that would do, by automation and version, then doing it. What was ticked is done
at once; all that match, however many, little by little."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from automations.admin.frame import framed
from automations.admin.releases import release_records
from automations.admin.retry_bulk import rerun_url
from automations.admin.retry_page import FOLDER, Choice
from automations.admin.run_filters import Asked, read_address
from automations.bulk_reruns import BATCH_SIZE, start_bulk_rerun
from automations.models import Run
from automations.rerun_previews import (
    RerunPreview,
    held_records,
    preview_of_chosen,
    preview_of_query,
)
from automations.services import retry_runs
from records.models import User
from webhooks.admin.filters import clean_id, read_moment
from webhooks.admin.live import wants_part

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

# So many runs of each group are named.
_SAMPLE: Final = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs that were ticked; or all that failed under the filters until a moment."""

    ids: Sequence[str] = ()
    until: datetime | None = None


class RetryMany:
    """The list's filters are in the address, what was ticked comes with the form."""

    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self.admin.admin_site.admin_view(self.view)
        return [path("retry/", view, name="automations_run_retry_many")]

    def view(self, request: HttpRequest) -> HttpResponse:
        self.admin.require_change(request)
        asked = read_address(request.GET, timezone.now())
        back = reverse("admin:automations_run_changelist") + asked.address()
        chosen = _chosen(request)
        if not chosen.ids and chosen.until is None:
            messages.warning(request, "No run was chosen. Tick the runs you mean first.")
            return HttpResponseRedirect(back)
        if request.method == "POST" and "confirmed" in request.POST:
            return HttpResponseRedirect(self._retry(request, asked, chosen) or back)
        release = "release" in request.POST
        return self._page(request, asked, chosen, back, release=release)

    def ask(self, request: HttpRequest, ids: Sequence[str], *, release: bool) -> HttpResponse:
        """The page about runs that were chosen elsewhere."""
        self.admin.require_change(request)
        asked = read_address({}, timezone.now())
        return self._page(request, asked, Chosen(ids), request.get_full_path(), release=release)

    def _page(
        self, request: HttpRequest, asked: Asked, chosen: Chosen, back: str, *, release: bool
    ) -> HttpResponse:
        choice = Choice.of(request.POST, has_failed=True)
        preview = _preview(asked, chosen, choice)
        if chosen.until is not None and not preview.number and not preview.refused:
            words = "None of these runs has failed, or all were retried already."
            messages.warning(request, words)
            return HttpResponseRedirect(back)
        context = {
            **_context(preview),
            "choice": choice,
            "chosen": chosen,
            "back": back,
            "filters": asked.address(),
            "release": release,
        }
        if wants_part(request):
            return TemplateResponse(request, f"{FOLDER}/_many.html", context)
        return framed(self.admin, request, "retry/many.html", title="Retry runs", **context)

    def _retry(self, request: HttpRequest, asked: Asked, chosen: Chosen) -> str:
        """Do it. Where its progress is told, if it goes on for a while."""
        choice = Choice.of(request.POST, has_failed=True)
        user = cast(User, request.user)
        releases = "release" in request.POST
        if chosen.until is not None:
            bulk = start_bulk_rerun(
                query=asked.query,
                until=chosen.until,
                begin=choice.begin,
                on=choice.on,
                releases=releases,
                actor=user,
            )
            messages.success(request, "The bulk retry has begun.")
            return rerun_url(bulk.pk)
        if releases:
            preview = preview_of_chosen(chosen.ids, begin=choice.begin, on=choice.on)
            ids = [run.pk for group in preview.groups for run in group.sample]
            release_records(request, held_records(ids))
        fresh, left = retry_runs(ids=chosen.ids, actor=user, begin=choice.begin, on=choice.on)
        words = f"{_runs(len(fresh))} {'is' if len(fresh) == 1 else 'are'} tried again."
        if left:
            words += f" {_runs(left)} left alone: each for a reason that the page before named."
        (messages.success if fresh else messages.warning)(request, words)
        return ""


def _chosen(request: HttpRequest) -> Chosen:
    """What was ticked; or, asked for by a link or by “all that match”, everything that failed under the filters."""
    values = request.POST if request.method == "POST" else request.GET
    if request.method != "POST" or "everything" in values:
        return Chosen(until=_moment(values.get("until", "")))
    ticked = {pk for text in values.getlist("ids") if (pk := clean_id(Run, text))}
    return Chosen(sorted(ticked, reverse=True))


def _moment(text: str) -> datetime:
    """When the page was first asked for: what fails later is none of it."""
    now = timezone.now()
    try:
        return min(read_moment(text), now) if text else now
    except ValueError:
        return now


def _preview(asked: Asked, chosen: Chosen, choice: Choice) -> RerunPreview:
    if chosen.until is None:
        return preview_of_chosen(chosen.ids, begin=choice.begin, on=choice.on)
    return preview_of_query(asked.query, until=chosen.until, begin=choice.begin, on=choice.on)


def _context(preview: RerunPreview) -> dict[str, Any]:
    number = preview.number
    return {
        "preview": preview,
        "number_words": f"{number:,} runs or more" if preview.is_capped else _runs(number),
        "refused": sum(count for _, count in preview.refused),
        "per_second": BATCH_SIZE,
        "groups": [
            {
                "group": group,
                "number_words": _runs(group.number),
                "sample": group.sample[:_SAMPLE],
                "more": max(0, group.number - _SAMPLE),
            }
            for group in preview.groups
        ],
    }


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"
