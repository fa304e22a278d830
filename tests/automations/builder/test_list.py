"""The list of automations and its actions."""

from typing import Any

import pytest
from django.test import Client

from automations.models import Automation, AutomationState
from automations.services import create_automation, publish

pytestmark = pytest.mark.django_db


def test_the_list_shows_state_trigger_and_last_run(admin: Client, automation: Automation) -> None:
    page = admin.get("/admin/automations/automation/").content.decode()

    assert "Welcome" in page
    assert "Not published" in page
    assert "Never ran" in page


def test_the_list_asks_as_much_for_one_as_for_many(
    admin: Client, automation: Automation, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        create_automation(name=f"Number {number}", draft=automation.draft)

    with django_assert_max_num_queries(25):
        admin.get("/admin/automations/automation/")


def test_actions_of_the_list(admin: Client, automation: Automation) -> None:
    other = create_automation(name="Unpublished", draft=automation.draft)
    publish(automation=automation)

    def act(action: str) -> str:
        values = {"action": action, "_selected_action": [automation.pk, other.pk]}
        answer = admin.post("/admin/automations/automation/", values, follow=True)
        return answer.content.decode(errors="replace")

    told = act("activate")
    assert "1 automation activated" in told
    assert "Unpublished" in told
    automation.refresh_from_db()
    assert automation.state == AutomationState.ACTIVE
    act("pause")
    automation.refresh_from_db()
    assert automation.state == AutomationState.PAUSED
    act("duplicate")
    assert Automation.objects.filter(name="Welcome (copy)", state="draft").exists()
    assert "welcome-" in act("export")
