"""What the demo's people say of some records, and what is to be done there."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from records.actors import acting
from records.models import Record, User
from records.services import add_comment, add_task, complete_task

# title of the record, who says it (0 is the administrator, -1 the end user), what
_COMMENTS: Final = (
    (
        "Mara Lindqvist",
        -1,
        "She asked whether two yards can share one account. @admin, can they?",
    ),
    ("Mara Lindqvist", 0, "Yes: one team for each yard, both see the same leads."),
    ("Mara Lindqvist", -1, "Told her. She wants to see it on Thursday."),
    ("Webhook arrives twice", -1, "Asked for the webhook-id of both; waiting for the answer."),
)

# title of the record, what is to be done, days from today, whether it is done
_TASKS: Final = (
    ("Mara Lindqvist", "Send the offer for the pilot", 2, False),
    ("Mara Lindqvist", "Ask for the plans of both yards", -3, True),
    ("Jane Smith", "Show the webhooks in a call", -1, False),
    ("Webhook arrives twice", "Compare the two deliveries", 0, False),
)


def make_talk(users: list[User]) -> None:
    """Comments and tasks. Without logins there is nobody to say or do anything."""
    if not users:
        return
    titles = {row[0] for row in (*_COMMENTS, *_TASKS)}
    records = {one.title: one for one in Record.objects.filter(title__in=titles)}
    for title, number, body in _COMMENTS:
        with acting(users[number]):
            add_comment(record=records[title], body=body, author=users[number])
    with acting(users[0]):
        for title, what, days, is_done in _TASKS:
            due_on = timezone.localdate() + timedelta(days=days)
            task = add_task(record=records[title], title=what, assignees=users[-1:], due_on=due_on)
            if is_done:
                with acting(users[-1]):
                    complete_task(task=task)
