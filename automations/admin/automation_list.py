"""The list of automations: for those on the page, what their runs came to, in a fixed number of queries."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from unfold.views import ChangeList

from automations.builder.flow import trigger_words
from automations.models import Automation, AutomationState, Run, RunStatus
from records.ids import first_id_at
from records.models import ObjectDefinition

# The newest runs that are counted; where there are more, how many exactly does not matter.
_COUNTED: Final = 5_000
_ICONS: Final = {
    RunStatus.SUCCEEDED: ("good", "check_circle"),
    RunStatus.FAILED: ("bad", "error"),
    RunStatus.HALTED: ("warn", "front_hand"),
    RunStatus.CANCELLED: ("quiet", "cancel"),
    RunStatus.SKIPPED: ("quiet", "do_not_disturb_on"),
}


@dataclass(frozen=True, slots=True)
class Lately:
    """An automation's last run, skipped ones left out, and how many there were in 24 hours."""

    run: Run | None
    tone: str
    icon: str
    runs: int
    failures: int
    is_capped: bool


class AutomationChangeList(ChangeList):  # type: ignore[misc]
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        lately = recent_runs([automation.pk for automation in self.result_list])
        objects = dict(ObjectDefinition.objects.values_list("slug", "plural"))
        # A trigger may look up its object to say what it is: the same one is asked once.
        words: dict[str, str] = {}
        for automation in self.result_list:
            automation.lately = lately[automation.pk]
            document = _reacts_with(automation)
            key = json.dumps(document.get("trigger"), sort_keys=True)
            if key not in words:
                words[key] = trigger_words(document)
            automation.trigger_words = words[key]
            automation.object_words = objects.get(_object_slug(automation), "")


def recent_runs(pks: list[str]) -> dict[str, Lately]:
    fired = Run.objects.filter(automation=OuterRef("pk")).exclude(status=RunStatus.SKIPPED)
    last: dict[Any, Any] = dict(
        Automation.objects.filter(pk__in=pks)
        .annotate(last_run=Subquery(fired.order_by("-id").values("pk")[:1]))
        .values_list("pk", "last_run")
    )
    runs = Run.objects.only("id", "status", "created_at", "mode").in_bulk(
        [pk for pk in last.values() if pk]
    )
    since = first_id_at("run", timezone.now() - timedelta(days=1))
    newest = Run.objects.filter(pk__gte=since).exclude(status=RunStatus.SKIPPED).order_by("-id")
    day = list(newest.values_list("automation_id", "status")[:_COUNTED])
    counts = Counter(pk for pk, _ in day)
    failures = Counter(pk for pk, status in day if status == RunStatus.FAILED)
    return {
        pk: _lately(runs.get(last[pk]), counts[pk], failures[pk], is_capped=len(day) == _COUNTED)
        for pk in pks
    }


def _lately(run: Run | None, runs: int, failures: int, *, is_capped: bool) -> Lately:
    tone, icon = _ICONS.get(RunStatus(run.status), ("busy", "schedule")) if run else ("", "")
    return Lately(run, tone, icon, runs, failures, is_capped)


def _reacts_with(automation: Automation) -> Any:
    return automation.published.document if automation.published else automation.draft


def _object_slug(automation: Automation) -> str:
    config = (_reacts_with(automation).get("trigger") or {}).get("config") or {}
    return str(config.get("object") or "")


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(key), str(label)) for key, label in AutomationState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(state=value) if value else queryset


class ObjectFilter(admin.SimpleListFilter):
    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.slug, each.plural) for each in ObjectDefinition.objects.alive()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(draft__trigger__config__object=value) if value else queryset
