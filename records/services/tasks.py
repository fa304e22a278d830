"""Tasks: added, changed, completed, reopened, deleted. Permissions are the caller's to ask for.

All of them raise InvalidData for values that do not fit, and RecordDeleted for tasks of a deleted record.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from records.actors import current_cause
from records.events import capture, make_event
from records.exceptions import AlreadyGone, InvalidData, RecordDeleted
from records.messages import notify
from records.models import Event, Record, Task, User
from records.models.discussions import excerpt
from records.models.tasks import MAX_NOTE_LENGTH
from records.services.comments import check_may_see
from records.services.records import UNSET, _Unset
from records.snapshots import task_snapshot

# An event tells of all of them.
MAX_ASSIGNEES = 50
_MAX_TITLE_LENGTH = 200


def add_task(
    *,
    record: Record | None,
    title: str,
    note: str = "",
    assignees: Iterable[User] = (),
    due_on: date | None = None,
) -> Task:
    """Something to do, about a record or about none. The current cause is who gave it.

    Those who are to do it must be able to see the record, and are told.
    """
    people = _people(record, assignees)
    _check(record)
    cause = current_cause()
    task = Task(
        record=record,
        title=_clean_title(title),
        note=_clean_note(note),
        due_on=due_on,
        created_by=cause.user,
        created_by_label=current_cause().name[:150],
        run_id=cause.run_id,
        created_at=timezone.now(),
    )
    with transaction.atomic():
        task.save(force_insert=True)
        if people:
            task.assignees.set(people.values())
        capture(_event("task.created", task, after=task_snapshot(task, people)))
        _tell(task, people.values())
    return task


def update_task(
    *,
    task: Task,
    title: str | None = None,
    note: str | None = None,
    assignees: Iterable[User] | None = None,
    due_on: date | _Unset | None = UNSET,
) -> Task:
    """Change what is given. Who is to do it from now on is told."""
    with transaction.atomic():
        task, old = _locked(task)
        _check(task.record)
        before = task_snapshot(task, old)
        if title is not None:
            task.title = _clean_title(title)
        if note is not None:
            task.note = _clean_note(note)
        if not isinstance(due_on, _Unset):
            task.due_on = due_on
        people = None if assignees is None else _people(task.record, assignees, already=old)
        after = task_snapshot(task, old if people is None else people)
        if not _save(task, before, after):
            return task
        if people is not None:
            task.assignees.set(people.values())
            _tell(task, [user for pk, user in people.items() if pk not in old])
    return task


def complete_task(*, task: Task) -> Task:
    """It is done, by whoever acts now."""
    with transaction.atomic():
        task, people = _locked(task)
        _check(task.record)
        if not task.is_done:
            before = task_snapshot(task, people)
            task.done_at, task.done_by = timezone.now(), current_cause().user
            _save(task, before, task_snapshot(task, people))
    return task


def reopen_task(*, task: Task) -> Task:
    """It is not done after all."""
    with transaction.atomic():
        task, people = _locked(task)
        _check(task.record)
        if task.is_done:
            before = task_snapshot(task, people)
            task.done_at = task.done_by = None
            _save(task, before, task_snapshot(task, people))
    return task


def delete_task(*, task: Task) -> None:
    """Delete a task for good, also of a deleted record. Its event keeps it, for administrators."""
    with transaction.atomic():
        task, people = _locked(task)
        event = _event("task.deleted", task, before=task_snapshot(task, people))
        task.delete()
        capture(event)


def task_updated_event(task: Task, before: Mapping[str, Any], after: Mapping[str, Any]) -> Event:
    """Of a task of which some values have changed."""
    changed = [name for name in after if name != "done_by" and before[name] != after[name]]
    return _event("task.updated", task, before=before, after=after, changed=changed)


# --- parts ---


def _check(record: Record | None) -> None:
    if record is not None and record.deleted_at is not None:
        raise RecordDeleted


def _locked(task: Task) -> tuple[Task, set[str]]:
    """As the database has it now, and the ids of those who are to do it."""
    rows = Task.objects.select_related("record__object")
    found = rows.select_for_update(of=("self",)).filter(pk=task.pk).first()
    if found is None:
        raise AlreadyGone
    return found, set(found.assignees.values_list("pk", flat=True))


def _save(task: Task, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Save with the event. Whether anything has changed."""
    event = task_updated_event(task, before, after)
    if not event.changed:
        return False
    task.save(update_fields=["title", "note", "due_on", "done_at", "done_by"])
    capture(event)
    return True


def _people(
    record: Record | None, assignees: Iterable[User], already: Iterable[str] = ()
) -> dict[str, User]:
    """By id. Those who are to do it already may stay, whatever they may see by now."""
    people = {user.pk: user for user in assignees}
    if len(people) > MAX_ASSIGNEES:
        raise InvalidData(
            {"assignees": [f"A task is given to no more than {MAX_ASSIGNEES} people."]}
        )
    new = [user for pk, user in people.items() if pk not in set(already)]
    if record is not None and new:
        check_may_see(record, new, "assignees")
    return people


def _clean_title(title: str) -> str:
    title = " ".join(title.replace("\0", "").split())
    if not title:
        raise InvalidData({"title": ["Say what is to be done."]})
    if len(title) > _MAX_TITLE_LENGTH:
        words = f"A title has at most {_MAX_TITLE_LENGTH} characters; this one has {len(title):,}."
        raise InvalidData({"title": [f"{words} The note takes more."]})
    return title


def _clean_note(note: str) -> str:
    note = note.replace("\r\n", "\n").replace("\0", "").strip()
    if len(note) > MAX_NOTE_LENGTH:
        words = f"A note has at most {MAX_NOTE_LENGTH:,} characters; this one has {len(note):,}."
        raise InvalidData({"note": [words]})
    return note


def _tell(task: Task, people: Iterable[User]) -> None:
    """Those who have something to do now, except who gave it to themselves."""
    actor = current_cause().user
    others = [user for user in people if user != actor]
    if not others:
        return
    due = f"Until {date_format(task.due_on)}. " if task.due_on else ""
    title = f"{current_cause().name} gave you a task: {task.title}"
    notify(
        others, title=title[:200], body=f"{due}{excerpt(task.note, 300)}".strip(), url=_url(task)
    )


def _url(task: Task) -> str:
    if task.record is None:
        return f"{reverse('home')}#{task.pk}"
    here = reverse("record_detail", args=[task.record.object.slug, task.record.pk])
    return f"{here}#{task.pk}"


def _event(change: str, task: Task, **values: Any) -> Event:
    event = make_event(
        change, record=task.record, subject_id=task.pk, subject_label=task.title, **values
    )
    event.object_id = task.record.object_id if task.record else None
    return event
