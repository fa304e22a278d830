"""The builder: the page, and every edit of the draft."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.views.decorators.http import require_GET, require_POST

from automations.builder.blocks import EditRefused
from automations.builder.cardforms import form_of, ticks_of
from automations.builder.changing import CHANGES, Edited
from automations.builder.flow import flow_of, kinds_of_steps, summaries_of
from automations.builder.mistakes import as_json, mistakes_of
from automations.builder.place import Place
from automations.builder.saving import Conflict, change_draft, stamp_of
from automations.builder.testrequests import address_of
from automations.builder.values import samples_of
from automations.builder.views.base import (
    FOLDER,
    Pages,
    is_changed,
    place_of,
    version_words,
)
from automations.models import Automation

# Cards whose forms are drawn again with the page.
_MAX_OPEN = 12


class BuilderPages(Pages):
    def urls(self) -> list[URLPattern]:
        return [
            self.address("<str:object_id>/change/", self.builder, "change"),
            self.address("<str:object_id>/card/", require_GET(self.card), "card"),
            self.address("<str:object_id>/edit/<str:what>/", require_POST(self.edit), "edit"),
            self.address("<str:object_id>/details/", require_POST(self.details), "details"),
        ]

    def builder(self, request: HttpRequest, object_id: str) -> HttpResponse:
        automation = self.find(request, object_id)
        is_new = request.GET.get("new") == "1"
        opened = ["trigger"] if is_new else request.GET.getlist("open")
        return self.page(
            request,
            automation,
            "page.html",
            "builder",
            **self._flow(request, automation, opened),
            gallery=kinds_of_steps(),
            samples=samples_of(place_of(request, automation), automation).choices(),
            state_json=self._state(request, automation),
        )

    def card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form of one card, when it is opened."""
        automation = self.find(request, object_id)
        try:
            form = _form_of(
                request, automation, request.GET.get("card", ""), place_of(request, automation)
            )
        except EditRefused as error:
            raise Http404 from error
        context = {"form": form, **self.frame(request, automation, "builder")}
        return HttpResponse(render_to_string(f"{FOLDER}/_form.html", context, request))

    def edit(self, request: HttpRequest, object_id: str, what: str) -> HttpResponse:
        automation = self.find(request, object_id, to_change=True)
        change = CHANGES.get(what)
        if change is None:
            raise Http404
        edited: Edited | None = None

        def apply(draft: dict[str, Any]) -> Any:
            nonlocal edited
            edited = change(draft, request.POST)
            return edited.draft

        try:
            automation = change_draft(automation, request.POST.get("stamp", ""), apply)
        except Conflict:
            return self._refused(request, automation, "", status=409)
        except EditRefused as error:
            return self._refused(request, automation, str(error), status=422)
        assert edited is not None
        return self._edited(request, automation, edited)

    def details(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Name and description, in place."""
        automation = self.find(request, object_id, to_change=True)
        name = request.POST.get("name", automation.name).strip()
        if not name:
            return self._refused(request, automation, "An automation needs a name.", status=422)
        automation.name = name[:120]
        automation.description = request.POST.get("description", automation.description).strip()
        automation.save(update_fields=["name", "description", "updated_at"])
        return self._edited(request, automation, Edited(automation.draft))

    # --- answers ---

    def _edited(self, request: HttpRequest, automation: Automation, edited: Edited) -> HttpResponse:
        opened = request.POST.getlist("open")
        if edited.opens:
            opened.append(edited.opens)
        context = {
            **self.frame(request, automation, "builder"),
            "edited": edited,
            "removed": edited.removed,
            "undo_json": json.dumps(edited.removed.values) if edited.removed else "",
            "state_json": self._state(request, automation),
            "ticks": ticks_of(place_of(request, automation)),
        }
        if edited.redraws:
            context |= self._flow(request, automation, opened)
            context["selected"] = request.POST.get("sample", "")
            context["samples"] = samples_of(place_of(request, automation), automation).choices()
        response = HttpResponse(render_to_string(f"{FOLDER}/_edited.html", context, request))
        response["Draft-Stamp"] = stamp_of(automation.draft)
        if not edited.redraws:
            response["HX-Reswap"] = "none"
        elif edited.focus:
            target = {"card": edited.focus, "opened": bool(edited.opens)}
            response["HX-Trigger-After-Settle"] = json.dumps({"au-focus": target})
        return response

    def _refused(
        self, request: HttpRequest, automation: Automation, words: str, *, status: int
    ) -> HttpResponse:
        context = {"automation": automation, "words": words, "is_conflict": status == 409}
        return HttpResponse(
            render_to_string(f"{FOLDER}/_refused.html", context, request), status=status
        )

    def _flow(
        self, request: HttpRequest, automation: Automation, opened: list[str]
    ) -> dict[str, Any]:
        """The cards; those that are open with their forms."""
        place = place_of(request, automation)
        forms = {}
        for card in list(dict.fromkeys(opened))[:_MAX_OPEN]:
            try:
                forms[card] = _form_of(request, automation, card, place)
            except EditRefused:  # it is gone
                continue
        return {"flow": flow_of(automation.draft, place.labels), "forms": forms}

    def _state(self, request: HttpRequest, automation: Automation) -> str:
        """What the script shows beside the cards."""
        labels = place_of(request, automation).labels
        return json.dumps(
            {
                "stamp": stamp_of(automation.draft),
                "mistakes": as_json(mistakes_of(automation.draft, with_warnings=True)),
                "summaries": summaries_of(flow_of(automation.draft, labels)),
                "version": version_words(automation),
                "isChanged": is_changed(automation),
                "name": automation.name,
            }
        )


def _form_of(
    request: HttpRequest, automation: Automation, card: str, place: Place
) -> dict[str, Any]:
    """Raises EditRefused."""
    form = form_of(automation.draft, card, place)
    if form.get("takes_requests"):
        form["address"] = address_of(request, automation)
    return form
