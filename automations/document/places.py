"""What can be named at one place of a document, as menus offer it and as checks ask for it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automations.document.samples import names_in_sample
from automations.steps import Outputs
from records.eventtypes import event_names
from records.expressions.errors import suggest
from records.models import ObjectDefinition
from webhooks.names import SECRETS, Group, Known, Name, Names

ERROR_NAMES: Final = {
    "message": "What went wrong",
    "step": "Id of the step that failed",
    "path": "Where in the run",
    "field": "Which of its fields",
    "kind": "Kind of the error",
}
WEBHOOK_NAMES: Final = {
    "body": "What was sent, read as its content type says",
    "headers": "Its headers, with small letters",
    "query": "The query parameters of the URL",
    "method": "POST, PUT …",
    "raw": "The body as text",
    "content_type": "Its content type",
}
_AUTOMATION_NAMES: Final = {"id": "Id of the automation", "name": "Name of the automation"}
_RUN_NAMES: Final = {
    "id": "Id of the run",
    "mode": "live or test",
    "url": "Address of the run's page",
}
_ONLY_IN_REQUESTS: Final = (
    "secrets can be used in steps that send requests only: elsewhere their values would be stored"
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A step whose output can be seen."""

    id: str
    label: str
    outputs: Outputs | None = None
    sample: Any = None


@dataclass(frozen=True, slots=True)
class Place:
    """What the run adds to the names of the event. None: this is asked before there is a run."""

    steps: Sequence[Earlier] = ()
    variables: Sequence[str] = ()
    items: Sequence[str] = ()
    has_error: bool = False
    has_webhook: bool = False
    # A request that came in, as `webhook` has it: names of its parts are offered with their values.
    received: Mapping[str, Any] | None = None
    has_run: bool = True
    # Names of secrets; None where they can't be used.
    secrets: Collection[str] | None = None
    # The ids of all steps, also of those that can't be seen from here.
    all_steps: frozenset[str] = frozenset()


