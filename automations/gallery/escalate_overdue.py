"""A date has passed and nobody has closed the record: its owner and a team hear of it."""

from typing import Any, Final

from automations.gallery.base import NAMED_BY, OBJECT, Blank, Template, Values, document, step


def make(values: Values) -> dict[str, Any]:
    name, date = values["name_field"] or "id", values["date_field"]
    return document(
        {
            "type": "due",
            "config": {
                "object": values["object"],
                "field": date,
                "amount": 1,
                "unit": "days",
                "direction": "after",
            },
        },
        step(
            "notify",
            "tell",
            "Tell the owner and the team",
            title=f"Overdue: {{{{ record.{name} }}}}",
            body=f"It was due on {{{{ record.{date or 'due'} }}}}, and is still open.",
            owner=True,
            teams=[values["team"]] if values["team"] else [],
            urgency="urgent",
            by_mail=True,
        ),
        conditions={
            "match": "all",
            "rules": [{"field": "record.state", "operator": "not_equals", "value": "closed"}],
        },
    )


TEMPLATE: Final = Template(
    slug="escalate-overdue",
    title="Escalate what is overdue",
    use="A day after a date, the owner and a team hear of a record that is still open.",
    icon="alarm",
    blanks=(
        OBJECT,
        Blank(
            "date_field",
            "field",
            "Due on",
            "A date.",
            field_kinds=("date", "datetime"),
            is_suggested=True,
        ),
        NAMED_BY,
        Blank("team", "team", "Team", is_optional=True),
    ),
    make=make,
)
