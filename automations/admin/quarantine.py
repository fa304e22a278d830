"""Records in quarantine: automations leave them alone until a person releases them here, or on the record's page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from automations.admin.frame import framed
from automations.admin.quarantine_list import (
    causes_of,
    is_retryable,
    list_context,
    read_address,
    records_of,
    retried_among,
)
from automations.admin.releases import MAX_REASON, release_records
from automations.admin.retry_many import RetryMany
from automations.models import Run
from records.models import Record
from webhooks.admin.filters import clean_id

if TYPE_CHECKING:
    from automations.admin.runs import RunAdmin

# In one request: some three seconds. Who means more does it again.
RELEASE_LIMIT: Final = 500


class QuarantinePages:
    def __init__(self, model_admin: "RunAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self.admin.admin_site.admin_view(self.view)
        return [path("quarantine/", view, name="automations_quarantine")]

    def view(self, request: HttpRequest) -> HttpResponse:
        self.admin.require_view(request)
        if request.method == "POST":
            return self._act(request)
        may_retry = self.admin.has_change_permission(request)
        return framed(
            self.admin,
            request,
            "quarantine/list.html",
            title="Quarantine",
            max_reason=MAX_REASON,
            **list_context(request, may_retry=may_retry),
        )

    def _act(self, request: HttpRequest) -> HttpResponse:
        """Release what was ticked, all that match, or the one whose button it was."""
        is_one = "one" in request.POST
        records = _chosen(request)
        here = HttpResponseRedirect(request.get_full_path())
        if not records:
            messages.error(request, "No record was chosen. Tick the records you mean first.")
            return here
        if len(records) > RELEASE_LIMIT:
            words = f"So many are done at once: these are the newest {RELEASE_LIMIT}. Do the same again for the others."
            messages.warning(request, words)
            records = records[:RELEASE_LIMIT]
        if request.POST.get("action") == "retry" and not is_one:
            self.admin.require_change(request)
            return self._retry(request, records) or here
        release_records(request, records, reason="" if is_one else _reason(request))
        return here

    def _retry(self, request: HttpRequest, records: Sequence[Record]) -> HttpResponse | None:
        """On to the page that says what retrying their runs would do; it releases them, too."""
        ids = [event.run_id for event in causes_of(records).values() if event.run_id]
        runs = Run.objects.in_bulk(ids)
        retried = retried_among(runs)
        chosen = [run.pk for run in runs.values() if is_retryable(run, retried)]
        if not chosen:
            words = "None of these records came here by a run that can be retried; release them instead."
            messages.warning(request, words)
            return None
        return RetryMany(self.admin).ask(request, chosen, release=True)


def _chosen(request: HttpRequest) -> list[Record]:
    """At most one more than are done at once."""
    if "everything" in request.POST and "one" not in request.POST:
        return list(records_of(read_address(request))[: RELEASE_LIMIT + 1])
    one = request.POST.get("one")
    texts = [one] if one else request.POST.getlist("ids")
    ids = {pk for text in texts if (pk := clean_id(Record, text))}
    found = Record.objects.filter(pk__in=ids).exclude(quarantined_at=None)
    return list(found.select_related("object")[: RELEASE_LIMIT + 1])


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\0", "").strip()[:MAX_REASON]
