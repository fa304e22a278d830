"""A value is looked up at another system, and what that knows fills a field."""

from typing import Any, Final

from automations.gallery.base import OBJECT, Blank, Template, Values, bearer, document, step


def make(values: Values) -> dict[str, Any]:
    ask, fill = values["ask_field"], values["fill_field"]
    return document(
        {"type": "event", "config": {"event": "record.created", "object": values["object"]}},
        step(
            "webhook",
            "lookup",
            "Look it up",
            method="GET",
            url=values["url"],
            query_params=[{"name": ask or "q", "value": f"{{{{ record.{ask or 'id'} }}}}"}],
            body_kind="none",
            auth=bearer(values["secret"]),
            success_statuses="2xx, 404",
            response_schema=[{"name": "found", "pointer": values["pointer"] or "/name"}],
            store=[{"field": fill, "value": "found"}],
        ),
        conditions={
            "match": "all",
            "rules": [{"field": f"record.{ask or 'id'}", "operator": "is_not_empty"}],
        },
    )


TEMPLATE: Final = Template(
    slug="enrich-from-api",
    title="Enrich from an API",
    use="What another system knows of a new record fills a field.",
    icon="travel_explore",
    blanks=(
        OBJECT,
        Blank("ask_field", "field", "Look up", "Sent as a query parameter.", is_suggested=True),
        Blank("url", "url", "URL", "Such as https://api.example.com/companies"),
        Blank("secret", "secret", "API token", "Sent as a bearer token.", is_optional=True),
        Blank(
            "pointer",
            "text",
            "Where the answer has it",
            "A JSON Pointer: /name, or /results/0/city.",
            example="/name",
        ),
        Blank("fill_field", "field", "Fill in", field_kinds=("text", "long_text", "url")),
    ),
    make=make,
)
