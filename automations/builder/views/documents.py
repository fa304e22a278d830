"""The document as JSON: to look at, copy, edit, keep as a file, and make an automation of."""

import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from automations.builder.mistakes import mistakes_of
from automations.builder.saving import Conflict, change_draft
from automations.builder.views.base import Pages
from automations.document.forms import read_document
from automations.exceptions import DocumentInvalid
from automations.services.versions import export_automation
from webhooks.jsontext import JSONTextError, read_json

MAX_BYTES: Final = 1_000_000
Places = list[tuple[str, str]]


class Unreadable(Exception):
    """Text that is no document: where and why."""

    def __init__(self, mistakes: Places) -> None:
        super().__init__(mistakes[0][1])
        self.mistakes = mistakes


class DocumentPages(Pages):
    def urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "HEAD", "POST"])(self.json)
        return [
            self.address("<str:object_id>/json/", view, "json"),
            self.address("<str:object_id>/export/", require_GET(self.export), "export"),
        ]

    def json(self, request: HttpRequest, object_id: str) -> HttpResponse:
        is_post = request.method == "POST"
        automation = self.find(request, object_id, to_change=is_post)
        text, mistakes = written(automation.draft), []
        if is_post:
            text = request.POST.get("document", "")
            try:
                document = read_text(text)
                change_draft(automation, request.POST.get("stamp", ""), lambda _: document)
            except Unreadable as error:
                mistakes = error.mistakes
            except Conflict as error:
                mistakes = [
                    ("", f"{error.__doc__} Copy what you have written, and load the page again.")
                ]
            else:
                messages.success(request, "Saved as the draft.")
                address = reverse("admin:automations_automation_json", args=[automation.pk])
                return HttpResponseRedirect(address)
        else:
            mistakes = [(each.path, each.message) for each in mistakes_of(automation.draft)]
        return self.page(
            request,
            automation,
            "json.html",
            "json",
            text=text,
            places=mistakes,
            is_refused=is_post,
        )

    def export(self, request: HttpRequest, object_id: str) -> HttpResponse:
        automation = self.find(request, object_id)
        response = HttpResponse(
            written(export_automation(automation)), content_type="application/json"
        )
        name = slugify(automation.name) or "automation"
        response["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return response


def written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def read_text(text: str) -> dict[str, Any]:
    """A document in any form, as it is kept. Raises Unreadable."""
    value = parsed(text)
    if not isinstance(value, dict):
        raise Unreadable([("", "The document is an object: it begins with { and ends with }.")])
    try:
        return read_document(value)
    except DocumentInvalid as error:
        raise Unreadable(error.mistakes) from None


def parsed(text: str) -> Any:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Unreadable([("", "This is more than 1 MB; an automation is much smaller.")])
    try:
        return read_json(text)
    except JSONTextError as error:
        where = f"Line {error.line}, column {error.column}: " if error.line else ""
        raise Unreadable([("", f"{where}{error}")]) from None
