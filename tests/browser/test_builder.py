"""A newcomer makes an automation in the admin: “when a lead is created with value over 10,000, post to Slack, wait for
the answer, store the id, mail the owner”, without documentation and without writing JSON by hand but for Slack's own
message; a real worker does it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from automations.models import Automation, AutomationState, Run, RunStatus
from records.models import Mail, ObjectDefinition, Record, User
from records.services import create_record
from tests.records.making import make_object
from tests.waiting import wait_until

# A person takes some two seconds for each of these: that is far below three minutes.
MAX_INTERACTIONS = 40


class Slack(BaseHTTPRequestHandler):
    """Answers as Slack's chat.postMessage does, and keeps what it was told."""

    told: list[Any] = []

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        Slack.told.append(json.loads(self.rfile.read(length)))
        answer = b'{"ok":true,"ts":"123.45"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def slack() -> Iterator[str]:
    Slack.told = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slack)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/chat.postMessage"
    server.shutdown()
    server.server_close()


@pytest.fixture
def leads(transactional_db: None) -> ObjectDefinition:
    User.objects.create_superuser("admin", "admin@example.com", "let me in")
    return make_object(
        "leads",
        {"slug": "name", "required": True},
        {"slug": "value", "kind": "number"},
        {"slug": "slack_id", "label": "Slack id"},
    )


class Person:
    """Does one thing after another, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.interactions = 0

    def click(self, what: Locator) -> None:
        self.interactions += 1
        what.click()

    def choose(self, where: Locator, words: str) -> None:
        self.interactions += 1
        where.select_option(label=words)

    def write(self, where: Locator, words: str) -> None:
        self.interactions += 1
        where.click()
        self.page.keyboard.type(words)

    def saved(self) -> None:
        """A person sees the quiet note; the next click comes after it anyway."""
        expect(self.page.locator("#au-saved")).to_contain_text("Saved")


def test_a_newcomer_makes_an_automation_that_posts_stores_the_id_and_mails_the_owner(
    site: LiveServer,
    page: Page,
    leads: ObjectDefinition,
    slack: str,
    log_in: Callable[[str, str], None],
) -> None:
    log_in("admin", "let me in")
    page.goto("/admin/")
    person = Person(page)

    person.click(page.locator("#nav-sidebar a[href='/admin/automations/automation/']"))
    person.click(page.get_by_role("link", name="New automation"))
    person.write(page.get_by_label("Name").first, "Tell Slack about large leads")
    person.click(page.get_by_role("button", name="Create"))

    person.choose(page.get_by_label("Object"), "Leads")
    person.click(page.get_by_role("button", name="Only if"))
    person.click(page.get_by_role("button", name="Add a rule"))
    person.choose(page.get_by_label("Field", exact=True), "Value")
    person.choose(page.get_by_label("Comparison"), "is greater than")
    person.write(page.get_by_role("textbox", name="Value", exact=True), "10,000")

    person.click(page.get_by_role("button", name="Add a step").first)
    person.write(page.get_by_label("Search the steps"), "webhook")
    person.click(page.get_by_role("button", name="Send webhook"))
    person.write(page.get_by_label("Method and URL"), slack)
    person.click(page.get_by_text("Rows", exact=True))
    person.click(page.get_by_role("button", name="Add a row"))
    person.write(page.get_by_label("Name of the row"), "text")
    person.click(page.get_by_label("Value of the row"))
    person.click(values_button(page, "Name", "record.name"))
    person.click(page.get_by_role("button", name="Take a value from the answer"))
    person.write(page.get_by_label("Value in the answer"), "ts")
    person.choose(page.get_by_label("Store in field"), "Slack id")

    person.click(page.locator("[data-block=''] > .au-item-end").get_by_role("button"))
    person.write(page.get_by_label("Search the steps"), "mail")
    person.click(page.get_by_role("button", name="Send email"))
    person.click(page.get_by_label("To", exact=True))
    person.write(page.get_by_label("Find a value"), "owner")
    person.click(values_button(page, "E-mail of the owner", "record.owner.email"))
    person.write(page.get_by_label("Subject"), "A large lead came in")
    person.saved()

    expect(page.locator("#au-problems")).to_be_hidden()
    person.click(page.get_by_role("button", name="Publish"))
    person.click(page.get_by_role("dialog").get_by_role("button", name="Publish"))
    expect(page.get_by_role("button", name="Active")).to_have_attribute("aria-pressed", "true")

    assert person.interactions <= MAX_INTERACTIONS
    automation = Automation.objects.get()
    assert automation.state == AutomationState.ACTIVE

    owner = User.objects.create_user("ada", "ada@example.com", "pw")
    small = create_record(object_definition=leads, data={"name": "Small", "value": 10_000})
    large = create_record(
        object_definition=leads, data={"name": "Large", "value": 10_001}, owner=owner
    )
    run = wait_until(lambda: Run.objects.filter(record=large, status=RunStatus.SUCCEEDED).first())

    assert Record.objects.get(pk=large.pk).data["slack_id"] == "123.45"
    assert [told["text"] for told in Slack.told] == ["Large"]
    assert Mail.objects.get().to == ["ada@example.com"]
    assert Run.objects.get(record=small).status == RunStatus.SKIPPED
    page.goto("/admin/automations/automation/")
    expect(page.get_by_role("row").filter(has_text="Tell Slack")).to_contain_text("Succeeded")
    page.get_by_role("link", name="Succeeded").click()
    expect(page.get_by_text(run.pk).first).to_be_visible()


def values_button(page: Page, label: str, path: str) -> Locator:
    """A value in the list beside the forms."""
    return (
        page.get_by_role("complementary", name="Values")
        .get_by_role("button")
        .filter(has_text=path)
        .filter(has_text=label)
        .first
    )
