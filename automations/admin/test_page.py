"""The tab “Test” of an automation: the draft is tried with a record, held against the past, and switched on."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from pydantic import ValidationError

from automations.admin.run_page import run_url
from automations.admin.run_words import look_of
from automations.admin.test_backtest import backtest_context
from automations.admin.test_sight import looks_behind
from automations.admin.test_trace import trial_of
from automations.backtests import WINDOWS_DAYS, Backtest, Tally
from automations.builder.mistakes import mistakes_of
from automations.builder.saving import stamp_of
from automations.builder.views.base import STATES, Pages, is_changed, user_of
from automations.document import TriggerPart
from automations.dryrun import dry_run
from automations.exceptions import AutomationTrouble, DocumentInvalid
from automations.models import Automation, AutomationState, Run, RunMode, StepRun
from automations.samples import RequestRefused, Sample, TrialSamples, WrittenRequest
from automations.services import publish, set_state
from automations.triggers import TRIGGERS
from records.models import Event
from webhooks.admin.live import wants_part

FOLDER: Final = "admin/automations/test"
_SALT: Final = "automations.backtest"
_STATE_MAX_AGE_S: Final = 3600
_MAX_BODY: Final = 100_000
_TEST_RUNS: Final = 10
_NOTES_OF_RUN: Final = 4
_DEFAULT_DAYS: Final = 7
_NOTHING: Final[Mapping[str, Any]] = {}


class TestPages(Pages):
    __test__ = False  # no test, but the pages on which people make theirs

    def urls(self) -> list[URLPattern]:
        own = "<str:object_id>/test/"
        return [
            self.address(own, require_GET(self.show), "test"),
            self.address(f"{own}samples/", require_GET(self.samples), "test_samples"),
            self.address(f"{own}try/", require_POST(self.try_out), "test_try"),
            self.address(f"{own}backtest/", require_POST(self.backtest), "test_backtest"),
            self.address(f"{own}why/", require_GET(self.why), "test_why"),
            self.address(f"{own}switch/", require_POST(self.switch), "test_switch"),
        ]

    # --- pages ---

    def show(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, self.find(request, object_id))

    def samples(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What can be chosen, while somebody searches."""
        automation = self.find(request, object_id, to_change=True)
        query = request.GET.get("query", "").strip()[:200].replace("\0", "")
        trials = self._trials(request, automation)
        context = {"samples": trials.choices(query), "chosen": request.GET.get("sample", "")}
        return HttpResponse(render_to_string(f"{FOLDER}/_samples.html", context, request))

    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Run the draft, and undo it all."""
        automation = self.find(request, object_id, to_change=True)
        context: dict[str, Any] = {"automation": automation}
        if mistakes := mistakes_of(automation.draft):
            context["to_mend"] = mistakes
        else:
            try:
                context["trial"] = self._trial(request, automation)
            except RequestRefused as error:
                context["refused"] = str(error)
        if not wants_part(request):
            return self._page(request, automation, context)
        return HttpResponse(render_to_string(f"{FOLDER}/_result.html", context, request))

    def backtest(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One slice; the page asks for the next one with what this one has found."""
        automation = self.find(request, object_id, to_change=True)
        context: dict[str, Any] = {"automation": automation}
        if mistakes := mistakes_of(automation.draft):
            context["to_mend"] = mistakes
        else:
            self._trials(request, automation)
            tally = _tally_of(request, automation)
            if tally is None:
                context["is_outdated"] = True
            else:
                backtest = Backtest(automation, automation.draft, user_of(request))
                backtest.go_on(tally)
                context |= backtest_context(backtest, tally)
                context["state"] = _signed(request, automation, tally)
        if not wants_part(request):
            return self._page(request, automation, {**context, "has_looked_back": True})
        return HttpResponse(render_to_string(f"{FOLDER}/_backtest.html", context, request))

    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the conditions come to with one of the events."""
        automation = self.find(request, object_id, to_change=True)
        if mistakes_of(automation.draft):
            raise Http404
        sample = self._trials(request, automation).get(request.GET.get("sample", ""))
        backtest = Backtest(automation, automation.draft, user_of(request))
        is_veiled = looks_behind(automation.draft, backtest.definition, user_of(request))
        context = {
            "automation": automation,
            "sample": sample,
            "finding": None if is_veiled else backtest.finding(sample.event),
            "is_veiled": is_veiled,
            "has_conditions": backtest.version.has_conditions,
        }
        return HttpResponse(render_to_string(f"{FOLDER}/_why.html", context, request))

    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Publish what was tried, and switch it to test mode or on."""
        automation = self.find(request, object_id, to_change=True)
        state = request.POST.get("state", "")
        back = HttpResponseRedirect(_url(automation, "test"))
        if state not in (AutomationState.TEST, AutomationState.ACTIVE):
            raise Http404
        if request.POST.get("stamp") != stamp_of(automation.draft):
            words = "Somebody has changed this automation in the meantime, so nothing was switched on. Try it again."
            messages.error(request, words)
            return back
        try:
            words = _switch_on(automation, state, request)
        except DocumentInvalid as error:
            messages.error(request, f"Not switched on: {error.mistakes[0][1]}")
        except AutomationTrouble as error:
            messages.error(request, str(error))
        else:
            self.admin.log_change(request, automation, words)
            messages.success(request, words)
        return back

    # --- parts ---

    def _page(
        self, request: HttpRequest, automation: Automation, extra: Mapping[str, Any] = _NOTHING
    ) -> HttpResponse:
        frame = self.frame(request, automation, "test")
        samples = self._picker(request, automation) if frame["is_editable"] else {}
        context = {
            **self.admin.admin_site.each_context(request),
            "opts": self.admin.opts,
            "media": self.admin.media,
            "title": automation.name,
            "original": automation,
            **frame,
            **samples,
            "windows": WINDOWS_DAYS,
            "default_days": _DEFAULT_DAYS,
            "events_since": _events_since(),
            "choices_of_state": [each for each in STATES if each[0] in ("test", "active")],
            "test_runs": _test_runs(automation),
            "next_version": _next_version(automation),
        }
        return TemplateResponse(request, f"{FOLDER}/page.html", {**context, **extra})

    def _picker(self, request: HttpRequest, automation: Automation) -> dict[str, Any]:
        """What to try it with; nothing while the trigger has mistakes."""
        trials = _trials_of(request, automation)
        if trials is None:
            return {"has_no_trigger": True}
        if not trials.may_be_seen:
            return {"may_not_see": trials.definition}
        wanted = request.GET.get("sample") or request.POST.get("sample", "")
        chosen = trials.get(wanted)
        groups = trials.choices()
        offered = {choice.key for _, choices in groups for choice in choices}
        return {
            "samples": groups,
            "chosen": chosen.key,
            "pinned": None if chosen.key in offered else chosen,
            "has_records": trials.of_record,
            "request_to_edit": trials.request_to_edit(request.GET.get("request", ""))
            if trials.takes_requests
            else None,
        }

    def _trials(self, request: HttpRequest, automation: Automation) -> TrialSamples:
        """Raises Http404 where the trigger has mistakes, PermissionDenied for whose records may not be seen."""
        trials = _trials_of(request, automation)
        if trials is None:
            raise Http404
        if not trials.may_be_seen:
            raise PermissionDenied
        return trials

    def _trial(self, request: HttpRequest, automation: Automation) -> Any:
        trials = self._trials(request, automation)
        sample = _chosen(trials, request)
        tried = dry_run(
            automation=automation,
            document=automation.draft,
            event=sample.event,
            event_name=trials.event_name,
            ignore_conditions=request.POST.get("anyway") == "on",
        )
        return trial_of(request, tried, automation.draft, sample, user_of(request))


