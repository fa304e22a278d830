"""Every mistake in a document, each with the place where it is and the card that shows it."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automations.compiled import compile_document
from automations.document.bounds import problems_with_size
from automations.document.cards import CONDITIONS, SETTINGS, TRIGGER, Card, child_lists
from automations.document.configs import (
    problems_with_conditions,
    problems_with_step,
    problems_with_trigger,
)
from automations.document.installation import Installation
from automations.document.names import Layout
from automations.document.schema import (
    MAX_NESTING,
    MAX_STEPS,
    Document,
    Settings,
    Step,
    TriggerPart,
)
from automations.document.wording import problems_in_form
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from records.expressions.documents import pointer_token
from records.expressions.errors import suggest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mistake:
    """`path`: a JSON Pointer into the document, such as /steps/0/config/url.

    `card` is "trigger", "conditions", "settings" or a step's id. A warning does not keep anybody from publishing.
    """

    path: str
    message: str
    card: str = SETTINGS
    is_warning: bool = False


def check_document(values: Any, *, for_publishing: bool = True) -> list[Mistake]:
    """All mistakes, in the document's order; none when it can be published. Never raises, whatever it is given.

    With `for_publishing` false also warnings: what is probably not meant, or can't be sent as things are.
    """
    if not isinstance(values, Mapping):
        return [
            Mistake("", "A document is an object with trigger, conditions, steps and settings.")
        ]
    found = [Mistake(path, words) for path, words in problems_with_size(values)]
    if not found:
        found = list(_Check(values).all())
    wanted = [mistake for mistake in found if not (for_publishing and mistake.is_warning)]
    return list(dict.fromkeys(wanted))


class _Check:
    """One look at one document; what it refers to is looked up once."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.layout = Layout(values, installation=Installation())

    def all(self) -> Iterator[Mistake]:
        count = 0
        for mistake in (
            *self._outline(),
            *self._trigger(),
            *self._conditions(),
            *self._steps(),
            *self._settings(),
        ):
            count += not mistake.is_warning
            yield mistake
        if not count:
            yield from self._making_ready()

    def _outline(self) -> Iterator[Mistake]:
        for name in self.values:
            if name not in Document.model_fields:
                message, close = suggest(
                    f"There is no `{name[:60]}` in a document", name, Document.model_fields
                )
                hint = "" if close else "; it has trigger, conditions, steps and settings"
                yield Mistake(f"/{pointer_token(name)}", f"{message}{hint}.")

    def _trigger(self) -> Iterator[Mistake]:
        part = self.values.get(TRIGGER)
        if not isinstance(part, Mapping):
            yield Mistake("/trigger", "Choose a trigger: what the automation reacts to.", TRIGGER)
            return
        for path, words in problems_in_form(TriggerPart, dict(part)):
            yield Mistake(f"/trigger{path}", words, TRIGGER)
        name = part.get("type")
        if not isinstance(name, str):
            return
        trigger = TRIGGERS.get(name)
        if trigger is None:
            words = suggest(f"There is no trigger “{name[:60]}”", name, TRIGGERS)[0]
            yield Mistake("/trigger/type", words, TRIGGER)
            return
        for path, words, is_warning in problems_with_trigger(
            trigger, part.get("config") or {}, self.layout
        ):
            yield Mistake(f"/trigger/config{path}", words, TRIGGER, is_warning)

    def _conditions(self) -> Iterator[Mistake]:
        conditions = self.values.get(CONDITIONS)
        names = self.layout.names(CONDITIONS)
        for path, words, is_warning in problems_with_conditions(conditions, names, self.layout):
            yield Mistake(f"/conditions{path}", words, CONDITIONS, is_warning)

    # --- steps ---

    def _steps(self) -> Iterator[Mistake]:
        steps = self.values.get("steps")
        if steps is not None and not isinstance(steps, list):
            yield Mistake("/steps", "Steps are a list: [ … ].")
        elif not steps:
            yield Mistake("/steps", "Add a step first.")
        cards = self.layout.cards
        if len(cards) > MAX_STEPS:
            yield Mistake(
                "/steps",
                f"There are {len(cards)} steps; {MAX_STEPS} are the most of an automation.",
            )
        seen = Counter(card.id for card in cards)
        for card in cards[: MAX_STEPS + 1]:
            for path, words, is_warning in self._step(card, seen):
                yield Mistake(card.path + path, words, card.name, is_warning)
            for within, _, children in child_lists(card.values):
                yield from _strays(children, card.path + within, card.name)
        yield from _strays(steps, "/steps")

    def _step(self, card: Card, seen: Counter[str]) -> Iterator[tuple[str, str, bool]]:
        for path, words in problems_in_form(Step, {**card.values, "config": {}}):
            yield path, words, False
        if not isinstance(card.values.get("config", {}), Mapping):
            yield "/config", "Config: give an object: { … }.", False
        if card.id and seen[card.id] > 1:
            yield "/id", f"Two steps have the id `{card.id[:40]}`; each needs its own.", False
        if len(card.blocks) > MAX_NESTING:
            yield "", f"Steps are nested more than {MAX_NESTING} deep; use fewer levels.", False
            return
        action = ACTIONS.get(card.type)
        if action is None:
            if card.type:
                words = suggest(f"There is no action “{card.type[:60]}”", card.type, ACTIONS)[0]
                yield "/type", words, False
            return
        for path, words, is_warning in problems_with_step(action, card, self.layout):
            yield f"/config{path}", words, is_warning

    # --- settings ---

    def _settings(self) -> Iterator[Mistake]:
        settings = self.values.get(SETTINGS)
        if settings is None:
            return
        if not isinstance(settings, Mapping):
            yield Mistake("/settings", "Settings are an object: { … }.")
            return
        failure = settings.get("on_failure")
        if isinstance(failure, Mapping):
            steps = failure.get("steps")
            yield from _strays(steps, "/settings/on_failure/steps")
            if isinstance(steps, list):
                settings = {**settings, "on_failure": {**failure, "steps": []}}
            yield from self._teams(failure.get("notify_teams"))
        for path, words in problems_in_form(Settings, settings):
            yield Mistake(f"/settings{path}", words)

    def _teams(self, names: Any) -> Iterator[Mistake]:
        known = self.layout.installation.teams if names else []
        for place, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str) and name not in known:
                words = suggest(f"There is no team “{name[:60]}”", name, known)[0]
                yield Mistake(f"/settings/on_failure/notify_teams/{place}", words)

    def _making_ready(self) -> Iterator[Mistake]:
        """The last test of all: it is made ready as for a run. An action of another app may have checked too little."""
        try:
            compile_document(Document.model_validate(self.values), self.layout.definition)
        except Exception as error:  # published, it would keep all automations from being loaded
            logger.exception("A document without mistakes can't be made ready")
            yield Mistake("", f"It can't be made ready to run: {error}")


def _strays(steps: Any, path: str, card: str = SETTINGS) -> Iterator[Mistake]:
    """What is no step where one belongs."""
    for place, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, Mapping):
            yield Mistake(f"{path}/{place}", "A step is an object with id, type and config.", card)
