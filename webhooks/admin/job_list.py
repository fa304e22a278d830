"""The history's list: tabs, filters, rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from records.eventtypes import label_of
from records.models import Event, Record
from webhooks.admin.filters import PERIODS, STATUS_CLASSES, Asked, read_address
from webhooks.admin.links import can_view, page_url
from webhooks.admin.tabs import TabLink
from webhooks.history import Count, Page, Tab, count_tabs, page_of
from webhooks.models import JobStatus, Webhook, WebhookJob
from webhooks.models.jobs import OPEN_STATUSES
from webhooks.runlinks import run_url
from webhooks.summaries import ERROR_NAMES, Summary, summary_of

TAB_LABELS: Final = {
    Tab.ALL: ("All History", "history"),
    Tab.FAILURES: ("Failures", "error"),
    Tab.PENDING: ("Pending", "schedule"),
}
# The drop-down of webhooks names no more than this.
_MAX_WEBHOOKS: Final = 300


@dataclass(frozen=True, slots=True)
class Row:
    job: WebhookJob
    summary: Summary
    url: str
    event_label: str
    event_url: str
    webhook_url: str
    record_title: str
    record_url: str

    @property
    def is_waiting(self) -> bool:
        """It failed and will be tried again."""
        return self.job.status == JobStatus.PENDING and bool(
            self.job.status_code or self.job.error_kind
        )


def list_context(request: HttpRequest) -> dict[str, Any]:
    """Everything the list shows, with a number of queries that does not depend on how much there is."""
    asked = read_address(request.GET, timezone.now())
    page = page_of(asked.query, before=asked.before, after=asked.after)
    counts = count_tabs(asked.query)
    return {
        "asked": asked,
        "tabs": _tabs(asked, counts),
        "rows": _rows(request, page),
        "page": page,
        "newer_address": asked.address(after=page.newer or ""),
        "older_address": asked.address(before=page.older or ""),
        "newest_address": asked.address(),
        "is_open": _is_open(page, counts),
        "empty": _empty_words(asked),
    }


def filter_context(asked: Asked) -> dict[str, Any]:
    """The drop-downs. Not needed when only the rows are asked for."""
    webhooks = list(Webhook.objects.order_by("name").values_list("pk", "name")[:_MAX_WEBHOOKS])
    chosen = asked.values["webhook"]
    if chosen and chosen not in {pk for pk, _ in webhooks}:
        webhooks.append((chosen, chosen))
    return {
        "webhook_choices": webhooks,
        "status_choices": list(STATUS_CLASSES.items()),
        "error_choices": list(ERROR_NAMES.items()),
        "period_choices": [(name, label) for name, (label, _) in PERIODS.items()],
        "unfiltered_address": "?tab=" + asked.query.tab,
    }


def _tabs(asked: Asked, counts: Mapping[Tab, Count]) -> list[TabLink]:
    return [
        TabLink(
            tab=tab,
            label=label,
            icon=icon,
            address=asked.address(tab=tab),
            count=counts[tab],
            is_active=tab == asked.query.tab,
        )
        for tab, (label, icon) in TAB_LABELS.items()
    ]


def _rows(request: HttpRequest, page: Page) -> list[Row]:
    titles = _record_titles(page)
    sees = {model: can_view(request, model) for model in (Webhook, Event, Record)}

    def address(model: type[Any], pk: str | None) -> str:
        if pk is None or not sees[model]:
            return ""
        return page_url(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", pk)

    return [
        Row(
            job=job,
            summary=summary_of(
                status=job.status,
                status_code=job.status_code,
                error_kind=job.error_kind,
                error=job.error,
            ),
            url=reverse("admin:webhooks_webhookjob_change", args=[job.pk]),
            event_label=_short_label(job.event_name),
            event_url=address(Event, job.event_id),
            webhook_url=address(Webhook, job.webhook_id)
            or run_url(request, job.run_id, job.step_path),
            record_title=titles.get(job.record_id or "", ""),
            record_url=address(Record, job.record_id),
        )
        for job in page.jobs
    ]


def _short_label(event_name: str) -> str:
    """Most events are a record's, and its title stands beside it."""
    return label_of(event_name).removeprefix("Record · ")


def _record_titles(page: Page) -> dict[str, str]:
    """Only the titles: a record's data may be large."""
    ids = {job.record_id for job in page.jobs if job.record_id}
    titles = Record.objects.filter(pk__in=ids).values_list("pk", "title")
    return {pk: title or pk for pk, title in titles}


def _is_open(page: Page, counts: Mapping[Tab, Count]) -> bool:
    """Whether something on the page can change by itself."""
    return bool(counts[Tab.PENDING].number) or any(job.status in OPEN_STATUSES for job in page.jobs)


def _empty_words(asked: Asked) -> tuple[str, str, str]:
    """Icon, title and advice for a list without rows."""
    if asked.query.is_filtered:
        return (
            "search_off",
            "No job matches",
            "Nothing in this tab fits the search and the filters. Take some of them away.",
        )
    return {
        Tab.ALL: (
            "send",
            "Nothing has been sent yet",
            "Each request that a webhook sends appears here. Create a webhook, or use its Test button.",
        ),
        Tab.FAILURES: (
            "check_circle",
            "No failures",
            "Every request has reached its receiver, or is still being tried.",
        ),
        Tab.PENDING: (
            "done_all",
            "Nothing is waiting",
            "Jobs are here while they wait to be sent or to be tried again.",
        ),
    }[asked.query.tab]
