"""The names that expressions can use at each place of a document: for the builder's menu, and to find unknown ones."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from automations.actions.webhook import Sending
from automations.conditions import ROOTS
from automations.document.cards import CONDITIONS, TRIGGER, Card, cards_of
from automations.document.installation import Installation
from automations.document.places import Earlier, Place, PlaceNames
from automations.document.samples import last_outputs
from automations.models import Automation
from automations.names import RUN_ROOTS, WEBHOOK_RECEIVED
from automations.steps import ACTIONS, Action, Outputs
from automations.triggers import TRIGGERS
from records.models import ObjectDefinition

__all__ = ["Layout", "PlaceNames", "names_at", "validated"]

# While the trigger has mistakes, all that a record may have is let pass.
_ANY_EVENT: Final = "record.updated"


class Layout:
    """A document read for its names: what comes before what. Mistakes in it are passed over."""

    def __init__(
        self,
        document: Any,
        *,
        automation: Automation | None = None,
        installation: Installation | None = None,
        received: Mapping[str, Any] | None = None,
    ) -> None:
        """With `automation` the outputs of its last run are shown in menus, with `received` a request that came in."""
        if isinstance(document, BaseModel):
            document = document.model_dump(mode="json", by_alias=True)
        self.document = document if isinstance(document, Mapping) else {}
        self.automation = automation
        self.received = received
        self.installation = installation or Installation()
        self.cards = cards_of(self.document)

    def names(self, place: str) -> PlaceNames:
        """`place`: "trigger", "conditions", "settings", the id of a step, or a JSON Pointer into any of them."""
        card = self._card_at(place)
        if card is not None:
            return self.names_of(card)
        is_before_all = place.strip("/").partition("/")[0] in (TRIGGER, CONDITIONS)
        if is_before_all:
            before_all = Place(has_run=False, has_webhook=self._has_webhook, received=self.received)
            return self._names(before_all)
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
        return name, definition, trigger.is_about_record(config)

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
            received=self.received,
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


def names_at(
    document: Any,
    place: str,
    *,
    automation: Automation | None = None,
    received: Mapping[str, Any] | None = None,
) -> PlaceNames:
    """What expressions can use at a place: "conditions", a step's id, or a JSON Pointer such as /steps/0/config/url.

    With `automation` what later steps see of earlier ones is shown as its last succeeded run had it, with `received`
    the parts of a request that came in. `webhooks.names.menu_of` makes JSON of it.
    """
    return Layout(document, automation=automation, received=received).names(place)


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
