"""The demo's objects, their fields and stages."""

from typing import Any, Final

from records.models import FieldDefinition, FieldKind, ObjectDefinition, Stage

Definitions = dict[str, ObjectDefinition]
Field = tuple[str, str, str, dict[str, Any]]

COMPANIES: Final = "companies"
LEADS: Final = "leads"
TICKETS: Final = "tickets"
# In this order, because leads and tickets link to companies.
SLUGS: Final = (COMPANIES, LEADS, TICKETS)


def _choices(*labels: str) -> dict[str, Any]:
    return {
        "choices": [{"value": label.lower().replace(" ", "_"), "label": label} for label in labels]
    }


_OBJECTS: Final[dict[str, dict[str, Any]]] = {
    LEADS: {
        "name": "Lead",
        "plural": "Leads",
        "icon": "person",
        "position": 1,
        "description": "People who may become customers, from first contact to won or lost.",
    },
    COMPANIES: {
        "name": "Company",
        "plural": "Companies",
        "icon": "apartment",
        "position": 2,
        "description": "The organisations behind leads and tickets.",
    },
    TICKETS: {
        "name": "Ticket",
        "plural": "Support tickets",
        "icon": "support_agent",
        "position": 3,
        "description": "What customers ask for help with.",
    },
}

# slug, label, kind, and what else the field says.
_FIELDS: Final[dict[str, list[Field]]] = {
    COMPANIES: [
        ("name", "Name", FieldKind.TEXT, {"required": True, "unique": True}),
        ("website", "Website", FieldKind.URL, {}),
        (
            "industry",
            "Industry",
            FieldKind.CHOICE,
            {
                "in_list": True,
                "options": _choices("Rail", "Software", "Manufacturing", "Retail", "Energy"),
            },
        ),
        ("city", "City", FieldKind.TEXT, {"in_list": True}),
        ("employees", "Employees", FieldKind.NUMBER, {"in_list": True, "options": {"min": 1}}),
    ],
    LEADS: [
        ("name", "Name", FieldKind.TEXT, {"required": True}),
        ("email", "E-mail", FieldKind.EMAIL, {"required": True, "in_list": True}),
        ("phone", "Phone", FieldKind.PHONE, {}),
        (
            "company",
            "Company",
            FieldKind.LINK,
            {"in_list": True, "options": {"object": COMPANIES}},
        ),
        (
            "estimated_value",
            "Estimated value",
            FieldKind.CURRENCY,
            {"in_list": True, "options": {"currency": "EUR", "min": 0}},
        ),
        (
            "priority",
            "Priority",
            FieldKind.CHOICE,
            {
                "in_list": True,
                "default": "normal",
                "options": _choices("High", "Normal", "Low"),
            },
        ),
        (
            "source",
            "Source",
            FieldKind.CHOICE,
            {"options": _choices("Website", "Trade fair", "Referral", "Newsletter", "Cold call")},
        ),
        ("next_contact", "Next contact", FieldKind.DATE, {"help_text": "When to call or write."}),
        ("notes", "Notes", FieldKind.LONG_TEXT, {}),
        ("crm_id", "Id in the CRM", FieldKind.TEXT, {"help_text": "Set by an automation."}),
    ],
    TICKETS: [
        ("subject", "Subject", FieldKind.TEXT, {"required": True}),
        (
            "company",
            "Company",
            FieldKind.LINK,
            {"in_list": True, "options": {"object": COMPANIES}},
        ),
        ("requester", "Requester", FieldKind.EMAIL, {"required": True, "in_list": True}),
        (
            "urgency",
            "Urgency",
            FieldKind.CHOICE,
            {
                "in_list": True,
                "default": "medium",
                "options": _choices("Urgent", "High", "Medium", "Low"),
            },
        ),
        ("description", "Description", FieldKind.LONG_TEXT, {}),
    ],
}

_STAGES: Final = {
    COMPANIES: [("Prospect", "slate"), ("Customer", "green"), ("Former", "amber")],
    LEADS: [
        ("New", "blue"),
        ("Contacted", "violet"),
        ("Qualified", "amber"),
        ("Won", "green"),
        ("Lost", "slate"),
    ],
    TICKETS: [("Open", "blue"), ("Waiting", "amber"), ("Solved", "green")],
}


def make_objects() -> Definitions:
    return {slug: _make_object(slug) for slug in SLUGS}


def _make_object(slug: str) -> ObjectDefinition:
    definition = ObjectDefinition(slug=slug, **_OBJECTS[slug])
    definition.full_clean()
    definition.save()
    for position, (name, label, kind, rest) in enumerate(_FIELDS[slug]):
        field = FieldDefinition(
            object=definition, slug=name, label=label, kind=kind, position=position, **rest
        )
        field.full_clean()
        field.save()
    for position, (label, colour) in enumerate(_STAGES[slug]):
        stage = Stage(
            object=definition, slug=label.lower(), label=label, colour=colour, position=position
        )
        stage.full_clean()
        stage.save()
    return definition
