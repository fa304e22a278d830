"""Who owns a record that moved on has something to do in a few days."""

from typing import Any, Final

from automations.gallery.base import NAMED_BY, OBJECT, Blank, Template, Values, document, step


def make(values: Values) -> dict[str, Any]:
    name = values["name_field"] or "id"
    stages = [values["stage"]] if values["stage"] else []
    return document(
        {"type": "stage_changed", "config": {"object": values["object"], "to_stages": stages}},
        step(
            "add_task",
            "task",
            "A task in three days",
            title=f"Follow up: {{{{ record.{name} }}}}",
            owner=True,
            due="{{ date_add(now, 3, 'days') }}",
        ),
    )


TEMPLATE: Final = Template(
    slug="follow-up-task",
    title="Follow-up task",
    use="Who owns a record that moves on has a task in three days.",
    icon="add_task",
    blanks=(
        OBJECT,
        Blank("stage", "stage", "When it moves to", is_optional=True),
        NAMED_BY,
    ),
    make=make,
)
