"""Who looks at the pages of webhooks, and what there is to try them with."""

import pytest
from django.test import Client

from records.models import FieldDefinition, ObjectDefinition, Record, User


@pytest.fixture
def leads() -> ObjectDefinition:
    leads = ObjectDefinition.objects.create(slug="leads", name="Lead", plural="Leads")
    for slug, kind in (("name", "text"), ("value", "currency")):
        FieldDefinition.objects.create(object=leads, slug=slug, label=slug.title(), kind=kind)
    return ObjectDefinition.objects.get(pk=leads.pk)


@pytest.fixture
def jane(leads: ObjectDefinition) -> Record:
    return Record.objects.create(object=leads, data={"name": "Jane & Smith", "value": 1500})


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client
