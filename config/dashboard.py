"""The admin's home page: the first steps, how it runs, what was sent over time, and what automations did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from automations.models import Run, RunStatus
from config.first_steps import first_steps
from config.metrics import WINDOWS, Deliveries, Window, default_window, deliveries
from config.vitals import COUNT_CAP, Vitals, capped, read_vitals
from records.ids import first_id_at
from webhooks.models import WebhookJob
from webhooks.summaries import summary_of

_MAX_FAILURES: Final = 5
# From this share of failed requests on, the card says so by its colour too.
_WARN_RATE: Final = 0.01
_BAD_RATE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Card:
    """A figure. `tone` is "", "good", "warn" or "bad", and says nothing that the words do not say too."""

    label: str
    value: str
    note: str
    icon: str
    tone: str = ""
    address: str = ""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the home page shows. A request for the live part alone gets no more than that."""
    is_live = request.headers.get("HX-Request") == "true" and "live" in request.GET
    context["frame"] = "admin/home/live.html" if is_live else "admin/base.html"
    context["is_live"] = is_live
    context["windows"] = WINDOWS.values()
    context["first_steps"] = first_steps(request)
    if _may_see(request):
        context |= _figures(request)
    return context


def _may_see(request: HttpRequest) -> bool:
    return request.user.has_perms(["webhooks.view_webhookjob", "webhooks.view_requestlog"])


def _figures(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    window = WINDOWS.get(request.GET.get("window", "")) or default_window(now)
    sent = deliveries(window, now)
    return {
        "window": window,
        "cards": [*_cards_of(sent), *_cards_now(read_vitals(now)), *_cards_of_runs(request, now)],
        "chart": chart_of(sent),
        "failures": _latest_failures(),
        "jobs_address": reverse("admin:webhooks_webhookjob_changelist"),
    }


# --- cards -----------------------------------------------------------------------------------


def _cards_of(sent: Deliveries) -> list[Card]:
    return [
        Card(
            "Requests sent",
            _number(sent.total, sent),
            f"{_number(sent.delivered, sent)} succeeded in {sent.window.label}",
            "send",
        ),
        Card("Failure rate", *_rate(sent)),
        Card(
            "Latency, p95",
            duration(sent.p95_ms),
            "95 of 100 answers came within this time"
            if sent.p95_ms is not None
            else "No answers yet",
            "speed",
        ),
    ]


def _rate(sent: Deliveries) -> tuple[str, str, str, str]:
    if sent.failure_rate is None:
        return "–", "Nothing was sent", "heart_check", ""
    tone = (
        "bad"
        if sent.failure_rate >= _BAD_RATE
        else "warn"
        if sent.failure_rate >= _WARN_RATE
        else "good"
    )
    note = f"{_number(sent.failed, sent)} failed"
    if sent.unknown:
        note += f", {_number(sent.unknown, sent)} with unknown outcome"
    return f"{sent.failure_rate:.1%}", note, "heart_check", tone


def _number(count: int, sent: Deliveries) -> str:
    """A count; of an estimate no more digits than it is good for."""
    if not sent.is_estimate:
        return f"{count:,}"
    return f"~{round(count, 2 - len(str(count))):,}"


def _cards_now(vitals: Vitals) -> list[Card]:
    history = reverse("admin:webhooks_webhookjob_changelist")
    return [
        Card(
            "Pending jobs",
            capped(vitals.open_jobs),
            "Waiting to be sent or tried again",
            "schedule",
            address=f"{history}?tab=pending",
        ),
        _queue_card(vitals),
        _worker_card(vitals),
    ]


def _queue_card(vitals: Vitals) -> Card:
    if vitals.is_redis_away:
        note = "Redis is away. Nothing is lost; what is due waits in the database"
        return Card("Queue depth", capped(vitals.due_jobs), note, "stacks", "bad")
    note = f"{capped(vitals.due_jobs)} jobs due, {vitals.rings} rings unanswered"
    return Card("Queue depth", capped(vitals.queue_depth), note, "stacks")


def _worker_card(vitals: Vitals) -> Card:
    if vitals.workers is None:
        note = "Redis is away; workers show again when it is back"
        return Card("Workers alive", "?", note, "engineering", "bad")
    if not vitals.workers:
        note = "Nothing is sent until one starts: manage.py worker"
        return Card("Workers alive", "0", note, "engineering", "bad")
    return Card("Workers alive", str(vitals.workers), "Listening for work", "engineering", "good")


def _cards_of_runs(request: HttpRequest, now: datetime) -> list[Card]:
    """Nothing before the first automation has fired."""
    if not request.user.has_perm("automations.view_run") or not Run.objects.exists():
        return []
    history = reverse("admin:automations_run_changelist")
    lately = Run.objects.order_by("-pk").filter(pk__gte=first_id_at("run", now - timedelta(days=1)))
    fired = lately.exclude(status=RunStatus.SKIPPED)[: COUNT_CAP + 1].count()
    failed = lately.filter(status=RunStatus.FAILED)[: COUNT_CAP + 1].count()
    under_way = Run.objects.open().order_by("-pk")[: COUNT_CAP + 1].count()
    return [
        Card(
            "Runs in 24 hours",
            capped(fired),
            f"{capped(failed)} failed" if failed else "None has failed",
            "timeline",
            "bad" if failed else "good",
            f"{history}?tab=failures&time=24h" if failed else f"{history}?time=24h",
        ),
        Card(
            "Runs under way",
            capped(under_way),
            "At work, or waiting",
            "hourglass_top",
            address=f"{history}?tab=waiting",
        ),
    ]


def duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


# --- charts ----------------------------------------------------------------------------------


def chart_of(sent: Deliveries) -> dict[str, Any]:
    """What the charts draw, and the same in a sentence for those who do not see them."""
    return {
        "window": sent.window.key,
        "labels": [cell_label(cell.start, sent.window) for cell in sent.cells],
        "delivered": [cell.delivered for cell in sent.cells],
        "failed": [cell.failed for cell in sent.cells],
        "unknown": [cell.unknown for cell in sent.cells],
        "p50": [cell.p50_ms for cell in sent.cells],
        "p95": [cell.p95_ms for cell in sent.cells],
        "words": {
            "deliveries": _delivery_words(sent),
            "latency": f"Latency of answers in {sent.window.label}: p95 is {duration(sent.p95_ms)}.",
        },
    }


def _delivery_words(sent: Deliveries) -> str:
    if not sent.total:
        return f"Nothing was sent in {sent.window.label}."
    succeeded, failed = _number(sent.delivered, sent), _number(sent.failed, sent)
    words = f"In {sent.window.label}: {succeeded} requests succeeded, {failed} failed"
    if sent.unknown:
        words += f", of {_number(sent.unknown, sent)} the outcome is unknown"
    return f"{words}.{' Counted from a random share.' if sent.is_estimate else ''}"


def cell_label(start: datetime, window: Window) -> str:
    return timezone.localtime(start).strftime("%H:%M" if window.cell_s < 3600 else "%a %H:%M")


# --- failures --------------------------------------------------------------------------------


def _latest_failures() -> list[dict[str, Any]]:
    jobs = WebhookJob.objects.failures().order_by("-pk").defer("headers", "body")[:_MAX_FAILURES]
    return [
        {
            "job": job,
            "address": reverse("admin:webhooks_webhookjob_change", args=[job.pk]),
            "summary": summary_of(
                status=job.status,
                status_code=job.status_code,
                error_kind=job.error_kind,
                error=job.error,
            ),
        }
        for job in jobs
    ]
