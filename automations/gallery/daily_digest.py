"""On working days a team is told in the morning where to look."""

from typing import Any, Final

from automations.gallery.base import Blank, Template, Values, document, step


def make(values: Values) -> dict[str, Any]:
    return document(
        {"type": "schedule", "config": {"cron": "0 8 * * 1-5"}},
        step(
            "notify",
            "tell",
            "Tell the team",
            title="Today, {{ format_date(now, '%A, %d %B') }}",
            body=values["text"],
            teams=[values["team"]] if values["team"] else [],
            by_mail=True,
        ),
    )


TEMPLATE: Final = Template(
    slug="daily-digest",
    title="Daily digest",
    use="On working days at eight a team is told where to look.",
    icon="wb_sunny",
    blanks=(
        Blank("team", "team", "Team"),
        Blank(
            "text",
            "text",
            "What to say",
            example="Look at what is due today, and at what nobody owns yet.",
        ),
    ),
    make=make,
)
