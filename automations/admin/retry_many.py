"""Many runs are retried: first what that would do, by automation and version, then doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from automations.admin.frame import framed
from automations.admin.releases import release_records
from automations.admin.retry_page import FOLDER, Choice
from automations.admin.run_filters import Asked, read_address
from automations.history import failed_ids_of
from automations.models import Run
from automations.services import plan_retries, retry_runs
from records.models import Record, User
from webhooks.admin.filters import clean_id
from webhooks.admin.live import wants_part

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

# In one request: some two seconds. Who means more does it again; what was retried is then left out.
BULK_LIMIT: Final = 500
# So many runs of each group are named.
_SAMPLE: Final = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """`is_capped`: more match than are done at once."""

    ids: Sequence[str]
    is_everything: bool = False
    is_capped: bool = False


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
        chosen = _chosen(request, asked)
        if not chosen.ids:
            words = "None of these runs has failed, or all were retried already."
            if not chosen.is_everything:
                words = "No run was chosen. Tick the runs you mean first."
            messages.warning(request, words)
            return HttpResponseRedirect(back)
        if request.method == "POST" and "confirmed" in request.POST:
            self._retry(request, chosen)
            return HttpResponseRedirect(back)
        return self._page(request, chosen, back, release="release" in request.POST)

    def ask(self, request: HttpRequest, ids: Sequence[str], *, release: bool) -> HttpResponse:
        """The page about runs that were chosen elsewhere."""
        self.admin.require_change(request)
        return self._page(request, Chosen(ids), request.get_full_path(), release=release)

    def _page(
        self, request: HttpRequest, chosen: Chosen, back: str, *, release: bool
    ) -> HttpResponse:
        context = _context(request, chosen) | {
            "back": back,
            "filters": f"?{request.GET.urlencode()}" if request.GET else "",
            "release": release,
        }
        if wants_part(request):
            return TemplateResponse(request, f"{FOLDER}/_many.html", context)
        return framed(self.admin, request, "retry/many.html", title="Retry runs", **context)

    def _retry(self, request: HttpRequest, chosen: Chosen) -> None:
        choice = Choice.of(request.POST, has_failed=True)
        if "release" in request.POST:
            release_records(request, _held(plan_retries(ids=chosen.ids).ids))
        user = cast(User, request.user)
        fresh, left = retry_runs(ids=chosen.ids, actor=user, begin=choice.begin, on=choice.on)
        words = f"{_runs(len(fresh))} {'is' if len(fresh) == 1 else 'are'} tried again."
        if left:
            words += f" {_runs(left)} left alone: each for a reason that the page before named."
        (messages.success if fresh else messages.warning)(request, words)


def _chosen(request: HttpRequest, asked: Asked) -> Chosen:
    """What was ticked; or, asked for by a link or by “all that match”, everything that failed under the filters."""
    values = request.POST if request.method == "POST" else request.GET
    if request.method != "POST" or "everything" in values:
        ids = failed_ids_of(asked.query, BULK_LIMIT + 1)
        return Chosen(ids[:BULK_LIMIT], True, len(ids) > BULK_LIMIT)
    ticked = {pk for text in values.getlist("ids") if (pk := clean_id(Run, text))}
    return Chosen(sorted(ticked, reverse=True)[:BULK_LIMIT], False, "is_capped" in values)


def _held(ids: Sequence[str]) -> list[Record]:
    """The records of these runs that are in quarantine."""
    records = Run.objects.filter(pk__in=ids, record__isnull=False).values("record")
    held = Record.objects.filter(pk__in=records).exclude(quarantined_at=None)
    return list(held.select_related("object"))


def _context(request: HttpRequest, chosen: Chosen) -> dict[str, Any]:
    choice = Choice.of(request.POST, has_failed=True)
    plan = plan_retries(ids=chosen.ids, begin=choice.begin, on=choice.on)
    number = len(plan.ids)
    return {
        "choice": choice,
        "chosen": chosen,
        "plan": plan,
        "number": number,
        "number_words": _runs(number),
        "refused": sum(count for _, count in plan.refused),
        "limit": BULK_LIMIT,
        "held": len(_held(plan.ids)),
        "groups": [
            {
                "group": group,
                "number_words": _runs(len(group.runs)),
                "sample": group.runs[:_SAMPLE],
                "more": max(0, len(group.runs) - _SAMPLE),
                "repeats": [each for each in group.outside if each[2]],
                "reaches": [each for each in group.outside if not each[2]],
            }
            for group in plan.groups
        ],
    }


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number:,} runs"
