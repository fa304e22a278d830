"""What the steps of an automation gave when it last ran well, as names to choose from."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from automations.models import Automation, Run, RunStatus
from records.expressions.errors import shorten
from webhooks.names import Name

# More names of one step than this are no menu any more.
MAX_NAMES: Final = 40
MAX_DEPTH: Final = 4
# How the labels begin of names that a sample has.
LAST_TIME: Final = "Last time: "
_is_identifier = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_KINDS: Final = {bool: "true/false", int: "number", float: "number", str: "text", list: "list"}


def last_outputs(automation: Automation) -> Mapping[str, Any]:
    """By step id, what later steps saw in the last run that succeeded. One query."""
    variables = (
        Run.objects.filter(automation=automation, status=RunStatus.SUCCEEDED)
        .order_by("-id")
        .values_list("variables", flat=True)
        .first()
    )
    outputs = (variables or {}).get("steps")
    return outputs if isinstance(outputs, Mapping) else {}


def names_in_sample(root: str, sample: Any) -> list[Name]:
    """The paths into a value, each with what was there."""
    names: list[Name] = []
    for name in _walk(root, sample, MAX_DEPTH):
        names.append(name)
        if len(names) == MAX_NAMES:
            break
    return names


def _walk(path: str, value: Any, depth: int) -> Iterator[Name]:
    if isinstance(value, Mapping) and value and depth:
        for key, inner in value.items():
            step = f".{key}" if _is_identifier(key) else f"[{json.dumps(key, ensure_ascii=False)}]"
            yield from _walk(path + step, inner, depth - 1)
        return
    yield Name(path, f"{LAST_TIME}{_shown(value)}", _KINDS.get(type(value), ""))
    if isinstance(value, list) and value and depth:
        yield from _walk(f"{path}[0]", value[0], depth - 1)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "empty"
    if isinstance(value, str):
        return shorten(value)
    return shorten(json.dumps(value, ensure_ascii=False))
