"""What an expression of a draft comes to just now, with a record that somebody chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from automations.builder.place import Place
from automations.document import TriggerPart
from automations.document.samples import last_outputs
from automations.matching import facts_context
from automations.models import Automation
from automations.names import WEBHOOK_RECEIVED
from automations.samples import MADE_UP, Choice, Sample, TrialSamples
from records.eventtypes import has_record
from records.expressions import (
    ExpressionError,
    Namespace,
    Symbol,
    evaluate,
    names_used,
    names_used_in_expression,
    render_text,
    render_typed,
    render_url,
)
from webhooks.jsontext import write_json
from webhooks.samples import Samples

MAX_SHOWN: Final = 400
# First names whose values are only known in a run, as far as the last run does not tell them.
_OF_RUNS: Final = frozenset({"steps", "vars", "run", "error", "index", "response", "answer"})
_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true/false"),
    ((int, float), "number"),
    (str, "text"),
    (list, "list"),
    (dict, "object"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: "value", "error", or "later" for what only a run knows. An error has its place in the source."""

    state: str
    shown: str = ""
    kind: str = ""
    message: str = ""
    before: str = ""
    at: str = ""
    after: str = ""


def samples_of(place: Place, automation: Automation) -> Samples:
    """The records, events and requests that the automation can be tried with."""
    if place.takes_requests:
        return ReceivedSamples(
            place.user, automation, TriggerPart.model_validate(place.draft["trigger"])
        )
    name = place.event_name
    if place.has_record and not has_record(name):
        name = "record.updated"  # fires by a time or a click, and is about a record all the same
    return Samples(place.user, name, place.definition)


class ReceivedSamples(TrialSamples):
    """Requests that came in; without a choice the newest that there is."""

    def choices(self, query: str = "") -> list[tuple[str, list[Choice]]]:
        """What is made up comes last: it says least."""
        _, *received = super().choices(query)
        return [*received, ("Without data", [Choice(MADE_UP, "An empty request")])]

    def get(self, key: str) -> Sample:
        return super().get(key or self.choices()[0][1][0].key)


def received_in(sample: Sample) -> Mapping[str, Any] | None:
    """What the sample's request brought, as expressions see it; None where it is no request."""
    event = sample.event
    return event.after if event.type == WEBHOOK_RECEIVED and isinstance(event.after, dict) else None


def context_of(
    automation: Automation, place: Place, sample: Sample, event_name: str
) -> dict[str, Any]:
    """The names with their values; outputs of steps are those of the last run that succeeded."""
    names = facts_context(sample.event, event_name)
    names["automation"] = Namespace(
        {"id": automation.pk, "name": automation.name}, label="`automation`"
    )
    outputs = last_outputs(automation)
    if outputs:
        names["steps"] = Namespace(outputs, label="`steps`", noun="step")
    secrets = {name: Symbol(f"‹secret {name}›") for name in place.secrets}
    names["secrets"] = Namespace(secrets, label="`secrets`", noun="secret")
    return names


def outcome_of(source: str, mode: str, names: Mapping[str, Any], inner: frozenset[str]) -> Outcome:
    """`mode`: text, url, or bare for an expression without braces. `inner`: names of the entries of loops."""
    try:
        value = _worked_out(source, mode, names)
    except ExpressionError as error:
        if _asks_a_run(source, mode, inner):
            return Outcome("later", message="Known when it runs.")
        return _failed(source, error)
    return _shown(value)


def _worked_out(source: str, mode: str, names: Mapping[str, Any]) -> Any:
    if mode == "bare":
        return evaluate(source, names)
    if mode == "url":
        return render_url(source, names)
    if mode == "body":
        return render_text(source, names)
    return render_typed(source, names)


def _asks_a_run(source: str, mode: str, inner: frozenset[str]) -> bool:
    try:
        if mode == "bare":
            used = names_used_in_expression(source)
        else:
            used = names_used(source, "url" if mode == "url" else "text")
    except ExpressionError:
        return False
    return any(name.partition(".")[0] in _OF_RUNS | inner for name in used)


def _failed(source: str, error: ExpressionError) -> Outcome:
    lines = source.split("\n")
    line = lines[min(error.line, len(lines)) - 1] if lines else ""
    start = max(0, min(error.column - 1, len(line)))
    end = start
    while end < len(line) and (line[end].isalnum() or line[end] in "_."):
        end += 1
    end = max(end, start + 1)
    return Outcome(
        "error",
        message=error.message,
        before=line[max(0, start - 40) : start],
        at=line[start:end] or " ",
        after=line[end : end + 40],
    )


def _shown(value: Any) -> Outcome:
    if value is None:
        return Outcome("value", "", "empty")
    if isinstance(value, Symbol):
        return Outcome("value", "put in when it is sent", "secret")
    kind = next((words for types, words in _KINDS if isinstance(value, types)), "")
    text = value if isinstance(value, str) else write_json(value)
    if not kind:  # numbers with all their digits; dates, which JSON has as texts
        kind = "date" if text.startswith('"') else "number"
        text = text.strip('"')
    if value == "":
        return Outcome("value", "", "empty text")
    return Outcome("value", text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…", kind)
