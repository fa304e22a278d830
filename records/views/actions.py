"""What is done to a record with one click: submit, close, reopen, move, delete, restore, release. All by POST."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from records import services
from records.exceptions import InvalidData, RecordsError, StaleRecord
from records.models import ObjectDefinition, Record, RecordState
from records.permissions import Action
from records.views.layout import back_or, object_for, record_for


def _act(
    request: HttpRequest,
    slug: str,
    record_id: str,
    action: Action,
    change: Callable[[Record], Any],
    done: Callable[[str], str],
) -> HttpResponse:
    """Do it with the permission for `action`, say what happened, and go back to the record's page."""
    object_definition = object_for(request, slug, action)
    record = record_for(object_definition, record_id)
    here = reverse("record_detail", args=[slug, record.pk])
    try:
        change(record)
    except StaleRecord:
        messages.warning(
            request,
            "Somebody has changed this meanwhile, so nothing was done. "
            "This is how it is now; look, and try again.",
        )
    except InvalidData as error:
        _tell_invalid(request, object_definition, record, error)
    except RecordsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done(record.title or object_definition.name))
        return back_or(request, here)
    return redirect(here)


@login_required
@require_POST
def record_submit(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    def change(record: Record) -> None:
        _refuse(record, RecordState.CLOSED, "It is closed; reopen it instead.")
        services.submit_record(record=record, expected_version=_version(request))

    return _act(
        request, slug, record_id, "change", change, lambda title: f"“{title}” was submitted."
    )


@login_required
@require_POST
def record_close(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    def change(record: Record) -> None:
        _refuse(record, RecordState.DRAFT, "It is a draft; submit it before you close it.")
        services.close_record(record=record, expected_version=_version(request))

    return _act(request, slug, record_id, "close", change, lambda title: f"“{title}” was closed.")


@login_required
@require_POST
def record_reopen(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    def change(record: Record) -> None:
        services.reopen_record(record=record, expected_version=_version(request))

    return _act(request, slug, record_id, "close", change, lambda title: f"“{title}” was reopened.")


@login_required
@require_POST
def record_move(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    stage = request.POST.get("stage", "")

    def change(record: Record) -> None:
        _refuse(record, RecordState.CLOSED, "It is closed; reopen it before you move it.")
        services.move_stage(record=record, stage=stage, expected_version=_version(request))

    labels = object_for(request, slug, "move").schema.stage_labels
    label = labels.get(stage, stage)
    return _act(
        request, slug, record_id, "move", change, lambda title: f"“{title}” was moved to {label}."
    )


@login_required
@require_POST
def record_delete(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    object_definition = object_for(request, slug, "delete")
    record = record_for(object_definition, record_id)
    here = reverse("record_detail", args=[slug, record.pk])
    try:
        services.delete_record(record=record, expected_version=_version(request))
    except StaleRecord:
        messages.warning(
            request,
            "Somebody has changed this meanwhile, so it was not deleted. Look, and try again.",
        )
        return redirect(here)
    messages.success(
        request,
        format_html(
            '“{}” was deleted. <a href="{}">Open it to restore it</a>',
            record.title or object_definition.name,
            here,
        ),
    )
    return redirect("record_list", slug)


@login_required
@require_POST
def record_restore(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    def change(record: Record) -> None:
        services.restore_record(record=record)

    return _act(
        request, slug, record_id, "delete", change, lambda title: f"“{title}” was restored."
    )


@login_required
@require_POST
def record_release(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    def change(record: Record) -> None:
        services.release_record(record=record)

    return _act(
        request,
        slug,
        record_id,
        "change",
        change,
        lambda title: f"“{title}” was released from quarantine.",
    )


def _refuse(record: Record, state: RecordState, why: str) -> None:
    """Services do more than people may: this keeps people to the order of states."""
    if record.deleted_at is None and record.state == state:
        raise RecordsError(why)


def _version(request: HttpRequest) -> int | None:
    """The version that the user saw; None when the form did not say."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _tell_invalid(
    request: HttpRequest, object_definition: ObjectDefinition, record: Record, error: InvalidData
) -> None:
    fields = object_definition.schema.by_slug
    for name, texts in error.errors.items():
        label = fields[name].label if name in fields else name.capitalize()
        messages.error(request, f"{label}: {' '.join(texts)}")
    if any(name in fields for name in error.errors) and record.deleted_at is None:
        messages.info(request, "Edit it to fill in what is missing, then try again.")
