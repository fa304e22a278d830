"""The first page: logging in, or where to go from here."""

from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from records.models import Record, RecordState
from records.permissions import can, visible_objects
from records.views.account import log_in_here
from records.views.layout import render_page
from records.views.tasks import OwnTasks

SHOWN: Final = 6


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Objects with their last change, one's own tasks, drafts and records."""
    user = request.user
    if not user.is_authenticated:
        return log_in_here(request)
    latest = Record.objects.alive().filter(object=OuterRef("pk")).order_by("-updated_at", "-id")
    objects = list(
        visible_objects(user).annotate(last_change=Subquery(latest.values("updated_at")[:1]))
    )
    context = {
        "objects": objects,
        "cards": [(item, can(user, "add", item)) for item in objects],
        "drafts": _own(user, objects, state=RecordState.DRAFT),
        "owned": _own(user, objects, state=RecordState.SUBMITTED),
        "tasks": OwnTasks(request, objects),
    }
    return render_page(request, "records/home.html", context, section="home")


@require_safe
def favicon(request: HttpRequest) -> HttpResponseBase:
    """For browsers that ask for it where no page says where it is: RQ's pages, answers, errors."""
    return HttpResponseRedirect(static("signalbox/favicon.svg"))


def _own(user: Any, objects: list[Any], *, state: str) -> QuerySet[Record]:
    """The user's records of objects that he may see, last changed first."""
    own = Record.objects.alive().filter(owner=user, state=state, object__in=objects)
    return own.select_related("object").defer("data", "search_text").order_by("-updated_at")[:SHOWN]
