"""Secrets: write-only values, where they are used, and signing keys that rotate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from records.admin.empty import EmptyState
from webhooks.admin.certificates import certificate_view, certificate_warning
from webhooks.admin.filters import clean_id
from webhooks.exceptions import SecretRefused
from webhooks.keyring import SecretKind
from webhooks.models import Secret
from webhooks.secret_forms import RotationForm, SecretForm
from webhooks.secret_services import end_overlap, fingerprint, put_value, rotate_secret
from webhooks.secret_uses import all_uses, uses_of
from webhooks.signing import read_ed25519_key
from webhooks.vault import open_secret

_FOLDER: Final = "admin/webhooks/secret"
_hide_value = method_decorator(sensitive_post_parameters("value"))


@dataclass(frozen=True, slots=True)
class KeyView:
    """What may be shown of a signing key: the public half of one that has halves."""

    label: str
    public_key: str


class SecretChangeList(ChangeList):  # type: ignore[misc]
    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        uses = all_uses()
        for secret in self.result_list:
            secret.uses = uses.get(secret.name, [])
            opened = open_secret(secret)
            secret.problem = opened.problem
            secret.certificate = certificate_view(opened)


@admin.register(Secret)
class SecretAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("show_name", "show_kind", "show_uses", "show_changed")
    list_display_links = ("show_name",)
    ordering = ("name",)
    list_filter = ("kind",)
    search_fields = ("name", "description")
    search_help_text = "Name or description"
    empty_state = EmptyState(
        "key",
        "No secrets yet",
        "API keys, signing keys and client certificates belong here: webhooks use them by name, and nobody sees their "
        "values again. Add one before the webhook that needs it.",
        "Add the first secret",
    )

    form = SecretForm
    compressed_fields = False
    warn_unsaved_form = True
    change_form_outer_before_template = f"{_FOLDER}/_problem.html"
    change_form_outer_after_template = f"{_FOLDER}/_beside.html"

    class Media:
        css: ClassVar = {"all": ["webhooks/secrets.css"]}

    # --- pages ---

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(require_POST(view))
            pattern: URLPattern = path(route, wrapped, name=f"webhooks_secret_{name}")
            return pattern

        return [
            page("<str:object_id>/rotate/", self.rotate_view, "rotate"),
            page("<str:object_id>/end-overlap/", self.end_overlap_view, "end_overlap"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SecretChangeList]:
        return SecretChangeList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Secret | None:
        """Whatever stands in an address, it is an id or there is no such secret."""
        pk = clean_id(Secret, object_id)
        return super().get_object(request, pk, from_field) if pk else None

    def get_fields(self, request: HttpRequest, obj: Secret | None = None) -> tuple[str, ...]:
        """A signing key is not overwritten, it is rotated; who may only look has nothing to enter."""
        may_enter = self.has_change_permission(request, obj) if obj else True
        if may_enter and (obj is None or not obj.is_signing_key):
            return ("name", "kind", "value", "description")
        return ("name", "kind", "description")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One is deleted at a time, with its uses before one's eyes."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @_hide_value
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        secret = self.get_object(request, unquote(object_id)) if object_id else None
        context = dict(extra_context or {})
        if secret is not None and self.has_view_or_change_permission(request, secret):
            context |= self._beside(request, secret)
        return super().changeform_view(request, object_id, form_url, context)  # type: ignore[no-any-return]

    @sensitive_variables("value", "generated")
    def save_model(self, request: HttpRequest, obj: Secret, form: Any, change: bool) -> None:
        value = form.cleaned_data.get("value", "")
        if value or not change:
            generated = put_value(secret=obj, value=value)
            request.generated_key = generated  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        if value and (warning := certificate_warning(obj.name)):
            messages.warning(request, warning)

    def response_add(
        self, request: HttpRequest, obj: Secret, post_url_continue: str | None = None
    ) -> HttpResponse:
        if generated := getattr(request, "generated_key", ""):
            return self._after_generating(request, obj, generated)
        response: HttpResponse = super().response_add(request, obj, post_url_continue)
        return response

    @_hide_value
    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        secret = self._secret_to_change(request, object_id)
        form = RotationForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Choose for how long the old key goes on signing.")
            return _to_secret(secret)
        try:
            rotated, generated = rotate_secret(
                secret=secret,
                value=form.cleaned_data["value"],
                overlap=form.overlap,
                seen=form.cleaned_data["seen"],
            )
        except SecretRefused as refusal:
            messages.error(request, str(refusal).replace("`", ""))
            return _to_secret(secret)
        self.log_change(request, rotated, "Rotated the key.")
        if generated:
            return self._after_generating(request, rotated, generated)
        messages.success(request, "The new key signs from now on.")
        return _to_secret(rotated)

    def end_overlap_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        secret = end_overlap(secret=self._secret_to_change(request, object_id))
        self.log_change(request, secret, "Ended the overlap.")
        messages.success(request, "Only the new key signs from now on.")
        return _to_secret(secret)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        secret = self.get_object(request, unquote(object_id))
        uses = uses_of(secret.name) if secret else []
        if secret and uses and request.method == "POST" and not request.POST.get("anyway"):
            messages.error(
                request, f"{secret} is in use. Tick the box if it is to go all the same."
            )
            return HttpResponseRedirect(reverse("admin:webhooks_secret_delete", args=[secret.pk]))
        context = {**(extra_context or {}), "uses": uses}
        return super().delete_view(request, object_id, context)  # type: ignore[no-any-return]

    def _beside(self, request: HttpRequest, secret: Secret) -> dict[str, Any]:
        """What stands around the form of a secret."""
        overlaps = bool(secret.previous_until and secret.previous_until > timezone.now())
        return {
            "secret": secret,
            "problem": open_secret(secret).problem,
            "certificate": certificate_view(open_secret(secret)),
            "uses": uses_of(secret.name),
            "keys": _keys(secret, overlaps=overlaps),
            "overlaps": overlaps,
            "rotation": RotationForm(initial={"seen": fingerprint(secret)}),
            "may_rotate": secret.is_signing_key and self.has_change_permission(request, secret),
            "show_save_and_add_another": False,
        }

    def _after_generating(self, request: HttpRequest, secret: Secret, key: str) -> HttpResponse:
        """A key that the receiver needs too is shown this once: in the answer itself, so that it is nowhere
        between two requests. Of the other kind the receiver gets the public key."""
        if secret.kind == SecretKind.ED25519:
            messages.success(request, "The key was made. Give receivers the public key below.")
            return _to_secret(secret)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "title": "Copy this key now",
            "secret": secret,
            "key": key,
        }
        return TemplateResponse(request, f"{_FOLDER}/shown_once.html", context)

    def _secret_to_change(self, request: HttpRequest, object_id: str) -> Secret:
        secret = self.get_object(request, unquote(object_id))
        if secret is None:
            raise Http404
        if not self.has_change_permission(request, secret):
            raise PermissionDenied
        return secret

    # --- displays ---

    @display(description="Name", ordering="name")
    def show_name(self, secret: Secret) -> SafeString:
        more = secret.description.splitlines()[0][:90] if secret.description else ""
        return format_html(
            '<code class="sec-name">{}</code><span class="sec-more">{}</span>', secret.name, more
        )

    @display(description="Kind", ordering="kind")
    def show_kind(self, secret: Any) -> SafeString:
        return render_to_string(f"{_FOLDER}/_kind.html", {"secret": secret})

    @display(description="Used by")
    def show_uses(self, secret: Any) -> SafeString:
        return render_to_string(f"{_FOLDER}/_used_by.html", {"secret": secret})

    @display(description="Value changed", ordering="value_changed_at")
    def show_changed(self, secret: Any) -> SafeString:
        return render_to_string(f"{_FOLDER}/_changed.html", {"secret": secret})


def _keys(secret: Secret, *, overlaps: bool) -> list[KeyView]:
    opened = open_secret(secret)
    if secret.kind != SecretKind.ED25519 or opened.problem:
        return []
    if not (overlaps and opened.previous):
        return [KeyView("Public key", read_ed25519_key(opened.value).public_key)]
    return [
        KeyView("New public key", read_ed25519_key(opened.value).public_key),
        KeyView("Old public key", read_ed25519_key(opened.previous).public_key),
    ]


def _to_secret(secret: Secret) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:webhooks_secret_change", args=[secret.pk]))
