"""Where a run is: a list of frames, outermost first, as JSON in `Run.cursor`. Pure.

    {"block": "", "index": 1}                          the second step of the outermost block
    {"block": "s3/0", "index": 0}                      the first step of the first arm of the branch s3
    {"block": "s5", "index": 0, "items": [...], "n": 2, "as": "item", "results": [...]}
                                                       the loop s5, at its third item

A frame may hold what the step at its place has come to: `attempt` (from 1), `waiting`, the id of the StepRun
that waits, and `config`, what a person has changed for this one retry.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Frame = dict[str, Any]


def start(block: str = "") -> list[Frame]:
    return [{"block": block, "index": 0}]


def enter(block: str, items: Sequence[Any] | None = None, as_name: str = "item") -> Frame:
    frame: Frame = {"block": block, "index": 0}
    if items is not None:
        frame |= {"items": list(items), "n": 0, "as": as_name, "results": []}
    return frame


def path_of(cursor: Sequence[Mapping[str, Any]], step_ids: Sequence[str]) -> str:
    """ "s5[2]/s6": `step_ids` names the step at each frame's place."""
    parts = []
    for place, step_id in enumerate(step_ids):
        inner = cursor[place + 1] if place + 1 < len(cursor) else None
        number = f"[{inner['n']}]" if inner is not None and inner.get("items") is not None else ""
        parts.append(f"{step_id}{number}")
    return "/".join(parts)


def step_over(frame: Frame) -> None:
    """The next step of the same block."""
    frame["index"] += 1
    frame.pop("attempt", None)
    frame.pop("waiting", None)
    frame.pop("config", None)
