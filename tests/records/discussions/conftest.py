"""A lead, two people who may see it, and a browser of one of them."""

import pytest
from django.test import Client

from records.models import ObjectDefinition, Record, User
from tests.records.leads import make_lead, make_leads, make_user


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def ada(leads: ObjectDefinition) -> User:
    return make_user("ada", "view_leads", "change_leads", first_name="Ada")


@pytest.fixture
def bob(leads: ObjectDefinition) -> User:
    return make_user("bob", "view_leads", first_name="Bob")


@pytest.fixture
def lead(leads: ObjectDefinition) -> Record:
    return make_lead(leads, "Jane")


@pytest.fixture
def client(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client
