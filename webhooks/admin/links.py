"""Links to other pages of the admin, for those who may open them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


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
