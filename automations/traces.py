"""What a run did, in the order and nesting of its document: steps with their attempts, arms that were taken and those
that were not, the items of loops. Plain data for the run's page.

What was executed is told by rows, by their paths ("b/l[0]/w"); everything else by the document of the run's version.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from automations.document import Document, Step, child_blocks
from automations.findings import finding_of
from automations.models import OPEN_STATUSES, Run, StepRun, StepStatus
from automations.steps import ACTIONS
from automations.tracenodes import (
    EARLIER,
    LOOKS,
    NOT_REACHED,
    NOT_TAKEN,
    OFF,
    TO_COME,
    Attempt,
    Block,
    Folded,
    Node,
    Trace,
    duration_of,
)

# A loop shows so many items; the others are folded.
SHOWN_ITEMS: Final = 5
# Failed and waiting ones are shown beyond that, but no more than so many.
_MORE_ITEMS: Final = 5
_MAX_ITEM_TEXT: Final = 80
_ITEM: Final = re.compile(r"\[(\d+)\]")
_INNER: Final = re.compile(r"[/\[]")


def trace_of(
    run: Run,
    document: Document,
    rows: Sequence[StepRun],
    *,
    shown_items: int = SHOWN_ITEMS,
    labels: Mapping[str, str] | None = None,
) -> Trace:
    """`rows` in the order in which they were written. Of branches and loops their output and input are looked at.
    `labels` are those of the record's fields."""
    teller = _Teller(run, rows, shown_items, labels or {})
    later = TO_COME if run.status in OPEN_STATUSES and run.error is None else NOT_REACHED
    nodes = teller.nodes(document.steps, "", later)
    fallback_steps = document.settings.on_failure.steps
    later = TO_COME if run.status in OPEN_STATUSES else NOT_REACHED
    fallback = teller.nodes(fallback_steps, "", later) if run.error else []
    off = {step.id for step in _all_steps([*document.steps, *fallback_steps]) if step.disabled}
    trace = Trace(nodes, fallback, teller.stray(off))
    _share_out(trace)
    return trace


class _Teller:
    def __init__(
        self, run: Run, rows: Sequence[StepRun], shown_items: int, labels: Mapping[str, str]
    ) -> None:
        self.run = run
        self.labels = labels
        self.shown_items = shown_items
        self.failing_path = (run.error or {}).get("path", "")
        self.rows: dict[str, list[StepRun]] = defaultdict(list)
        # loop's path → item → whether one of its steps failed; and those where the run is.
        self.items: dict[str, dict[int, bool]] = defaultdict(dict)
        self.current: dict[str, set[int]] = defaultdict(set)
        self.told: set[str] = set()
        # Paths with a row of their own or inside: a retry may begin within a branch or a loop.
        self.reached: set[str] = set()
        for row in rows:
            self.reached |= {
                row.path,
                *(row.path[: each.start()] for each in _INNER.finditer(row.path)),
            }
            self.rows[row.path].append(row)
            self._note_items(row)

    def _note_items(self, row: StepRun) -> None:
        has_failed = row.status == StepStatus.FAILED
        for match in _ITEM.finditer(row.path):
            loop, number = row.path[: match.start()], int(match[1])
            self.items[loop][number] = self.items[loop].get(number, False) or has_failed
            if row.status == StepStatus.WAITING:
                self.current[loop].add(number)

    def nodes(self, steps: Sequence[Step], prefix: str, later: str) -> list[Node]:
        """The steps of one block; `later` is what those are that have no row."""
        reached = [number for number, step in enumerate(steps) if prefix + step.id in self.reached]
        first = reached[0] if reached and self.run.retry_of_id else 0
        return [
            self._node(step, prefix, EARLIER if number < first else later)
            for number, step in enumerate(steps)
        ]

    def _node(self, step: Step, prefix: str, later: str) -> Node:
        path = prefix + step.id
        rows = self.rows.get(path, ())
        self.told.add(path)
        name, kind, icon = _words_for(step)
        is_within = path in self.reached and not rows
        state = EARLIER if is_within else later
        node = Node(path, step.id, name, kind, icon, OFF if step.disabled else state)
        if rows:
            self._add_attempts(node, rows)
        if step.type == "for_each":
            self._add_items(node, step, later)
        elif step.type == "branch":
            self._add_arms(node, step, later)
        return node

    def _add_attempts(self, node: Node, rows: Sequence[StepRun]) -> None:
        for row in rows:
            node.attempts.append(Attempt(row, duration_of(row), LOOKS[row.status]))
        node.state = rows[-1].status
        node.is_failing = bool(self.failing_path) and node.path == self.failing_path
        if node.is_failing and node.state == StepStatus.ENDED:
            node.state = StepStatus.FAILED

    def _add_arms(self, node: Node, step: Step, later: str) -> None:
        output = _mapping(node.latest.row.output) if node.latest else {}
        asked = {each.get("name"): each.get("conditions") for each in output.get("asked", ())}
        taken = output.get("arm")
        for place, (_, steps) in enumerate(child_blocks(step)):
            name = _arm_name(step, place)
            is_taken = node.latest is not None and taken == place
            is_taken = is_taken or any(f"{node.path}/{each.id}" in self.reached for each in steps)
            state = later if node.path not in self.reached or is_taken else NOT_TAKEN
            inner = self.nodes(steps, f"{node.path}/", state)
            block_state = StepStatus.SUCCEEDED if is_taken else state
            node.blocks.append(
                Block(name, inner, block_state, finding_of(asked.get(name), self.labels))
            )

    def _add_items(self, node: Node, step: Step, later: str) -> None:
        steps = child_blocks(step)[0][1]
        items = self.items.get(node.path, {})
        if not items:
            if node.latest is None and steps:
                inner = self.nodes(steps, f"{node.path}/", node.state)
                node.blocks.append(Block("Each item", inner, node.state))
            return
        texts = _mapping(node.latest.row.input).get("list", ()) if node.latest else ()
        shown = self._shown_of(node.path)
        for number in shown:
            is_last = number == max(items)
            inner = self.nodes(
                steps, f"{node.path}[{number}]/", later if is_last and later == TO_COME else NOT_REACHED
            )  # fmt: skip
            is_over = number not in self.current[node.path] and not (is_last and later == TO_COME)
            state = StepStatus.FAILED if items[number] else StepStatus.SUCCEEDED if is_over else ""
            text = item_text(texts[number]) if number < len(texts) else ""
            node.blocks.append(Block(f"Item {number + 1}", inner, state, item=text, number=number))
        node.folded = _folded({each: items[each] for each in sorted(items.keys() - set(shown))})
        for path in self.rows:
            if path.startswith(f"{node.path}["):
                self.told.add(path)

    def _shown_of(self, loop: str) -> list[int]:
        """The first items, and some of those that failed or wait."""
        items = self.items[loop]
        numbers = sorted(items)
        notable = [number for number in numbers if items[number] or number in self.current[loop]]
        return sorted({*numbers[: self.shown_items], *notable[:_MORE_ITEMS], *notable[-1:]})

    def stray(self, off: set[str]) -> list[Node]:
        """What has a row and no place; but for what is switched off, which the document tells."""
        nodes = []
        for path, rows in self.rows.items():
            if path in self.told or (
                rows[0].status == StepStatus.SKIPPED and rows[0].step_id in off
            ):
                continue
            action = ACTIONS.get(rows[0].type)
            kind = action.label if action else rows[0].type
            node = Node(path, rows[0].step_id, rows[0].step_id, kind, _icon(rows[0].type), "")
            self._add_attempts(node, rows)
            nodes.append(node)
        return nodes


