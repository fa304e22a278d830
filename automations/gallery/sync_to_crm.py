"""New records go to another system, whose id for them is kept."""

import json
from typing import Any, Final

from automations.gallery.base import OBJECT, Blank, Template, Values, bearer, document, step


def make(values: Values) -> dict[str, Any]:
    names = [each for each in (values["name_field"], values["email_field"]) if each]
    body = {"id": "{{ record.id }}", **{name: f"{{{{ record.{name} }}}}" for name in names}}
    keep = values["id_field"]
    return document(
        {"type": "event", "config": {"event": "record.created", "object": values["object"]}},
        step(
            "webhook",
            "crm",
            "Add it to the CRM",
            url=values["url"],
            body_kind="json",
            body=json.dumps(body, indent=2),
            auth=bearer(values["secret"]),
            response_schema=[{"name": "externalId", "pointer": values["pointer"] or "/id"}],
            store=[{"field": keep, "value": "externalId"}] if keep else [],
            retry_delays_s=[60, 300, 1800],
        ),
    )


TEMPLATE: Final = Template(
    slug="sync-to-crm",
    title="Sync to a CRM",
    use="New records go to another system; its id for them is kept.",
    icon="sync_alt",
    blanks=(
        OBJECT,
        Blank("name_field", "field", "Name", field_kinds=("text",), is_suggested=True),
        Blank(
            "email_field",
            "field",
            "E-mail",
            field_kinds=("email",),
            is_optional=True,
            is_suggested=True,
        ),
        Blank("url", "url", "URL", "Where the CRM takes new contacts."),
        Blank(
            "secret",
            "secret",
            "API token",
            "Sent as a bearer token; its value is in no log and no document.",
            example="crm_token",
        ),
        Blank(
            "pointer",
            "text",
            "Where the answer has the id",
            "A JSON Pointer: /id, or /data/externalId.",
            example="/id",
        ),
        Blank(
            "id_field",
            "field",
            "Keep it in",
            "A text field of the record.",
            field_kinds=("text",),
            is_optional=True,
        ),
    ),
    make=make,
)
