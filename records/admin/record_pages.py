"""Pages and acts of the admin beside a record's form: one-click acts, moving in bulk, the CSV import."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from records import services
from records.exceptions import InvalidData, RecordsError, StaleRecord
from records.imports import column_names, import_records, read_csv
from records.models import ObjectDefinition, Record, RecordState
from records.permissions import Action, can, visible_objects

# The page of an import lists no more errors; who mends these will find the rest.
MAX_ERRORS: Final = 100

# act → permission, past tense, service.
ACTS: Final[dict[str, tuple[Action, str, Callable[..., Record]]]] = {
    "submit": ("change", "submitted", services.submit_record),
    "close": ("close", "closed", services.close_record),
    "reopen": ("close", "reopened", services.reopen_record),
    "delete": ("delete", "deleted", services.delete_record),
    "restore": ("delete", "restored", services.restore_record),
    "release": ("change", "released", services.release_record),
}


def possible_acts(request: HttpRequest, record: Record) -> list[str]:
    """What may be done to the record as it is, by this user."""
    if record.deleted_at is not None:
        acts = ["restore"]
    else:
        by_state = {
            RecordState.DRAFT: ["submit"],
            RecordState.SUBMITTED: ["close"],
            RecordState.CLOSED: ["reopen"],
        }
        acts = [*by_state.get(RecordState(record.state), []), "delete"]
        if record.quarantined_at is not None:
            acts.insert(0, "release")
    return [act for act in acts if can(request.user, ACTS[act][0], record.object)]


def do_act(request: HttpRequest, record: Record) -> None:
    """Do what the form posted: `act`, or a move to `stage`. What went wrong is told in a message."""
    act = request.POST.get("act", "")
    stage = request.POST.get("stage")
    if stage is not None:
        if not can(request.user, "move", record.object):
            raise PermissionDenied
        done = "moved"
        change: Callable[..., Record] = partial(services.move_stage, stage=stage)
    elif act in possible_acts(request, record):
        _, done, change = ACTS[act]
    else:
        messages.error(request, "This cannot be done with the record as it is now.")
        return
    values: dict[str, Any] = {"record": record}
    version = request.POST.get("version", "")
    if version.isdecimal() and len(version) < 10 and act not in ("restore", "release"):
        values["expected_version"] = int(version)
    try:
        change(**values)
    except StaleRecord:
        text = "Somebody has changed this record meanwhile; nothing was done. Look, and try again."
        messages.warning(request, text)
    except InvalidData as error:
        for text in labelled(record.object, error):
            messages.error(request, text)
    except RecordsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{record}” was {done}.")


def labelled(definition: ObjectDefinition, error: InvalidData) -> list[str]:
    """The messages of an error, each with its field's label."""
    fields = definition.schema.by_slug
    return [
        f"{fields[name].label if name in fields else name}: {' '.join(texts)}"
        for name, texts in error.errors.items()
    ]


# --- Moving in bulk ---------------------------------------------------------------------------


def move_page(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Ask for the stage, then move. All records must be of one object."""
    objects = list(
        ObjectDefinition.objects.filter(pk__in=queryset.order_by().values("object").distinct())
    )
    if len(objects) != 1:
        messages.error(request, "Choose records of one object: each object has its own stages.")
        return None
    definition = objects[0]
    stage = request.POST.get("stage", "")
    if "apply" in request.POST:
        try:
            count = services.move_records(queryset, object_definition=definition, stage=stage)
        except InvalidData as error:
            messages.error(request, str(error))
            return None
        label = definition.schema.stage_labels[stage]
        messages.success(request, f"{told(count)} moved to {label}.")
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Move {definition.plural}",
        "opts": model_admin.model._meta,
        "stages": definition.schema.stages,
        "selected": request.POST.getlist("_selected_action"),
        "across": request.POST.get("select_across", "0"),
        "action": request.POST.get("action"),
        "count": queryset.count(),
    }
    return TemplateResponse(request, "admin/records/record/move.html", context)


def told(count: int) -> str:
    return "1 record was" if count == 1 else f"{count:,} records were"


# --- Import -----------------------------------------------------------------------------------


class ImportForm(forms.Form):
    object = forms.ModelChoiceField(
        ObjectDefinition.objects.none(),
        to_field_name="slug",
        label="Object",
        widget=UnfoldAdminSelectWidget,
    )
    file = forms.FileField(label="CSV file", widget=UnfoldAdminFileFieldWidget)
    drafts = forms.BooleanField(
        label="As drafts",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Required fields may be empty.",
    )
    only_right_rows = forms.BooleanField(
        label="Import the right rows even if others are wrong",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Otherwise nothing is imported until every row is right.",
    )


def import_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Choose an object and a file; see what is wrong with which row."""
    allowed = [one for one in visible_objects(request.user) if can(request.user, "add", one)]
    if not allowed:
        return HttpResponseRedirect(reverse("admin:records_record_add"))  # it says what to do first
    chosen = request.GET.get("object") or allowed[0].slug
    form = ImportForm(request.POST or None, request.FILES or None, initial={"object": chosen})
    form.fields["object"].queryset = ObjectDefinition.objects.filter(  # type: ignore[attr-defined]
        pk__in=[one.pk for one in allowed]
    )
    result = None
    if request.method == "POST" and form.is_valid():
        result = _import(request, form)
        if result is not None and result.created:
            text = f"{told(result.created)} imported."
            messages.success(request, text)
            if not result.errors:
                slug = form.cleaned_data["object"].slug
                url = reverse("admin:records_record_changelist") + f"?object={slug}"
                return HttpResponseRedirect(url)
    definition = next((one for one in allowed if one.slug == chosen), allowed[0])
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Import records",
        "opts": model_admin.model._meta,
        "form": form,
        "result": result,
        "errors": result.errors[:MAX_ERRORS] if result else [],
        "columns": column_names(definition),
        "definition": definition,
    }
    return TemplateResponse(request, "admin/records/record/import.html", context)


def _import(request: HttpRequest, form: ImportForm) -> Any:
    values = form.cleaned_data
    try:
        return import_records(
            object_definition=values["object"],
            rows=read_csv(values["file"].read()),
            owner=request.user,  # type: ignore[arg-type]
            state=RecordState.DRAFT if values["drafts"] else RecordState.SUBMITTED,
            all_or_nothing=not values["only_right_rows"],
        )
    except InvalidData as error:
        form.add_error("file", error.errors.get("file", [str(error)]))
        return None


def record_or_404(model_admin: Any, request: HttpRequest, pk: str) -> Record:
    """A record the user may see. Ids of any other form are nobody's."""
    record = model_admin.get_object(request, unquote(pk))
    if record is None:
        return get_object_or_404(Record.objects.none())
    found: Record = record
    return found
