"""What was to be done by somebody who is deleted is left to the others."""

from typing import Any

from django.db.models.signals import pre_delete
from django.dispatch import receiver

from records.capturing import write_events
from records.models import Event, Task, User
from records.services.tasks import task_updated_event
from records.snapshots import task_snapshot


@receiver(pre_delete, sender=User)
def assignee_goes(instance: User, **_: Any) -> None:
    """An event for each task that is not done yet, all in one statement."""
    tasks = Task.objects.open().filter(assignees=instance)
    events: list[Event] = []
    for task in tasks.select_related("record").prefetch_related("assignees"):
        people = {user.pk for user in task.assignees.all()}
        before, after = task_snapshot(task, people), task_snapshot(task, people - {instance.pk})
        events.append(task_updated_event(task, before, after))
    write_events(*events)
