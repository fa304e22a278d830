"""Panels on a record's page that other apps bring along, without records knowing of them.

    @records.panels.register
    def deliveries(request: HttpRequest, record: Record) -> Panel | None:
        return Panel("webhooks/_deliveries.html", {"jobs": …}, title="Deliveries", icon="send")

A panel is asked for with each page: it makes few queries, and answers None where it has nothing to say or the user
may not see it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from records.models import Record

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Panel:
    """A card on the page. Its template finds `context` under the name `panel`, beside `record` and `object`."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    icon: str = "widgets"


PanelMaker = Callable[[HttpRequest, Record], Panel | None]

_makers: list[PanelMaker] = []


def register(maker: PanelMaker) -> PanelMaker:
    """Add a panel to every record's page, after those that are there. Usable as a decorator."""
    if maker not in _makers:
        _makers.append(maker)
    return maker


def panels_for(request: HttpRequest, record: Record) -> list[Panel]:
    """The panels of one record. One that fails is logged and left out: the record can still be seen."""
    panels = []
    for maker in _makers:
        try:
            panel = maker(request, record)
        except Exception:  # whatever goes wrong in one panel must not hide the record
            logger.exception("The panel %s.%s failed", maker.__module__, maker.__name__)
            continue
        if panel is not None:
            panels.append(panel)
    return panels
