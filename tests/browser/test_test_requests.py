"""An automation that requests start: the test address is there at once, and what is sent to it appears beside it."""

from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Page, expect

from automations.services import create_automation
from records.models import User
from tests.automations.making import step
from webhooks.models import InboundEndpoint, RequestLog

NOTHING_ELSE = {"steps": [step("set_variables", "keep", variables={"n": ""})]}


@pytest.fixture
def builder(page: Page, transactional_db: None, log_in: Callable[[str, str], None]) -> Page:
    User.objects.create_superuser("admin", "admin@example.com", "let me in")
    trigger = {"type": "event", "config": {"event": "user.created"}}
    automation = create_automation(name="Orders", draft={"trigger": trigger, **NOTHING_ELSE})
    log_in("admin", "let me in")
    page.goto(f"/admin/automations/automation/{automation.pk}/change/")
    page.get_by_role("button", name="Something happened").click()
    return page


def test_test_requests_appear_and_give_values(builder: Page) -> None:
    page = builder
    page.get_by_label("Starts when").select_option(label="Webhook received")
    address = page.locator("#au-test-url")
    expect(address).to_be_visible()
    expect(page.get_by_text("Nothing has arrived yet")).to_be_visible()
    assert not InboundEndpoint.objects.get().is_active

    send(address.inner_text(), {"customer": {"email": "ada@example.com"}})

    arrival = page.locator("[data-arrival]")
    expect(arrival).to_have_count(1)
    expect(page.get_by_text("Nothing has arrived yet")).to_be_hidden()
    expect(arrival).to_contain_text("ada@example.com")

    arrival.get_by_role("button", name="Use as sample").click()
    expect(arrival).to_contain_text("Kept as a sample")
    assert RequestLog.objects.get().is_kept

    page.get_by_role("button", name="Set variables").first.click()
    page.locator("[data-card=keep] [name=c-variables-value]").first.click()
    page.get_by_role("button", name="webhook.body.customer.email").click()
    expect(page.locator("[data-card=keep]")).to_contain_text("= ada@example.com")


def test_nothing_is_asked_while_the_card_is_closed(builder: Page) -> None:
    page = builder
    page.get_by_label("Starts when").select_option(label="Webhook received")
    expect(page.locator("#au-test-url")).to_be_visible()
    page.locator("[data-card=trigger] [data-open]").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.wait_for_timeout(4500)

    assert asked == []


def send(url: str, value: object) -> None:
    assert requests.post(url, json=value, timeout=10).status_code == 200
