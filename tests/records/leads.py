"""An object with a field of every kind, for the tests of lists and pages."""

from typing import Any

from django.contrib.auth.models import Group, Permission

from records.models import FieldDefinition, ObjectDefinition, Record, Stage, User
from records.services import create_record

SOURCES = [{"value": "web", "label": "Website"}, {"value": "fair", "label": "Trade fair"}]
TOPICS = [{"value": "hosting", "label": "Hosting"}, {"value": "support", "label": "Support"}]

FIELDS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("name", "Name", "text", {"required": True, "in_list": True}),
    ("email", "E-mail", "email", {"unique": True, "in_list": True}),
    ("value", "Value", "currency", {"options": {"currency": "EUR"}, "in_list": True}),
    ("employees", "Employees", "number", {}),
    ("source", "Source", "choice", {"options": {"choices": SOURCES}, "in_list": True}),
    ("topics", "Topics", "multi_choice", {"options": {"choices": TOPICS}}),
    ("consent", "Consent", "boolean", {}),
    ("due", "Due", "date", {}),
    ("met", "Met", "datetime", {}),
    ("company", "Company", "link", {"options": {"object": "companies"}}),
    ("manager", "Manager", "user", {}),
    ("contract", "Contract", "file", {}),
    ("site", "Site", "url", {}),
    ("notes", "Notes", "long_text", {}),
    ("extra", "Extra", "json", {}),
]


def make_leads() -> ObjectDefinition:
    """Leads with stages New → Contacted → Won, and Companies to link to."""
    companies = ObjectDefinition.objects.create(
        slug="companies", name="Company", plural="Companies"
    )
    FieldDefinition.objects.create(object=companies, slug="name", label="Name", kind="text")
    leads = ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
    for position, (slug, label, kind, more) in enumerate(FIELDS):
        FieldDefinition.objects.create(
            object=leads, slug=slug, label=label, kind=kind, position=position, **more
        )
    for position, (slug, label) in enumerate(
        [("new", "New"), ("contacted", "Contacted"), ("won", "Won")]
    ):
        Stage.objects.create(object=leads, slug=slug, label=label, position=position)
    return ObjectDefinition.objects.get(pk=leads.pk)


def make_lead(leads: ObjectDefinition, name: str, **values: Any) -> Record:
    """A lead; `stage`, `state` and `owner` go to the record, the rest to its fields."""
    attributes = {key: values.pop(key) for key in ("stage", "state", "owner") if key in values}
    return create_record(object_definition=leads, data={"name": name, **values}, **attributes)


def make_user(name: str, *permissions: str, **more: Any) -> User:
    """A user whose group has these permissions: "view_leads", …"""
    user = User.objects.create_user(name, password="secret", **more)
    group = Group.objects.create(name=f"Group of {name}")
    group.permissions.set(Permission.objects.filter(codename__in=permissions))
    assert group.permissions.count() == len(permissions)
    user.groups.add(group)
    return user
