"""Publishing, comparing and rolling back, JSON out and in."""

from html import unescape

import pytest
from django.test import Client

from automations.builder.saving import stamp_of
from automations.models import Automation, AutomationState
from automations.services import publish
from tests.automations.builder.at_hand import Post, url_of

pytestmark = pytest.mark.django_db


def test_publishing_is_refused_while_there_are_mistakes(
    admin: Client, edit: Post, automation: Automation
) -> None:
    edit("add", type="send_email", block="", place="0")
    asked = admin.get(f"{url_of(automation)}publishing/").content.decode()
    admin.post(f"{url_of(automation)}publish/", {"stamp": stamp_of(automation.draft)})

    assert "to mend first" in asked
    automation.refresh_from_db()
    assert automation.published is None


def test_publishing_takes_a_note_and_switches_it_on(admin: Client, automation: Automation) -> None:
    values = {"stamp": stamp_of(automation.draft), "note": "First", "state": "active"}
    admin.post(f"{url_of(automation)}publish/", values)

    automation.refresh_from_db()
    assert automation.state == AutomationState.ACTIVE
    assert automation.published is not None
    assert (automation.published.number, automation.published.note) == (1, "First")


def test_only_what_was_seen_is_published(admin: Client, edit: Post, automation: Automation) -> None:
    seen = stamp_of(automation.draft)
    edit("toggle", card="end")

    answer = admin.post(f"{url_of(automation)}publish/", {"stamp": seen}, follow=True)

    assert "nothing was published" in answer.content.decode()
    automation.refresh_from_db()
    assert automation.published is None


def test_versions_are_compared_and_rolled_back(
    admin: Client, edit: Post, automation: Automation
) -> None:
    publish(automation=automation)
    first = automation.draft
    edit("toggle", card="end")
    publish(automation=automation)

    page = admin.get(f"{url_of(automation)}versions/", {"from": "1", "to": "2"}).content.decode()
    admin.post(f"{url_of(automation)}roll-back/", {"number": "1"})

    assert "Switched off" in page
    automation.refresh_from_db()
    assert automation.draft == first
    assert automation.published is not None
    assert automation.published.number == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Line"),
        ("[]", "begins with {"),
        ('{"trigger": {"type": "event"}, "steps": [{"id": "UP", "type": "stop"}]}', "/steps/0"),
        ('{"steps": 5}', "/steps"),
    ],
)
def test_json_with_mistakes_is_refused_with_the_place(
    text: str, words: str, admin: Client, automation: Automation
) -> None:
    before = automation.draft
    values = {"document": text, "stamp": stamp_of(automation.draft)}
    answer = admin.post(f"{url_of(automation)}json/", values)

    assert words in unescape(answer.content.decode())
    automation.refresh_from_db()
    assert automation.draft == before


def test_an_export_is_imported_as_a_new_automation(admin: Client, automation: Automation) -> None:
    exported = admin.get(f"{url_of(automation)}export/")
    answer = admin.post(
        "/admin/automations/automation/add/", {"document": exported.content.decode()}
    )

    assert answer.status_code == 302
    copy = Automation.objects.exclude(pk=automation.pk).get()
    assert copy.draft["steps"] == automation.draft["steps"]
    assert copy.state == AutomationState.DRAFT