def _share_out(trace: Trace) -> None:
    """How long each attempt took beside the longest of all."""
    attempts = [attempt for node in trace.all_nodes() for attempt in node.attempts]
    longest = max((attempt.duration_ms or 0 for attempt in attempts), default=0)
    for attempt in attempts:
        attempt.share = round(100 * (attempt.duration_ms or 0) / longest) if longest else 0


def _words_for(step: Step) -> tuple[str, str, str]:
    """The step's name, its kind and its icon."""
    action = ACTIONS.get(step.type)
    if action is None:
        return step.name or step.id, f"{step.type} (not installed)", "extension_off"
    try:
        line = action.describe(action.Config.model_validate(step.config))
    except (
        ValidationError,
        LookupError,
        TypeError,
        ValueError,
    ):  # of an earlier form of the action
        line = action.label
    return step.name or line, action.label, action.icon


def _icon(kind: str) -> str:
    action = ACTIONS.get(kind)
    return action.icon if action else "extension_off"


def _arm_name(step: Step, place: int) -> str:
    """As the branch itself names it."""
    arm = step.config["conditions"][place]
    return arm.get("name") or ("Otherwise" if arm.get("else") is not None else f"Case {place + 1}")


def _folded(failed: Mapping[int, bool]) -> list[Folded]:
    """Neighbours that came to the same are one."""
    found: list[Folded] = []
    for number, has_failed in failed.items():
        before = found[-1] if found else None
        if before and before.last == number - 1 and before.has_failed == has_failed:
            found[-1] = Folded(before.number, number, has_failed)
        else:
            found.append(Folded(number, number, has_failed))
    return found


def item_text(value: Any) -> str:
    """What tells an item from the others."""
    if isinstance(value, Mapping):
        for name in ("name", "title", "label", "id", "key"):
            if isinstance(value.get(name), str | int):
                return str(value[name])[:_MAX_ITEM_TEXT]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_ITEM_TEXT else text[: _MAX_ITEM_TEXT - 1] + "…"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _all_steps(steps: Sequence[Step]) -> Iterable[Step]:
    for step in steps:
        yield step
        for _, inner in child_blocks(step):
            yield from _all_steps(inner)
