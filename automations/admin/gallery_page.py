"""The gallery of templates: choose one, fill its blanks, and go on in the builder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from automations.builder.place import Place
from automations.document.checking import check_document
from automations.gallery import GALLERY, Blank, Template
from automations.services import create_automation
from records.models import User
from webhooks.admin.live import wants_part
from webhooks.keyring import SecretKind

if TYPE_CHECKING:
    from automations.admin.automations import AutomationAdmin

_FOLDER: Final = "admin/automations/gallery"
_MAX_LENGTH: Final = 2000


@dataclass(frozen=True, slots=True)
class Filled:
    """A blank with what was chosen or written, and what there is to choose from: (value, label)."""

    blank: Blank
    value: str
    choices: Sequence[tuple[str, str]] | None

    @property
    def is_empty(self) -> bool:
        """There is nothing to choose from."""
        return self.choices is not None and not self.choices


class GalleryPages:
    def __init__(self, model_admin: "AutomationAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        wrap = self.admin.admin_site.admin_view
        return [
            path("gallery/", wrap(self.gallery), name="automations_gallery"),
            path("gallery/<slug:slug>/", wrap(self.template), name="automations_gallery_template"),
        ]

    def gallery(self, request: HttpRequest) -> HttpResponse:
        self._require_add(request)
        return self._page(request, "list.html", title="Start from a template", templates=GALLERY)

    def template(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Its form; a POST makes the draft."""
        self._require_add(request)
        template = next((each for each in GALLERY if each.slug == slug), None)
        if template is None:
            raise Http404("There is no such template.")
        values = request.POST if request.method == "POST" else request.GET
        filled = fill(template, values, Place({}, cast(User, request.user)))
        name = _text(values, "name")[:120] or template.title
        if request.method == "POST":
            return self._make(request, template, filled, name)
        context = {"template": template, "filled": filled, "name": name}
        if wants_part(request):
            return TemplateResponse(request, f"{_FOLDER}/_blanks.html", context)
        return self._page(request, "template.html", title=template.title, **context)

    def _make(
        self, request: HttpRequest, template: Template, filled: Sequence[Filled], name: str
    ) -> HttpResponse:
        draft = template.make({each.blank.name: each.value for each in filled})
        user = cast(User, request.user)
        made = create_automation(name=name, description=template.use, draft=draft, actor=user)
        self.admin.log_addition(request, made, "Created.")
        missing = len(check_document(made.draft))
        words = "It is ready to be tried and published."
        if missing:
            what = "One thing still needs" if missing == 1 else f"{missing} things still need"
            words = f"{what} you: look where the cards are marked."
        messages.success(request, f"“{name}” is a draft now. {words}")
        return HttpResponseRedirect(reverse("admin:automations_automation_change", args=[made.pk]))

    def _page(self, request: HttpRequest, page: str, /, **context: Any) -> HttpResponse:
        base = {**self.admin.admin_site.each_context(request), "opts": self.admin.opts}
        return TemplateResponse(request, f"{_FOLDER}/{page}", {**base, **context})

    def _require_add(self, request: HttpRequest) -> None:
        if not self.admin.has_add_permission(request):
            raise PermissionDenied


def fill(template: Template, values: QueryDict, place: Place) -> list[Filled]:
    """Each blank with its value: what was given, if it can be chosen; else what is suggested."""
    slug = _text(values, "object")
    objects = [(each.slug, each.plural) for each in place.objects]
    if slug not in dict(objects):
        slug = objects[0][0] if objects else ""
    return [_filled(blank, values, place, slug) for blank in template.blanks]


def _filled(blank: Blank, values: QueryDict, place: Place, slug: str) -> Filled:
    choices = _choices(blank, place, slug)
    given = _text(values, blank.name)
    if choices is None:
        return Filled(blank, given or (blank.example if blank.name not in values else ""), None)
    if blank.kind == "object":
        return Filled(blank, slug, choices)
    if given not in dict(choices):
        # What was left empty stays empty; what another object does not have is suggested anew.
        is_first = blank.is_suggested and (bool(given) or blank.name not in values)
        given = choices[0][0] if is_first and choices else ""
    # A secret that is not there yet has a name all the same: its card then says that it is missing.
    if blank.kind == "secret" and not given and not blank.is_optional:
        given = blank.example
    return Filled(blank, given, choices)


def _choices(blank: Blank, place: Place, slug: str) -> list[tuple[str, str]] | None:
    """None: it is written, not chosen."""
    if blank.kind == "object":
        return [(each.slug, each.plural) for each in place.objects]
    if blank.kind == "field":
        kinds = blank.field_kinds
        fields = [field for field in place.fields(slug) if not kinds or field.kind in kinds]
        return [(field.slug, field.label) for field in fields] if slug else []
    if blank.kind == "stage":
        return [(stage.slug, stage.label) for stage in place.stages(slug)] if slug else []
    if blank.kind == "team":
        return [(name, name) for name in place.teams]
    if blank.kind == "secret":
        return [(name, name) for name, kind in place.secrets.items() if kind == SecretKind.TEXT]
    return None


def _text(values: QueryDict, name: str) -> str:
    return str(values.get(name, "")).replace("\0", "").strip()[:_MAX_LENGTH]
