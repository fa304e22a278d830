"""Filling in: a new record, changing one, and what happens when two people change one at once."""

from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from records.exceptions import InvalidData, RecordsError, StaleRecord
from records.forms import Action, BaseRecordForm, choices_for, record_form
from records.models import FieldDefinition, FieldKind, ObjectDefinition, Record, RecordState
from records.permissions import can
from records.views.conflicts import Conflict, resolved_data
from records.views.layout import demand, object_for, record_for, render_page

_WIDE: Final = {FieldKind.LONG_TEXT, FieldKind.JSON, FieldKind.MULTI_CHOICE}

_DONE: Final = {
    "draft": "The draft was saved.",
    "submit": "“{}” was submitted.",
    "save": "“{}” was saved.",
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_new(request: HttpRequest, slug: str) -> HttpResponse:
    object_definition = object_for(request, slug, "add")
    action = _action(request, object_definition, None)
    form = _form(request, object_definition, None, request.POST, action)
    if request.method == "POST" and form.is_valid():
        try:
            return _saved(request, form.save(action), action)
        except InvalidData:
            pass  # the form has the messages beside its fields
        except RecordsError as error:
            form.add_error(None, str(error))
    return _render(request, object_definition, form, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_edit(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    object_definition = object_for(request, slug, "change")
    record = record_for(object_definition, record_id)
    action = _action(request, object_definition, record)
    obstacle = _obstacle(record)
    if request.method != "POST":
        if obstacle:
            messages.error(request, obstacle)
            return redirect("record_detail", slug, record.pk)
        return _render(
            request, object_definition, _form(request, object_definition, record), record
        )
    data = resolved_data(request.POST, record)
    form = _form(request, object_definition, record, data, action)
    if form.is_valid() and not form.cleaned_data.get("version"):
        obstacle = "This form does not say which version it is based on. Reload the page."
    if form.is_valid() and not obstacle:
        try:
            return _saved(request, form.save(action), action)
        except StaleRecord as stale:
            if stale.current is not None:
                return _render_conflict(request, form, stale.current, action)
            obstacle = str(stale)
        except InvalidData:
            pass
        except RecordsError as error:
            obstacle = str(error)
    if obstacle:  # what was typed stays on the page
        form.add_error(None, obstacle)
    return _render(request, object_definition, form, record)


@login_required
@require_safe
def field_choices(request: HttpRequest, field_id: int) -> JsonResponse:
    """What a link or user field may refer to, as a text leads to it: `{"choices": [[id, label], …]}`."""
    fields = FieldDefinition.objects.filter(object__deleted_at=None).select_related("object")
    field = get_object_or_404(fields, pk=field_id)
    if not can(request.user, "add", field.object):
        demand(request, "change", field.object)
    response = JsonResponse({"choices": choices_for(field, request.GET.get("q", ""))})
    response["Cache-Control"] = "private, no-cache"
    return response


def _action(
    request: HttpRequest, object_definition: ObjectDefinition, record: Record | None
) -> Action:
    """What the button that was pressed asks for, as far as it makes sense for this record."""
    asked = request.POST.get("action", "")
    if record is None:
        return "draft" if asked == "draft" and object_definition.allow_drafts else "submit"
    if record.state == RecordState.DRAFT:
        return "submit" if asked == "submit" else "draft"
    return "save"


def _form(
    request: HttpRequest,
    object_definition: ObjectDefinition,
    record: Record | None,
    data: Any = None,
    action: Action = "save",
) -> BaseRecordForm:
    posted = request.method == "POST"
    return record_form(
        object_definition,
        instance=record,
        data=data if posted else None,
        files=request.FILES if posted else None,
        user=cast(Any, request.user),
        draft=action == "draft",
    )


def _obstacle(record: Record) -> str:
    """Why this record cannot be changed now; empty when it can."""
    if record.deleted_at is not None:
        return "It is deleted; restore it before you change it."
    if record.state == RecordState.CLOSED:
        return "It is closed; reopen it before you change it."
    return ""


def _saved(request: HttpRequest, record: Record, action: Action) -> HttpResponse:
    messages.success(request, _DONE[action].replace("{}", record.title or record.object.name))
    return redirect("record_detail", record.object.slug, record.pk)


def _render(
    request: HttpRequest,
    object_definition: ObjectDefinition,
    form: BaseRecordForm,
    record: Record | None,
) -> HttpResponse:
    kinds = object_definition.schema.by_slug
    context = {
        "object": object_definition,
        "record": record,
        "form": form,
        "fields": [(field, kinds[field.name].kind in _WIDE) for field in form.defined_fields()],
        "is_draft": record.state == RecordState.DRAFT if record else object_definition.allow_drafts,
        "is_new": record is None,
        "has_required": any(field.required for field in kinds.values()),
    }
    status = 422 if form.is_bound else 200
    return render_page(
        request, "records/form.html", context, section=object_definition.slug, status=status
    )


def _render_conflict(
    request: HttpRequest, form: BaseRecordForm, current: Record, action: Action
) -> HttpResponse:
    context = {
        "object": form.object_definition,
        "record": current,
        "conflict": Conflict(form, current),
        "action": action,
    }
    return render_page(
        request,
        "records/conflict.html",
        context,
        section=form.object_definition.slug,
        status=409,
    )
