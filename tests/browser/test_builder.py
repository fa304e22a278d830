"""A newcomer makes an automation in the admin: “when a lead is created with value over 10,000, post to Slack, wait for
the answer, store the id, mail the owner”, without documentation and without writing JSON by hand but for Slack's own
message; a real worker does it."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from automations.builder.blocks import find_step, walk
from automations.models import Automation, AutomationState, Run, RunStatus
from automations.services import create_automation
from records.models import Mail, ObjectDefinition, Record, User
from records.services import create_record
from tests.records.making import make_object
from tests.waiting import wait_until

# A person takes some two seconds for each of these: that is far below three minutes.
MAX_INTERACTIONS = 31


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

    person.click(page.get_by_role("button", name="Add a step", exact=True).first)
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


# --- What is done to cards ----------------------------------------------------------------------------


def builder(page: Page, *steps: dict[str, Any]) -> Automation:
    """The builder of an automation with these steps."""
    trigger = {"type": "event", "config": {"event": "record.created", "object": "leads"}}
    automation = create_automation(name="Welcome", draft={"trigger": trigger, "steps": list(steps)})
    page.goto(f"/admin/automations/automation/{automation.pk}/change/")
    return automation


def order(automation: Automation) -> list[str]:
    automation.refresh_from_db()
    return [f"{block}:{step['id']}" for block, _, step in walk(automation.draft)]


def stop(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "stop", "config": {}}


@pytest.fixture
def admin(
    live_server: LiveServer, leads: ObjectDefinition, log_in: Callable[[str, str], None]
) -> None:
    log_in("admin", "let me in")


def test_steps_are_moved_by_keys_and_by_dragging(page: Page, admin: None) -> None:
    loop = {"id": "each", "type": "for_each", "config": {"list": "{{ [1] }}", "steps": []}}
    automation = builder(page, stop("one"), stop("two"), loop)

    page.locator("[data-card=two] > header [data-open]").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("#au-saved")).to_contain_text("Moved up")
    assert order(automation) == [":two", ":one", ":each"]
    expect(page.locator("[data-card=two] > header [data-open]")).to_be_focused()

    grip = page.locator("[data-card=one] [data-grip]")
    body = page.locator("[data-block=each] > .au-item-end .au-add-line")
    grip.hover()
    page.mouse.down()
    body.hover()
    body.hover()
    expect(page.locator(".au-drop")).to_have_count(1)
    page.mouse.up()
    expect(page.locator("#au-saved")).to_have_text(re.compile("Moved.$"))
    assert order(automation) == [":two", ":each", "each:one"]

    page.locator("[data-card=one] > header summary").click()
    page.get_by_role("button", name="Move up").click()
    wait_until(lambda: order(automation) == [":two", ":one", ":each"])


def test_a_removed_step_is_undone_and_a_duplicate_has_its_own_id(page: Page, admin: None) -> None:
    automation = builder(page, stop("one"), stop("two"))

    page.locator("[data-card=one] > header summary").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Undo").click()
    wait_until(lambda: order(automation) == [":one", ":two"])
    page.locator("[data-card=two] > header summary").click()
    page.get_by_role("button", name="Duplicate").last.click()

    wait_until(lambda: order(automation) == [":one", ":two", ":two_2"] or None)


def test_two_people_do_not_overwrite_each_other(page: Page, admin: None) -> None:
    automation = builder(page, stop("one"), stop("two"))
    other = page.context.new_page()
    other.goto(page.url)

    other.locator("[data-card=two] > header summary").click()
    other.get_by_role("button", name="Switch off").click()
    expect(other.locator("#au-saved")).to_contain_text("Switched off")
    page.locator("[data-card=one] > header summary").click()
    page.get_by_role("button", name="Remove").click()

    expect(page.get_by_text("Somebody else has changed this automation")).to_be_visible()
    assert order(automation) == [":one", ":two"]
    page.get_by_role("link", name="Load it again").click()
    expect(page.locator("[data-card=two]").get_by_text("Off", exact=True)).to_be_visible()


def test_a_mistake_is_shown_at_its_input_and_keeps_from_publishing(page: Page, admin: None) -> None:
    builder(page, {"id": "mail", "type": "send_email", "config": {"to": ["a@example.com"]}})
    page.locator("[data-card=mail] > header [data-open]").click()
    page.get_by_label("Subject").fill("Hello {{ record.nmae }}")

    expect(page.locator("[data-field=c-subject]")).to_contain_text("did you mean")
    expect(page.locator("[data-field=c-subject] mark")).to_have_text("nmae")
    page.locator("[data-card=mail] > header [data-open]").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Subject").click()
    expect(page.get_by_label("Subject")).to_be_focused()
    page.get_by_label("Subject").fill("Hello {{ record.name }}")
    expect(page.locator("#au-problems")).to_be_hidden()


def test_what_is_written_while_the_cards_are_drawn_anew_is_not_lost(
    page: Page, admin: None
) -> None:
    automation = builder(page, stop("one"))
    page.locator("[data-card=one] > header [data-open]").click()
    message = page.get_by_label("Message")
    message.wait_for()
    page.locator("[data-card=trigger] > header [data-open]").click()
    objects = page.get_by_label("Object")
    objects.wait_for()
    page.evaluate("window.automationBuilder.edit('redraw', {})")
    message.fill("Written meanwhile")

    wait_until(
        lambda: (
            find_step(fresh(automation).draft, "one")[2]["config"].get("message")
            == "Written meanwhile"
        )
    )
    expect(page.locator("#au-saved")).to_contain_text("Saved")
    expect(page.get_by_label("Message")).to_have_value("Written meanwhile")


def fresh(automation: Automation) -> Automation:
    automation.refresh_from_db()
    return automation


def test_a_branch_gets_a_case_with_a_condition_and_a_step(page: Page, admin: None) -> None:
    automation = builder(page)
    page.get_by_role("button", name="Add a step", exact=True).first.click()
    page.get_by_role("button", name="Branch").click()
    page.locator("[data-open-case]").click()
    case = page.locator("[data-case-body]")
    case.get_by_role("button", name="Add a rule").click()
    case.get_by_label("Field", exact=True).select_option(label="Value")
    case.get_by_label("Comparison").select_option(label="is at least")
    case.get_by_role("textbox", name="Value").fill("5")
    expect(page.locator("[data-open-case]")).to_contain_text("If Value is at least 5")
    page.locator("[data-block='branch/0']").get_by_role("button", name="Add a step").click()
    page.get_by_role("button", name="Stop").click()

    wait_until(lambda: order(automation) == [":branch", "branch/0:stop"])
    [arm, _] = automation.draft["steps"][0]["config"]["conditions"]
    assert arm["if"]["rules"] == [{"field": "value", "operator": "greater_or_equal", "value": 5}]
