"""Links to other pages of the admin, for those who may open them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

# (request, the run's id, the path of the step that asked for the job) → the address; "" for who may not see it.
RunLinker = Callable[[HttpRequest, str, str], str]

_run_linkers: list[RunLinker] = []


def register_run_links(linker: RunLinker) -> RunLinker:
    """The app that runs automations says where their pages are. No queries: it is asked for each row of a list."""
    if linker not in _run_linkers:
        _run_linkers.append(linker)
    return linker


def run_url(request: HttpRequest, run_id: str | None, step_path: str = "") -> str:
    """The address of a run's page, at the step, or "" where there is none for this person."""
    if not run_id:
        return ""
    return next((url for link in _run_linkers if (url := link(request, run_id, step_path))), "")


def can_view(request: HttpRequest, model: type[Model]) -> bool:
    try:
        return bool(admin.site.get_model_admin(model).has_view_permission(request))
    except NotRegistered:
        return False


def admin_url(request: HttpRequest, model: type[Model], pk: Any) -> str:
    """The address of an object's page in the admin, or "" when there is none for this person."""
    if not pk or not can_view(request, model):
        return ""
    meta = model._meta
    return page_url(f"admin:{meta.app_label}_{meta.model_name}_change", pk)


def page_url(name: str, *args: Any) -> str:
    """The address of a named page, or "" when this installation has no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
