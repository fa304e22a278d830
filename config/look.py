"""The admin's look: names, colours, sidebar."""

from typing import Any

UNFOLD: dict[str, Any] = {"SITE_TITLE": "Signalbox", "SITE_HEADER": "Signalbox"}
