"""Logging in and out, changing one's password: Django's views in our look."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy

from records.permissions import visible_objects
from records.views.layout import SITE_NAME, keep_private


class LogIn(auth_views.LoginView):
    redirect_authenticated_user = True
    extra_context = {"site_name": SITE_NAME}

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        return keep_private(super().render_to_response(context, **kwargs))


class ChangePassword(auth_views.PasswordChangeView):
    # A name of our own: the admin renders “password_change_form.html” for its users.
    template_name = "registration/change_password.html"
    success_url = reverse_lazy("home")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        objects = list(visible_objects(self.request.user))
        return super().get_context_data(site_name=SITE_NAME, objects=objects, **kwargs)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        return keep_private(super().render_to_response(context, **kwargs))

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password has been changed.")
        return super().form_valid(form)


log_in = LogIn.as_view()
change_password = login_required(ChangePassword.as_view())


def log_in_here(request: HttpRequest) -> HttpResponseBase:
    """The login form at the address that asked for it."""
    return log_in(request)
