"""The names that expressions can use at each place of a document: for the builder's menu, and to find unknown ones."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from automations.actions.webhook import Sending
from automations.conditions import ROOTS
from automations.document.cards import CONDITIONS, TRIGGER, Card, cards_of
from automations.document.installation import Installation
from automations.document.samples import last_outputs, names_in_sample
from automations.models import Automation
from automations.names import RUN_ROOTS, WEBHOOK_RECEIVED
from automations.steps import ACTIONS, Action, Outputs
from automations.triggers import TRIGGERS
from records.eventtypes import event_names, has_record
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
# While the trigger has mistakes, all that a record may have is let pass.
_ANY_EVENT: Final = "record.updated"


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
            names = [Name(f"webhook.{name}", words) for name, words in WEBHOOK_NAMES.items()]
            yield Group("The request that came in", names)

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


class Layout:
    """A document read for its names: what comes before what. Mistakes in it are passed over."""

    def __init__(
        self,
        document: Any,
        *,
        automation: Automation | None = None,
        installation: Installation | None = None,
    ) -> None:
        """With `automation` the outputs of its last run are shown in menus."""
        if isinstance(document, BaseModel):
            document = document.model_dump(mode="json", by_alias=True)
        self.document = document if isinstance(document, Mapping) else {}
        self.automation = automation
        self.installation = installation or Installation()
        self.cards = cards_of(self.document)

    def names(self, place: str) -> PlaceNames:
        """`place`: "trigger", "conditions", "settings", the id of a step, or a JSON Pointer into any of them."""
        card = self._card_at(place)
        if card is not None:
            return self.names_of(card)
        is_before_all = place.strip("/").partition("/")[0] in (TRIGGER, CONDITIONS)
        if is_before_all:
            return self._names(Place(has_run=False, has_webhook=self._has_webhook))
        steps = [card for card in self.cards if not card.is_fallback]
        return self._names(self._place(steps, None))

    def names_of(self, card: Card) -> PlaceNames:
        return self._names(self._place(self._before(card), card))

    @property
    def definition(self) -> ObjectDefinition | None:
        """The object whose records the document is about, if it names one that exists."""
        return self._occasion[1]

    @cached_property
    def roots(self) -> frozenset[str]:
        """The first names in conditions that are not fields of the record."""
        return frozenset({*ROOTS, *RUN_ROOTS, *map(_item_name, self._loops)})

    @cached_property
    def _loops(self) -> list[Card]:
        return [card for card in self.cards if card.type == "for_each"]

    @cached_property
    def _by_path(self) -> dict[str, Card]:
        return {card.path: card for card in self.cards}

    @cached_property
    def _samples(self) -> Mapping[str, Any]:
        return last_outputs(self.automation) if self.automation else {}

    @cached_property
    def _occasion(self) -> tuple[str, ObjectDefinition | None, bool]:
        """Event name, object and whether there is a record, as the trigger says."""
        part = self.document.get(TRIGGER)
        part = part if isinstance(part, Mapping) else {}
        trigger = TRIGGERS.get(part["type"]) if isinstance(part.get("type"), str) else None
        config = validated(trigger, part.get("config") or {})
        if trigger is None or config is None:
            return _ANY_EVENT, None, True
        names = sorted(trigger.event_names(config))
        slug = trigger.object_slug(config)
        definition = self.installation.objects.get(slug)
        name = names[0] if names else ""
        is_about_one = has_record(name) or bool(slug)
        return name, definition, trigger.has_record and is_about_one

    @cached_property
    def _has_webhook(self) -> bool:
        return self._occasion[0] == WEBHOOK_RECEIVED

    def _names(self, place: Place) -> PlaceNames:
        event_name, definition, has_record = self._occasion
        return PlaceNames(event_name, definition, has_record=has_record, place=place)

    def _card_at(self, place: str) -> Card | None:
        if not place.startswith("/"):
            return next((card for card in self.cards if card.id == place), None)
        around = [card for card in self.cards if f"{place}/".startswith(f"{card.path}/")]
        return max(around, key=lambda card: len(card.path), default=None)

    def _before(self, card: Card) -> list[Card]:
        """The steps that may have run when this one does: not those around it, nor those of other arms."""
        around = {block.step_path: block.arm for block in card.blocks}
        before = []
        for other in self.cards:
            if other.path == card.path:
                break
            is_elsewhere = any(
                around.get(block.step_path, block.arm) != block.arm for block in other.blocks
            )
            if other.path not in around and not is_elsewhere:
                before.append(other)
        return before

    def _place(self, before: list[Card], card: Card | None) -> Place:
        action = ACTIONS.get(card.type) if card else None
        running = [other for other in before if other.values.get("disabled") is not True]
        loops = [self._by_path[block.step_path] for block in card.blocks] if card else []
        return Place(
            steps=[self._earlier(other) for other in running if other.id],
            variables=_variables_of(running),
            items=[_item_name(loop) for loop in loops if loop.type == "for_each"],
            has_error=card is None or card.is_fallback,
            has_webhook=self._has_webhook,
            secrets=self.installation.text_secrets if isinstance(action, Sending) else None,
            all_steps=frozenset(other.id for other in self.cards),
        )

    def _earlier(self, card: Card) -> Earlier:
        sample = self._samples.get(card.id)
        name = card.values.get("name")
        label = name if isinstance(name, str) and name else card.id
        return Earlier(card.id, label, self._outputs[card.path], sample)

    @cached_property
    def _outputs(self) -> dict[str, Outputs | None]:
        return {card.path: _declared_outputs(card) for card in self.cards}


def names_at(document: Any, place: str, *, automation: Automation | None = None) -> PlaceNames:
    """What expressions can use at a place: "conditions", a step's id, or a JSON Pointer such as /steps/0/config/url.

    With `automation` what later steps see of earlier ones is shown as its last succeeded run had it.
    `webhooks.names.menu_of` makes JSON of it.
    """
    return Layout(document, automation=automation).names(place)


def validated(kind: Any, config: Any) -> Any:
    """The configuration of an action or trigger; None while it has mistakes, or there is no such kind."""
    if kind is None:
        return None
    try:
        return kind.Config.model_validate(config)
    except ValidationError:
        return None


def _declared_outputs(card: Card) -> Outputs | None:
    action: Action | None = ACTIONS.get(card.type)
    config = validated(action, dict(card.config))
    if action is None or config is None:
        return None
    outputs = action.outputs(config)
    if outputs is not None and card.values.get("on_error") == "continue":
        return {**outputs, "error": "What went wrong, if it failed"}
    return outputs


def _variables_of(cards: list[Card]) -> list[str]:
    found: dict[str, None] = {}
    for card in cards:
        if card.type == "set_variables":
            config = validated(ACTIONS.get(card.type), dict(card.config))
            found |= dict.fromkeys(config.variables if config else ())
    return list(found)


def _item_name(loop: Card) -> str:
    name = loop.config.get("as", "item")
    return name if isinstance(name, str) else "item"


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
