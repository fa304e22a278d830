"""What was changed in a step for one retry, as the page of that run tells it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automations.admin.run_values import ChangeRow, header_text
from automations.builder.fields import fields_of
from automations.document.cards import cards_of
from automations.models import Run
from automations.steps import ACTIONS

_MAX_TEXT: Final = 2_000


@dataclass(frozen=True, slots=True)
class EditView:
    """`path`: the place of the step; `by`: who changed it, empty where nobody knows."""

    path: str
    by: str
    rows: Sequence[ChangeRow]


def edit_view(run: Run) -> EditView | None:
    """None where nothing was changed."""
    if not run.edited:
        return None
    labels = _labels(run)
    rows = [
        ChangeRow(
            labels.get(change["field"], change["field"]),
            _text(change["field"], change["before"]),
            _text(change["field"], change["after"]),
        )
        for change in run.edited["changes"]
    ]
    return EditView(run.edited["path"], run.edited["by"], rows)


def _labels(run: Run) -> Mapping[str, str]:
    """What the fields are called in the form of that kind of step."""
    step_id = (run.edited or {}).get("step")
    card = next((each for each in cards_of(run.version.document) if each.id == step_id), None)
    action = ACTIONS.get(card.type) if card else None
    return {each.key: each.label for each in fields_of(action.Config)} if action else {}


def _text(field: str, value: Any) -> str:
    """Rows one in a line. Of what stands in headers no more than the run's page shows elsewhere."""
    if value in (None, "", [], {}):
        return ""
    rows = _rows(value)
    if rows is not None:
        text = "\n".join(f"{name}: {_cell(field, name, each)}" for name, each in rows)
    else:
        text = _plain(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def _rows(value: Any) -> Sequence[tuple[str, Any]] | None:
    if isinstance(value, Mapping):
        return [(str(name), each) for name, each in value.items()]
    if isinstance(value, list) and all(
        isinstance(row, Mapping) and {"name", "value"} <= row.keys() for row in value
    ):
        return [(str(row["name"]), row["value"]) for row in value]
    return None


def _cell(field: str, name: str, value: Any) -> str:
    return _plain(header_text(name, value) if field == "headers" else value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
