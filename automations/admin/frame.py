"""A page in the admin's frame whose templates lie in a folder of their own."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from webhooks.admin.pages import OwnPages


def framed(
    model_admin: OwnPages, request: HttpRequest, template: str, **context: Any
) -> TemplateResponse:
    base = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
    }
    return TemplateResponse(request, f"admin/automations/{template}", {**base, **context})