def _trials_of(request: HttpRequest, automation: Automation) -> TrialSamples | None:
    try:
        part = TriggerPart.model_validate(automation.draft.get("trigger"))
        trigger = TRIGGERS.get(part.type)
        config = trigger.Config.model_validate(part.config) if trigger else None
    except ValidationError:
        return None
    if trigger is None or config is None or trigger.problems(config):
        return None
    return TrialSamples(user_of(request), automation, part)


def _chosen(trials: TrialSamples, request: HttpRequest) -> Sample:
    key = request.POST.get("sample", "")
    if not trials.takes_requests or key.startswith(("evt_", "req_")):
        return trials.get(key)
    written = {
        name: request.POST.get(name, "")[:_MAX_BODY].replace("\0", "")
        for name in ("method", "query", "headers", "body")
    }
    return trials.of_request(WrittenRequest(**written))


def _tally_of(request: HttpRequest, automation: Automation) -> Tally | None:
    """A new one, or that of the slices before; None when it is not for this draft (any more)."""
    state = request.POST.get("state")
    if not state:
        days = request.POST.get("days", "")
        asked = int(days) if days.isdecimal() and int(days) in WINDOWS_DAYS else _DEFAULT_DAYS
        return Tally.begin(asked, timezone.now())
    try:
        values = signing.loads(state, salt=_SALT, max_age=_STATE_MAX_AGE_S)
    except signing.BadSignature:
        return None
    return Tally.from_json(values["tally"]) if values["for"] == _for(request, automation) else None


def _signed(request: HttpRequest, automation: Automation, tally: Tally) -> str:
    if tally.is_done:
        return ""
    values = {"tally": tally.to_json(), "for": _for(request, automation)}
    return signing.dumps(values, salt=_SALT, compress=True)


def _for(request: HttpRequest, automation: Automation) -> list[str]:
    return [automation.pk, stamp_of(automation.draft), str(user_of(request).pk)]


def _switch_on(automation: Automation, state: str, request: HttpRequest) -> str:
    """What was done, in words."""
    words = ""
    if is_changed(automation):
        version = publish(automation=automation, actor=user_of(request))
        words = f"Version {version.number} is published. "
    set_state(automation=automation, state=state)
    return words + next(each for key, _, _, each in STATES if key == state)


def _next_version(automation: Automation) -> int | None:
    """The number under which the draft would be published; None when it is published."""
    if not is_changed(automation):
        return None
    latest = automation.versions.values_list("number", flat=True).first()
    return (latest or 0) + 1


def _events_since() -> Any:
    return Event.objects.order_by("id").values_list("created_at", flat=True).first()


def _test_runs(automation: Automation) -> list[Mapping[str, Any]]:
    """The last runs in test mode, with what they would have sent."""
    heavy = ("conditions", "cursor", "variables", "error", "answer")
    newest = Run.objects.filter(automation=automation.pk, mode=RunMode.TEST).order_by("-id")
    runs = list(newest.select_related("event", "record__object").defer(*heavy)[:_TEST_RUNS])
    rows = StepRun.objects.filter(run__in=runs, note__startswith="Would have").order_by("id")
    notes: dict[str, list[str]] = {}
    for pk, note in rows.values_list("run_id", "note"):
        notes.setdefault(pk, []).append(note)
    return [
        {
            "run": run,
            "look": look_of(run),
            "url": run_url(run.pk),
            "subject": run.record or (run.event.subject_label if run.event else ""),
            "notes": notes.get(run.pk, [])[:_NOTES_OF_RUN],
            "more": len(notes.get(run.pk, [])[_NOTES_OF_RUN:]),
        }
        for run in runs
    ]


def _url(automation: Automation, page: str) -> str:
    return reverse(f"admin:automations_automation_{page}", args=[automation.pk])
