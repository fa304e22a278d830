"""Breadcrumbs say what the sidebar says: “System › Teams”, where Django's own words are others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst

register = template.Library()


@dataclass(frozen=True, slots=True)
class Crumb:
    """`link` is empty where the sidebar has no page for it."""

    title: str
    link: str = ""


@register.simple_tag
def breadcrumbs(request: HttpRequest, parts: Sequence[Mapping[str, Any]]) -> list[Crumb]:
    """The theme's parts (app, list, object) in the sidebar's words; a name that somebody gave stays as it is."""
    places = _places(request)
    crumbs = [Crumb(_title_of(part["title"]), str(part.get("link", ""))) for part in parts]
    for number, crumb in enumerate(crumbs):
        if crumb.link in places and number:
            group, title = places[crumb.link]
            crumbs[number - 1 : number + 1] = [Crumb(group), Crumb(title, crumb.link)]
    if crumbs and (here := _line_within(request, crumbs[-1].link)):
        crumbs[-1] = here
    return crumbs


def _line_within(request: HttpRequest, link: str) -> Crumb | None:
    """The sidebar's line for this page, where that is a page beside the list at `link` and below its address."""
    for group in getattr(request, "sidebar", ()):
        for item in group["items"]:
            path = str(item["link"])
            if (
                item["active"]
                and link
                and path != link
                and path.startswith(link)
                and "?" not in path
            ):
                return Crumb(item["title"], path)
    return None


def _title_of(title: Any) -> str:
    return str(title) if isinstance(title, Model) else str(capfirst(title))


def _places(request: HttpRequest) -> dict[str, tuple[str, str]]:
    """Where each list stands in the sidebar, by its address: its group and its title."""
    return {
        item["link"]: (group["title"], item["title"])
        for group in getattr(request, "sidebar", ())
        for item in group["items"]
        if group["title"]
    }
