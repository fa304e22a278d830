"""Which automations send which mail templates, published or in their drafts."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from automations.document.cards import cards_of
from automations.models import Automation


def all_uses() -> dict[str, list[Automation]]:
    """By the template's id, whether it exists or not; automations in the order of their names."""
    found: dict[str, list[Automation]] = defaultdict(list)
    for automation in Automation.objects.select_related("published").order_by("name"):
        published = automation.published.document if automation.published else None
        for template_id in {*_templates_in(automation.draft), *_templates_in(published)}:
            found[template_id].append(automation)
    return found


def uses_of(template_id: str) -> list[Automation]:
    return all_uses().get(template_id, [])


def _templates_in(document: Any) -> Iterator[str]:
    for card in cards_of(document):
        template_id = card.config.get("template_id") if card.type == "send_email" else None
        if isinstance(template_id, str) and template_id:
            yield template_id
