"""The list of webhooks: for those on the page, what came of them last, in a fixed number of queries."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from unfold.views import ChangeList

from records.eventtypes import CATALOGUE, TYPE_LABELS
from records.ids import first_id_at
from records.models import ObjectDefinition
from webhooks.models import Webhook, WebhookJob
from webhooks.summaries import Summary, summary_of

# The newest failures that are counted; where everything fails, how much exactly does not matter.
_COUNTED: Final = 2_000


@dataclass(frozen=True, slots=True)
class Lately:
    """A webhook's last job, and how many failed in the last 24 hours."""

    job: WebhookJob | None
    summary: Summary | None
    failures: int
    is_capped: bool = False


class WebhookChangeList(ChangeList):  # type: ignore[misc]
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        lately = recent_results([webhook.pk for webhook in self.result_list])
        for webhook in self.result_list:
            webhook.lately = lately[webhook.pk]


def recent_results(pks: list[str]) -> dict[str, Lately]:
    newest = WebhookJob.objects.filter(webhook=OuterRef("pk")).order_by("-id").values("pk")[:1]
    last: dict[Any, Any] = dict(
        Webhook.objects.filter(pk__in=pks)
        .annotate(last_job=Subquery(newest))
        .values_list("pk", "last_job")
    )
    columns = ("id", "status", "status_code", "error_kind", "error", "created_at", "finished_at")
    jobs: dict[Any, WebhookJob] = WebhookJob.objects.only(*columns).in_bulk(
        [pk for pk in last.values() if pk]
    )
    failures = _failures_of_a_day()
    is_capped = failures.total() >= _COUNTED
    return {
        pk: Lately(
            job := jobs.get(last[pk]), _summary(job) if job else None, failures[pk], is_capped
        )
        for pk in pks
    }


def _failures_of_a_day() -> Counter[str]:
    since = first_id_at("job", timezone.now() - timedelta(days=1))
    failed = WebhookJob.objects.failures().filter(pk__gte=since).order_by("-id")
    pks: Any = failed.values_list("webhook_id", flat=True)[:_COUNTED]
    return Counter(pk for pk in pks if pk)


def _summary(job: WebhookJob) -> Summary:
    return summary_of(
        status=job.status, status_code=job.status_code, error_kind=job.error_kind, error=job.error
    )


class EventTypeFilter(admin.SimpleListFilter):
    title = "event type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, TYPE_LABELS[kind].partition(" (")[0]) for kind in CATALOGUE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        value = self.value()
        return queryset.filter(event__startswith=f"{value}.") if value else queryset


class ObjectFilter(admin.SimpleListFilter):
    """Only objects that some webhook is for."""

    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        used = ObjectDefinition.objects.filter(webhooks__isnull=False).distinct()
        return [("every", "Every object"), *((one.slug, one.plural) for one in used)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        match self.value():
            case None:
                return queryset
            case "every":
                return queryset.filter(object=None)
            case slug:
                return queryset.filter(object__slug=slug)
