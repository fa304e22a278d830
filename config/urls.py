"""Where everything is."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, include, path
from django_rq import urls as engine
from redis.exceptions import RedisError


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def engine_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """RQ's own pages, for superusers: they can empty queues. They need a Redis that answers."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if user.is_authenticated and not getattr(user, "is_superuser", False):
            raise PermissionDenied("The worker queues are for superusers.")
        try:
            return view(request, *args, **kwargs)
        except RedisError as error:
            messages.error(
                request, f"Redis does not answer ({error}). Nothing is lost, but it has to wait."
            )
            return redirect("admin:index")

    return guarded


_ENGINE = [
    URLPattern(page.pattern, engine_page(page.callback), page.default_args, page.name)
    for page in engine.urlpatterns
]

admin.autodiscover()

urlpatterns = [
    path("healthz", healthz),
    path("admin/django-rq/", include((_ENGINE, engine.app_name))),
    path("admin/", admin.site.urls),
    path("", include("webhooks.urls")),
    path("", include("records.urls")),
]
