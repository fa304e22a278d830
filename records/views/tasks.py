"""Tasks: those of a record, and one's own. Who may change the record gives tasks; who has one may tick it off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from records import services
from records.exceptions import InvalidData, RecordsError
from records.ids import decode
from records.models import ObjectDefinition, Record, Task, User
from records.permissions import can
from records.views.comments import MAX_PEOPLE
from records.views.layout import back_or, demand, object_for, record_for

# More than this is a record of its own.
MAX_SHOWN: Final = 50
MAX_OWN: Final = 15
# What was done lately stays in sight, so that a slip can be undone.
DONE_SHOWN: Final = 5
_LATELY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as a card shows it."""

    task: Task
    people: list[User]
    may_tick: bool
    may_edit: bool
    is_late: bool
    # For the form that changes it: who could do it, and whether they are to.
    choices: list[tuple[User, bool]]


class RecordTasks:
    """The tasks of one record: what is to be done, the most urgent first; then what was done last."""

    def __init__(
        self, request: HttpRequest, record: Record, people: list[User], *, may_change: bool
    ) -> None:
        """`people` are those who may see the record."""
        self.may_add, self.is_home = may_change, False
        self.choices = [(user, False) for user in people]
        rows = record.tasks.prefetch_related("assignees")
        open_ones = rows.open().in_order()[: MAX_SHOWN + 1]
        done = rows.exclude(done_at=None).order_by("-done_at")[:DONE_SHOWN]
        may_tick = record.deleted_at is None and can(request.user, "change", record.object)
        self.rows = [
            _row(request, task, may_tick=may_tick, choose_from=people if may_change else None)
            for task in (*open_ones[:MAX_SHOWN], *done)
        ]
        self.has_more = len(open_ones) > MAX_SHOWN
        self.count = len(open_ones)


class OwnTasks:
    """What somebody is to do, about records of these objects or about none."""

    def __init__(self, request: HttpRequest, objects: Iterable[ObjectDefinition]) -> None:
        self.may_add, self.is_home = False, True
        rows = Task.objects.within(objects).filter(assignees=request.user.pk)
        rows = rows.select_related("record__object").defer("record__data", "record__search_text")
        rows = rows.prefetch_related("assignees")
        open_ones = rows.open().in_order()[: MAX_OWN + 1]
        since = timezone.now() - _LATELY
        done = rows.filter(done_at__gte=since).order_by("-done_at")[:DONE_SHOWN]
        self.rows = [_row(request, task, may_tick=True) for task in (*open_ones[:MAX_OWN], *done)]
        self.has_more = len(open_ones) > MAX_OWN
        self.count = len(open_ones)


def _row(
    request: HttpRequest, task: Task, *, may_tick: bool, choose_from: list[User] | None = None
) -> TaskRow:
    """`choose_from` are those to whom it can be given, where it can be changed."""
    people = list(task.assignees.all())
    others = [user for user in choose_from or () if user not in people]
    return TaskRow(
        task=task,
        people=people,
        may_tick=may_tick or request.user in people,
        may_edit=choose_from is not None,
        is_late=not task.is_done and task.due_on is not None and task.due_on < timezone.localdate(),
        choices=[*((user, True) for user in people), *((user, False) for user in others)],
    )


@login_required
@require_POST
def task_add(request: HttpRequest, slug: str, record_id: str) -> HttpResponse:
    record = record_for(object_for(request, slug, "change"), record_id)
    return _act(request, record, lambda: services.add_task(record=record, **_values(request)))


@login_required
@require_POST
def task_edit(request: HttpRequest, task_id: str) -> HttpResponse:
    task, record = _task_to_change(request, task_id)
    return _act(request, record, lambda: services.update_task(task=task, **_values(request)))


@login_required
@require_POST
def task_delete(request: HttpRequest, task_id: str) -> HttpResponse:
    task, record = _task_to_change(request, task_id)
    return _act(request, record, lambda: services.delete_task(task=task))


@login_required
@require_POST
def task_tick(request: HttpRequest, task_id: str) -> HttpResponse:
    """It is done, or (`done` is "no") it is not."""
    task = _task_for(request, task_id)
    is_own = task.assignees.filter(pk=request.user.pk).exists()
    if not is_own and not _may_change(request, task):
        raise PermissionDenied("A task is ticked off by those who are to do it.")
    act = services.reopen_task if request.POST.get("done") == "no" else services.complete_task
    return _act(request, task.record, lambda: act(task=task))


def _act(request: HttpRequest, record: Record | None, change: Any) -> HttpResponse:
    """Do it, or say why not, and go back to where the task was seen."""
    try:
        change()
    except InvalidData as error:
        messages.error(request, " ".join(text for texts in error.errors.values() for text in texts))
    except RecordsError as error:
        messages.error(request, str(error))
    if record is None:
        return back_or(request, reverse("home"))
    return back_or(
        request, reverse("record_detail", args=[record.object.slug, record.pk]) + "#tasks"
    )


def _values(request: HttpRequest) -> dict[str, Any]:
    """What the form says; a mistake in it is raised where it is used, as InvalidData."""
    ids = request.POST.getlist("assignees")[:MAX_PEOPLE]
    return {
        "title": request.POST.get("title", ""),
        "note": request.POST.get("note", ""),
        "assignees": User.objects.filter(pk__in=ids),
        "due_on": _date(request.POST.get("due_on", "")),
    }


def _date(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        words = f"“{text[:30]}” is not a date; write it like 2025-01-31."
        raise InvalidData({"due_on": [words]}) from None


def _task_for(request: HttpRequest, task_id: str) -> Task:
    """One that is about no record, or about one that the user may see."""
    try:
        decode("task", task_id)
    except ValueError:
        raise Http404 from None
    task = Task.objects.filter(pk=task_id).select_related("record__object").first()
    if task is None:
        raise Http404
    if task.record is not None:
        if task.record.object.deleted_at is not None:
            raise Http404
        demand(request, "view", task.record.object)
    return task


def _task_to_change(request: HttpRequest, task_id: str) -> tuple[Task, Record | None]:
    task = _task_for(request, task_id)
    if not _may_change(request, task):
        raise PermissionDenied("You may not change this task. An administrator can.")
    return task, task.record


def _may_change(request: HttpRequest, task: Task) -> bool:
    if task.record is None:
        return request.user.has_perm("records.change_task")
    return can(request.user, "change", task.record.object)
