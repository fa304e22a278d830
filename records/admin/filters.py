"""Filters of the admin's lists."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from records.eventtypes import CATALOGUE, TARGETED, TYPE_LABELS
from records.ids import first_id_at
from records.models import ObjectDefinition, RecordState
from records.permissions import visible_objects

PERIODS: Final = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}


class DeletedFilter(admin.SimpleListFilter):
    """What is deleted is kept apart; from there it can be restored."""

    title = "deletion"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Deleted"), ("all", "With deleted ones")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for number, choice in enumerate(super().choices(changelist)):
            yield {**choice, "display": "Not deleted"} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


class ObjectFilter(admin.SimpleListFilter):
    """By the object's slug, as it stands in addresses."""

    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(visible_objects(request.user).values_list("slug", "plural"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        ids = ObjectDefinition.objects.filter(slug=self.value()).values_list("pk", flat=True)
        return queryset.filter(object__in=list(ids))


class StageFilter(admin.SimpleListFilter):
    """Offered when the list is one object's."""

    title = "stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        definition = ObjectDefinition.objects.filter(slug=request.GET.get("object", "")).first()
        return list(definition.schema.stage_labels.items()) if definition else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(stage=self.value()) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*RecordState.choices, ("quarantined", "Quarantined")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "quarantined":
            return queryset.exclude(quarantined_at=None)
        return queryset.filter(state=self.value()) if self.value() else queryset


class EventTypeFilter(admin.SimpleListFilter):
    """By the kind of change. What one change carries beside (`record.submitted` …) is told on its page."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        beside = {
            *("record.submitted", "record.field_changed", "record.stage_changed"),
            *("record.saved", "record.closed", "task.completed"),
            *("invitation.accepted", "invitation.declined", "invitation.revoked"),
        }
        return [
            (f"{kind}.{event}", f"{TYPE_LABELS[kind].partition(' (')[0]} · {label}")
            for kind, events in CATALOGUE.items()
            if kind in TYPE_LABELS
            for event, label in events.items()
            if f"{kind}.{event}" not in beside
        ] + list(TARGETED.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class PeriodFilter(admin.SimpleListFilter):
    """By time, through the ids: they begin with it, so no further index is needed."""

    title = "time"
    parameter_name = "time"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in PERIODS:
            return queryset
        since = timezone.now() - PERIODS[str(self.value())][1]
        return queryset.filter(pk__gte=first_id_at("evt", since))
