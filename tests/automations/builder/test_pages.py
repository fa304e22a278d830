"""The builder's pages: what they show, who may change what, and how edits of two people meet."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from automations.builder.saving import stamp_of
from automations.document.checking import check_document
from automations.models import Automation, AutomationState
from automations.services import create_automation, publish
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from records.models import User
from tests.automations.making import make_lead, make_leads, step

pytestmark = pytest.mark.django_db

ON_LEADS = {"type": "event", "config": {"event": "record.created", "object": "leads"}}
Post = Callable[..., Any]


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


def url_of(automation: Automation) -> str:
    return f"/admin/automations/automation/{automation.pk}/"


def state_of(html: str) -> dict[str, Any]:
    found = re.search(r'id="au-state" hidden data-json="([^"]*)"', html)
    assert found
    from html import unescape

    return json.loads(unescape(found[1]))


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_every_kind_of_step_has_a_form_and_keeps_what_it_says(
    kind: str, edit: Post, admin: Client, automation: Automation
) -> None:
    added = edit("add", type=kind, block="", place="0")
    assert added.status_code == 200
    step_id = automation.draft["steps"][0]["id"]

    form = admin.get(f"{url_of(automation)}card/", {"card": step_id})

    assert form.status_code == 200
    html = form.content.decode()
    assert "<form" in html
    before = automation.draft
    sent = {name: value for name, value in inputs_in(html) if name != "stamp"}
    assert edit("step", **sent).status_code == 200
    assert check_document(automation.draft) == check_document(before)


@pytest.mark.parametrize("kind", sorted(TRIGGERS))
def test_every_kind_of_trigger_has_a_form(kind: str, edit: Post, automation: Automation) -> None:
    response = edit("trigger-type", type=kind, open="trigger")

    assert response.status_code == 200
    assert automation.draft["trigger"]["type"] == kind
    sent = dict(inputs_in(response.content.decode().partition('data-card="conditions"')[0]))
    assert edit("trigger", **sent).status_code == 200
    assert automation.draft["trigger"]["type"] == kind


def inputs_in(html: str) -> list[tuple[str, Any]]:
    """What a browser would send of a form that nobody has touched."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, list[str]] = {}
            self.open: str | None = None
            self.select: str | None = None
            self.templates = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            self.templates += tag == "template"
            if self.templates:
                return
            name = values.get("name")
            if tag == "input" and name:
                is_box = values.get("type") in ("checkbox", "radio")
                if not is_box or "checked" in values:
                    self.found.setdefault(name, []).append(values.get("value") or "on" * is_box)
            elif tag == "textarea" and name:
                self.open = name
                self.found.setdefault(name, []).append("")
            elif tag == "select" and name:
                self.select = name
            elif tag == "option" and self.select:
                chosen = self.found.setdefault(self.select, [])
                if not chosen:
                    chosen.append(values.get("value") or "")
                elif "selected" in values:
                    chosen[-1] = values.get("value") or ""

        def handle_endtag(self, tag: str) -> None:
            self.templates -= tag == "template"
            if tag == "textarea":
                self.open = None
            elif tag == "select":
                self.select = None

        def handle_data(self, data: str) -> None:
            if self.open and not self.templates:
                self.found[self.open][-1] += data

    reader = Reader()
    reader.feed(html)
    return [(name, values if len(values) > 1 else values[0]) for name, values in reader.found.items()]
