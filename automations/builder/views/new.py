"""A new automation: blank, from a template, from JSON, or as a copy."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, reverse
from django.views.decorators.http import require_http_methods, require_POST

from automations.builder.views.base import FOLDER, Pages, user_of
from automations.builder.views.documents import MAX_BYTES, Places, Unreadable, parsed
from automations.exceptions import DocumentInvalid
from automations.models import Automation
from automations.services import create_automation
from automations.services.versions import import_automation


class NewPages(Pages):
    def urls(self) -> list[URLPattern]:
        view = require_http_methods(["GET", "HEAD", "POST"])(self.new)
        return [
            self.address("add/", view, "add"),
            self.address("<str:object_id>/duplicate/", require_POST(self.duplicate), "duplicate"),
        ]

    def new(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_add_permission(request):
            raise PermissionDenied
        values = {"name": request.POST.get("name", "").strip(), "document": ""}
        mistakes: Places = []
        if request.method == "POST":
            values["document"] = _sent_text(request)
            try:
                return self._made(request, **values)
            except Unreadable as error:
                mistakes = error.mistakes
        context = {
            **self.admin.admin_site.each_context(request),
            "opts": self.admin.opts,
            "title": "New automation",
            "values": values,
            "places": mistakes,
            "is_import": "import" in request.GET or bool(values["document"]),
            "gallery_url": gallery_url(),
        }
        return TemplateResponse(request, f"{FOLDER}/new.html", context)

    def duplicate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A copy of the draft, switched off."""
        source = self.find(request, object_id)
        if not self.admin.has_add_permission(request):
            raise PermissionDenied
        return self._open(request, copy_of(source, request))

    def _made(self, request: HttpRequest, *, name: str, document: str) -> HttpResponse:
        """Raises Unreadable."""
        actor = user_of(request)
        if not document.strip():
            blank = create_automation(name=(name or "Untitled automation")[:120], actor=actor)
            return self._open(request, blank, is_new=True)
        try:
            automation = import_automation(parsed(document), actor)
        except DocumentInvalid as error:
            raise Unreadable(error.mistakes) from None
        if name:
            automation.name = name[:120]
            automation.save(update_fields=["name", "updated_at"])
        return self._open(request, automation)

    def _open(
        self, request: HttpRequest, automation: Automation, *, is_new: bool = False
    ) -> HttpResponse:
        self.admin.log_addition(request, automation, "Created.")
        address = reverse("admin:automations_automation_change", args=[automation.pk])
        return HttpResponseRedirect(f"{address}?new=1" if is_new else address)


def copy_of(source: Automation, request: HttpRequest) -> Automation:
    copy = create_automation(
        name=f"{source.name[:112]} (copy)", description=source.description, actor=user_of(request)
    )
    copy.draft = source.draft
    copy.save(update_fields=["draft", "updated_at"])
    return copy


def gallery_url() -> str:
    """Where the templates are, if there are any."""
    try:
        return reverse("admin:automations_gallery")
    except NoReverseMatch:
        return ""


def _sent_text(request: HttpRequest) -> str:
    """What was written or chosen as a file. Raises nothing: what is no text is refused as no JSON."""
    upload = request.FILES.get("file")
    if upload is not None:
        return bytes(upload.read(MAX_BYTES + 1)).decode("utf-8", "replace")
    return request.POST.get("document", "")
