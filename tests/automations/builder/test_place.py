"""What the forms know of the place that they stand at."""

from typing import Any

import pytest
from django.test import Client

from automations.builder.place import Place
from automations.services import create_automation
from records.models import User
from tests.automations.making import make_leads, step

pytestmark = pytest.mark.django_db

TRIGGERS: list[tuple[str, dict[str, Any], bool]] = [
    ("event", {"event": "record.created", "object": "leads"}, True),
    ("event", {"event": "record.created"}, True),
    ("event", {"event": "comment.created"}, True),
    ("event", {"event": "user.created"}, False),
    ("event", {"event": "user.created", "object": "leads"}, False),
    ("event", {"event": "run.failed"}, False),
    ("event", {}, True),
    ("field_changed", {"object": "leads", "fields": ["status"]}, True),
    ("manual", {"object": "leads"}, True),
    ("manual", {}, False),
    ("schedule", {"cron": "0 9 * * *"}, False),
    ("webhook", {}, False),
    ("of another time", {}, True),
]


@pytest.mark.parametrize(("kind", "config", "expected"), TRIGGERS)
def test_names_of_a_record_are_offered_where_there_is_one(
    kind: str, config: dict[str, Any], expected: bool, client: Client
) -> None:
    make_leads()
    user = User.objects.create_superuser("admin")
    client.force_login(user)
    draft = {"trigger": {"type": kind, "config": config}, "steps": [step("stop", "end")]}
    automation = create_automation(name="Any", draft=draft)

    assert Place(automation.draft, user).has_record is expected

    url = f"/admin/automations/automation/{automation.pk}/names/?card=end"
    found = client.get(url).json()
    offered = [each["path"] for group in found["groups"] for each in group["names"]]
    rules = [each["path"] for group in found["fields"] for each in group["fields"]]
    assert any(path.startswith("record.") for path in offered) is expected
    assert expected or not any(path.startswith(("record.", "previous.")) for path in rules)
    assert expected or "status" not in rules
