"""Who looks at the pages of webhook jobs."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.webhooks.jobs_at_hand import a_person


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(a_person("boss", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def viewer() -> Client:
    """May see jobs and nothing else."""
    user = a_person("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_webhookjob"))
    client = Client()
    client.force_login(user)
    return client
