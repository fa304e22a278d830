"""Where the mistakes of a draft are on the page: card, input and row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from automations.document.cards import CONDITIONS, cards_of
from automations.document.checking import Mistake, check_document


@dataclass(frozen=True, slots=True)
class Marked:
    """`card` is "trigger", "conditions", "settings" or a step's id; `field` the name of an input, `row` its row.

    A warning does not keep anybody from publishing.
    """

    card: str
    field: str
    row: int | None
    path: str
    message: str
    is_warning: bool = False


def mistakes_of(draft: Mapping[str, Any], *, with_warnings: bool = False) -> list[Marked]:
    steps = {card.name: card.path for card in cards_of(draft)}
    found = check_document(draft, for_publishing=not with_warnings)
    marked = [_marked(mistake, steps) for mistake in found]
    # Two steps with one id share the card that is found by it: what is wrong with both is told there once.
    told = {(each.card, each.field, each.row, each.message): each for each in reversed(marked)}
    return list(reversed(told.values()))


def as_json(mistakes: list[Marked]) -> list[dict[str, Any]]:
    return [asdict(mistake) for mistake in mistakes]


def _marked(mistake: Mistake, steps: Mapping[str, str]) -> Marked:
    """/config/headers/1/value → the input c-headers, row 1; what is not in a config has its own name."""
    card, path = mistake.card, mistake.path
    if card == CONDITIONS:
        return Marked(card, "c-conditions", None, path, mistake.message, mistake.is_warning)
    base = steps.get(card, f"/{card}")
    parts = path.removeprefix(base).strip("/").split("/")
    is_config = parts[0] == "config" and len(parts) > 1
    field = f"c-{parts[1]}" if is_config else parts[-1]
    rest = parts[2:] if is_config else []
    row = int(rest[0]) if rest and rest[0].isdecimal() else None
    return Marked(card, field, row, path, mistake.message, mistake.is_warning)
