"""An automation, an administrator's browser, and edits as the page sends them."""

from typing import Any

import pytest
from django.test import Client

from automations.builder.saving import stamp_of
from automations.models import Automation
from automations.services import create_automation
from records.models import User
from tests.automations.builder.at_hand import ON_LEADS, Post, url_of
from tests.automations.making import make_leads, step


@pytest.fixture
def automation() -> Automation:
    make_leads()
    stop = step("stop", "end", outcome="succeeded")
    return create_automation(name="Welcome", draft={"trigger": ON_LEADS, "steps": [stop]})


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def edit(admin: Client, automation: Automation) -> Post:
    """Send an edit as the page does."""

    def send(what: str, **values: Any) -> Any:
        automation.refresh_from_db()
        data = {"stamp": stamp_of(automation.draft), **values}
        response = admin.post(f"{url_of(automation)}edit/{what}/", data)
        automation.refresh_from_db()
        return response

    return send