class PlaceNames(Names):
    """The namespace of one place. `groups()` is for menus; `problem_with` says what is wrong with a path."""

    def __init__(
        self,
        event_name: str,
        definition: ObjectDefinition | None,
        *,
        has_record: bool,
        place: Place,
    ) -> None:
        super().__init__(event_name, definition)
        self.has_record = has_record
        self.definition = definition if has_record else None
        self.place = place

    def known(self, *more: str) -> Known:
        place = self.place
        known = dict(super().known(*more))
        known["automation"] = frozenset(_AUTOMATION_NAMES)
        if place.has_run:
            known["run"] = frozenset(_RUN_NAMES)
            known["vars"] = frozenset(place.variables)
            known["steps"] = frozenset(step.id for step in place.steps)
        if place.items:
            known |= dict.fromkeys((*place.items, "index"))
        if place.has_error:
            known["error"] = frozenset(ERROR_NAMES)
        if place.has_webhook:
            known["webhook"] = frozenset(WEBHOOK_NAMES)
        known.pop(SECRETS, None)
        if place.secrets is not None:
            known[SECRETS] = frozenset(place.secrets)
        return known

    def problem_with(self, path: str, known: Known) -> tuple[str, str] | None:
        root, *steps = path.split(".")
        if root not in known:
            if words := self._why_not_here(root):
                return words, root
        elif root == "steps" and steps:
            return self._problem_with_output(steps)
        elif root == "vars" and steps and steps[0] not in self.place.variables:
            words = f"no step before this one sets the variable `{steps[0]}`"
            return suggest(words, steps[0], self.place.variables)[0], steps[0]
        elif root == "record" and not self.has_record:
            if self.event_name in event_names():
                return super().problem_with(path, known)
            return "what triggers this automation is about no record", root
        return super().problem_with(path, known)

    def groups(self) -> list[Group]:
        """The likeliest first: what is nearest."""
        of_event = super().groups()
        if not self.has_record and self.event_name not in event_names():
            of_event = of_event[1:]  # what has no subject
        place = self.place
        groups = [*self._special_groups(), *of_event[:1]]
        groups += [_group_of(step) for step in reversed(place.steps) if step.outputs != {}]
        if place.variables:
            names = [Name(f"vars.{name}", "Variable") for name in place.variables]
            groups.append(Group("Variables", names))
        groups += of_event[1:-1]
        about = [Name(f"automation.{name}", words) for name, words in _AUTOMATION_NAMES.items()]
        if place.has_run:
            about += [Name(f"run.{name}", words) for name, words in _RUN_NAMES.items()]
        groups.append(Group("This automation", about))
        if place.secrets:
            names = [
                Name(f"{SECRETS}.{name}", "Put in when it is sent")
                for name in sorted(place.secrets)
            ]
            groups.append(Group("Secrets", names))
        return [*groups, of_event[-1]]

    def _special_groups(self) -> Iterator[Group]:
        """What is there at few places only."""
        place = self.place
        if place.items:
            names = [Name(name, "The entry of the list") for name in reversed(place.items)]
            yield Group("In this loop", [*names, Name("index", "Its place, from 0", "number")])
        if place.has_error:
            names = [Name(f"error.{name}", words) for name, words in ERROR_NAMES.items()]
            yield Group("What went wrong", names)
        if place.has_webhook:
            yield Group("The request that came in", _names_of_request(place.received or {}))

    def _why_not_here(self, root: str) -> str:
        """Why a name that exists elsewhere can't be used here; empty when there is no such name."""
        if root == SECRETS:
            return _ONLY_IN_REQUESTS
        if root in ("steps", "vars", "run"):
            return f"there is no `{root}` yet: this is asked before the first step"
        return {
            "webhook": "`webhook` is there with the trigger “Webhook received” only",
            "error": "`error` is there in the steps for failures only",
            "item": "`item` is there inside of a loop only",
            "index": "`index` is there inside of a loop only",
        }.get(root, "")

    def _problem_with_output(self, path: list[str]) -> tuple[str, str] | None:
        """The steps of `steps.lookup.response.id`, as far as outputs are known beforehand."""
        by_id = {step.id: step for step in self.place.steps}
        first, *rest = path
        if first not in by_id:
            if first in self.place.all_steps:
                words = f"the step `{first}` does not come before this one, so it has no output yet"
                return words, first
            return suggest(f"there is no step `{first}` before this one", first, by_id)[0], first
        outputs: Any = by_id[first].outputs
        if outputs == {}:
            return f"the step `{first}` gives nothing to later steps", first
        where = f"steps.{first}"
        for name in rest:
            if not isinstance(outputs, Mapping):
                return None
            if name not in outputs:
                return suggest(f"`{where}` has no `{name}`", name, outputs)[0], name
            outputs, where = outputs[name], f"{where}.{name}"
        return None


def _names_of_request(received: Mapping[str, Any]) -> list[Name]:
    """Its parts as a sample has them, its body and query value by value; then all that every request has."""
    parts = [
        name
        for part in ("body", "query")
        if received.get(part)
        for name in names_in_sample(f"webhook.{part}", received[part])
    ]
    headers = received.get("headers")
    return [
        *parts,
        *(Name(f"webhook.{name}", words) for name, words in WEBHOOK_NAMES.items()),
        *(names_in_sample("webhook.headers", headers) if headers else ()),
    ]


def _group_of(step: Earlier) -> Group:
    """What the step gave in the last run; what it says that it gives, if there was none."""
    root = f"steps.{step.id}"
    if step.sample is not None:
        return Group(f"Step: {step.label}", list(names_in_sample(root, step.sample)))
    return Group(f"Step: {step.label}", list(_declared_names(root, step.outputs)))


def _declared_names(root: str, outputs: Outputs | None) -> Iterator[Name]:
    if outputs is None:
        yield Name(root, "What the step gives")
        return
    for name, inner in outputs.items():
        if isinstance(inner, Mapping):
            yield from _declared_names(f"{root}.{name}", inner)
        else:
            yield Name(f"{root}.{name}", inner or name.replace("_", " ").capitalize())
