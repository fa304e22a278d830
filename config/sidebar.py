"""The sidebar: where everything is, for whom it concerns, and how many webhook jobs and runs have failed lately."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from automations.models import Run, RunStatus
from automations.runlinks import may_see_runs
from records.ids import first_id_at
from records.models import Record
from records.permissions import visible_objects
from webhooks.models import WebhookJob

# So many objects have a line of their own; the rest is behind “Objects”.
MAX_OBJECTS: Final = 12
BADGE_CAP: Final = 99
_BADGE_TTL_S: Final = 5


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the sidebar; `path` and `query` are what its page has in its address."""

    title: str
    icon: str
    path: str
    query: str = ""
    badge: str = ""

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def fits(self, request: HttpRequest) -> int:
        """How well it fits the page that is shown: 0 is not at all."""
        if not request.path.startswith(self.path):
            return 0
        if not self.query:
            return len(self.path)
        return len(self.address) if self.query in request.META["QUERY_STRING"].split("&") else 0


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups as the admin's templates want them; only what exists and the user may see."""
    groups = {
        "": [
            Link("Home", "home", reverse("admin:index")),
            Link("Open the app", "open_in_new", "/"),
        ],
        "Records": [
            *_models(request, ("records.ObjectDefinition", "Objects", "category")),
            *_objects(request),
            *_models(request, ("records.Comment", "Comments", "forum")),
            *_models(request, ("records.Task", "Tasks", "task_alt")),
        ],
        # What automations and webhooks react to.
        "Automations": [
            *_models(request, ("automations.Automation", "Automations", "account_tree")),
            *_models(request, ("automations.Run", "Runs", "timeline"), badge="failed_runs"),
            *_quarantine(request),
            *_models(request, ("automations.MailTemplate", "Mail templates", "mail")),
            *_models(request, ("records.Event", "Events", "history")),
        ],
        "Webhooks": _webhooks(request),
        "System": _system(request),
    }
    links = [link for group in groups.values() for link in group if link.path != "/"]
    best = max(links, key=lambda link: link.fits(request))
    # Every page lies under Home.
    here = None if best.path == reverse("admin:index") != request.path else best
    shown = [
        {"title": title, "separator": bool(title), "items": [_item(link, here) for link in group]}
        for title, group in groups.items()
        if group
    ]
    # The breadcrumbs of the page use the same words (config.templatetags.breadcrumbs).
    request.sidebar = shown  # type: ignore[attr-defined]
    return shown


def _quarantine(request: HttpRequest) -> list[Link]:
    """A page about records, but about what automations do with them: who sees runs sees it."""
    if not may_see_runs(request):
        return []
    path = reverse("admin:automations_quarantine")
    return [Link("Quarantine", "gpp_maybe", path, badge=_badge_of("quarantined"))]


def _webhooks(request: HttpRequest) -> list[Link]:
    return [
        *_models(request, ("webhooks.Webhook", "Webhooks", "webhook")),
        *_models(request, ("webhooks.WebhookJob", "Jobs", "local_shipping"), badge="failures"),
        *_models(
            request,
            ("webhooks.FailureGroup", "Failures by cause", "crisis_alert"),
            ("webhooks.BulkRetry", "Bulk retries", "replay"),
            ("webhooks.InboundEndpoint", "Inbound endpoints", "move_to_inbox"),
            ("webhooks.RequestLog", "Request log", "swap_vert"),
            ("webhooks.Destination", "Destinations", "dns"),
            ("webhooks.Secret", "Secrets", "key"),
        ),
    ]


def _system(request: HttpRequest) -> list[Link]:
    links = list(
        _models(
            request,
            ("records.User", "Users", "person"),
            ("records.Team", "Teams", "groups"),
            ("auth.Group", "Teams", "groups"),
            ("records.Invitation", "Invitations", "mail"),
        )
    )
    if getattr(request.user, "is_superuser", False):
        links.append(Link("Worker queues", "conveyor_belt", reverse("django_rq:home")))
    return [
        *links,
        *_models(
            request,
            ("webhooks.RetentionState", "Retention", "auto_delete"),
            ("admin.LogEntry", "Admin log", "receipt_long"),
        ),
    ]


def _models(request: HttpRequest, *entries: tuple[str, str, str], badge: str = "") -> list[Link]:
    return list(_visible_models(request, entries, badge))


def _visible_models(
    request: HttpRequest, entries: Iterable[tuple[str, str, str]], badge: str
) -> Iterator[Link]:
    for label, title, icon in entries:
        try:
            model = apps.get_model(label)
        except LookupError:
            continue
        if not admin.site.is_registered(model):
            continue
        if admin.site.get_model_admin(model).has_view_permission(request):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
            yield Link(title, icon, reverse(name), badge=badge and _badge_of(badge))


def _objects(request: HttpRequest) -> Iterator[Link]:
    """A line for each object: its records in the admin."""
    records = next(iter(_models(request, ("records.Record", "Records", "table_rows"))), None)
    if records:
        for definition in visible_objects(request.user)[:MAX_OBJECTS]:
            query = f"object={definition.slug}"
            yield Link(definition.plural, definition.icon, records.path, query)


def _badge_of(name: str) -> str:
    """The badge as the theme takes it; none where it would be empty."""
    counts = {"failures": failures, "failed_runs": failed_runs, "quarantined": quarantined}
    return f"config.sidebar.{name}" if counts[name](None) else ""


def failures(request: HttpRequest | None) -> str:
    """How many jobs of the last 24 hours have failed, up to a cap; empty when none has."""
    return _capped(cache.get_or_set("sidebar-failures", _count_failures, _BADGE_TTL_S))


def failed_runs(request: HttpRequest | None) -> str:
    """How many runs of the last 24 hours have failed, as above."""
    return _capped(cache.get_or_set("sidebar-failed-runs", _count_failed_runs, _BADGE_TTL_S))


def quarantined(request: HttpRequest | None) -> str:
    """How many records are in quarantine, as above."""
    return _capped(cache.get_or_set("sidebar-quarantined", _count_quarantined, _BADGE_TTL_S))


def _capped(count: int | None) -> str:
    if not count:
        return ""
    return f"{BADGE_CAP}+" if count > BADGE_CAP else str(count)


def _count_failed_runs() -> int:
    since = first_id_at("run", timezone.now() - timedelta(days=1))
    failed = Run.objects.filter(status=RunStatus.FAILED, pk__gte=since)
    return failed.order_by("-pk")[: BADGE_CAP + 1].count()


def _count_quarantined() -> int:
    waiting = Record.objects.exclude(quarantined_at=None).filter(deleted_at=None)
    return waiting.order_by("-quarantined_at")[: BADGE_CAP + 1].count()


def _count_failures() -> int:
    since = first_id_at("job", timezone.now() - timedelta(days=1))
    # Along the index of the tab Failures, no further than the cap.
    return WebhookJob.objects.failures().filter(pk__gte=since)[: BADGE_CAP + 1].count()


def _item(link: Link, here: Link | None) -> dict[str, Any]:
    item: dict[str, Any] = {
        # The template takes titles as HTML.
        "title": escape(link.title),
        "icon": link.icon,
        "link": link.address,
        "active": link is here,
    }
    if link.badge:
        item |= {"badge": link.badge, "badge_variant": "danger"}
    return item
