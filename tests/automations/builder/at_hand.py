"""What tests of the builder send and read."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from automations.models import Automation

ON_LEADS = {"type": "event", "config": {"event": "record.created", "object": "leads"}}


Post = Callable[..., Any]


def url_of(automation: Automation) -> str:
    return f"/admin/automations/automation/{automation.pk}/"


def state_of(html: str) -> dict[str, Any]:
    found = re.search(r'id="au-state" hidden data-json="([^"]*)"', html)
    assert found
    state: dict[str, Any] = json.loads(unescape(found[1]))
    return state
