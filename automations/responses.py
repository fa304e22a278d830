"""What came back from a request: read as text or JSON, parts of it taken by JSON Pointer, and stored in the record."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonpointer

from automations.changes import changes_between, snapshot_of
from automations.jsonvalues import MAX_BYTES, kept, plain
from automations.request_config import Pick, Store, WebhookConfig
from automations.steps import Scene, StepFailed, failed_expression
from automations.targets import locked_record, refusals
from records.expressions import ExpressionError, render_typed
from records.services import update_record
from webhooks.models import RequestLog


@dataclass(frozen=True, slots=True)
class Reading:
    """`response`: what later steps see. `document`: all of it. `note`: what people should know of it."""

    response: Any
    document: Any
    note: str = ""


def read_answer(config: WebhookConfig, log: RequestLog) -> Reading:
    """The answer of an attempt. Raises StepFailed when it is not as the step expects it."""
    if log.bodies_removed:
        raise _unreadable("The answer is not kept any more, so nothing can be read from it.")
    if log.response_truncated:
        return _beginning_of(config, log.response_body)
    return read_body(config, log.response_body)


def read_body(config: WebhookConfig, body: str, *, is_sample: bool = False) -> Reading:
    """`is_sample`: what the sample does not have is empty. Raises StepFailed."""
    if config.response == "text":
        return Reading(plain(body), body)
    try:
        document = _parse(body)
    except ValueError:
        if not config.response_schema:
            return Reading(plain(body), body, "The answer is no JSON; it is taken as text.")
        begins = f"; it begins: {body[:100]}" if body.strip() else "; it is empty"
        words = f"The answer is no JSON, so nothing can be taken from it{begins}"
        raise _unreadable(words) from None
    if config.response_schema:
        picked = {
            pick.name: _picked(pick, document, is_sample=is_sample)
            for pick in config.response_schema
        }
        return Reading(picked, document)
    response = kept(document)
    is_cut = (
        isinstance(response, dict) and response.get("too_large") is True and response != document
    )
    note = (
        f"The answer is larger than {MAX_BYTES // 1024} KiB, so later steps do not see it. "
        "Say which values of it to take."
        if is_cut
        else ""
    )
    return Reading(response, document, note)


def store_answer(
    config: WebhookConfig, scene: Scene, reading: Reading, output: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Put parts of the answer into fields of the run's record. What changed. Raises StepFailed."""
    if not config.store:
        return []
    record = locked_record(scene)
    response = reading.response if config.response_schema else reading.document
    names = {**scene.names, "response": response, "answer": output}
    values = {row.field: _value_for(row, response, names) for row in config.store}
    before = snapshot_of(record)
    with refusals("store", {row.field: row.value for row in config.store}):
        update_record(record=record, data=values)
    scene.forget_record()
    return changes_between(before, record)


def _value_for(row: Store, response: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(response, Mapping) and row.value in response:
        return plain(response[row.value])
    try:
        return plain(render_typed(row.value, names))
    except ExpressionError as error:
        raise failed_expression(f"store/{row.field}", row.value, error) from None


def _beginning_of(config: WebhookConfig, body: str) -> Reading:
    if config.response == "text":
        note = f"The answer was larger than what is kept; these are its first {len(body):,} characters."
        return Reading(plain(body), body, note)
    raise _unreadable(
        f"The answer is larger than what is kept of one ({len(body):,} characters), so it can't be read as JSON. "
        "Ask the receiver for less, or read the answer as text."
    )


def _parse(body: str) -> Any:
    """Raises ValueError for what is no JSON (RFC 8259), NaN and Infinity among it."""
    if not body.strip():
        return None
    try:
        return json.loads(body, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _picked(pick: Pick, document: Any, *, is_sample: bool) -> Any:
    try:
        found = jsonpointer.resolve_pointer(document, pick.pointer)
    except (jsonpointer.JsonPointerException, TypeError):
        found = _NOTHING
    if found is not _NOTHING and not isinstance(found, jsonpointer.EndOfList):
        return plain(found)
    if is_sample:
        return None
    raise StepFailed(
        f"The answer has nothing at {pick.pointer}, which “{pick.name}” is taken from.",
        field=f"response_schema/{pick.name}",
        kind="response",
    )


def _unreadable(words: str) -> StepFailed:
    return StepFailed(words, field="response", kind="response")


_NOTHING = object()
