"""What all pages share: the frame around them, and the way to the object or record they are about."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from records.ids import decode
from records.models import ObjectDefinition, Record
from records.permissions import Action, can, visible_objects

SITE_NAME: Final = str(settings.UNFOLD["SITE_TITLE"])

ACTION_WORDS: Final[dict[Action, str]] = {
    "view": "see",
    "add": "add",
    "change": "change",
    "move": "move",
    "close": "close",
    "delete": "delete or restore",
}


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    section: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page in the frame: sidebar, messages, user menu. `section` is "home" or an object's slug."""
    frame = {
        "site_name": SITE_NAME,
        "objects": list(visible_objects(request.user)) if request.user.is_authenticated else [],
        "section": section,
    }
    response = render(request, template, {**frame, **(context or {})}, status=status)
    return keep_private(response)


def keep_private(response: HttpResponse) -> HttpResponse:
    """Pages show what only this user may see: nobody keeps them for others, or shows them unasked."""
    response["Cache-Control"] = "private, no-cache"
    return response


def object_for(request: HttpRequest, slug: str, action: Action = "view") -> ObjectDefinition:
    """The object of that slug. 404 when there is none, 403 when the user may not do this to its records."""
    found = ObjectDefinition.objects.alive().filter(slug=slug).first()
    if found is None:
        raise Http404
    demand(request, action, found)
    return found


def demand(request: HttpRequest, action: Action, object_definition: ObjectDefinition) -> None:
    """403 unless the user may do this."""
    if not can(request.user, action, object_definition):
        raise PermissionDenied(
            f"You may not {ACTION_WORDS[action]} {object_definition.plural}. "
            "An administrator can give you the permission."
        )


def record_for(object_definition: ObjectDefinition, record_id: str) -> Record:
    """The record of this object with that id, deleted or not. 404 when there is none."""
    try:
        decode("rec", record_id)
    except ValueError:
        raise Http404 from None
    record = (
        Record.objects.of(object_definition).filter(pk=record_id).select_related("owner").first()
    )
    if record is None:
        raise Http404
    record.object = object_definition
    return record


def allowed_actions(request: HttpRequest, object_definition: ObjectDefinition) -> set[Action]:
    """All that the user may do to records of this object."""
    return {action for action in ACTION_WORDS if can(request.user, action, object_definition)}


def back_or(request: HttpRequest, usual: str) -> HttpResponseRedirect:
    """To the page that asked to be returned to, if it is one of ours; else to the usual one."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = usual
    return HttpResponseRedirect(target)
