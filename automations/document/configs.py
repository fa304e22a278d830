"""What is wrong with the configuration of one step: its form, what it refers to, its expressions and conditions."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from automations.actions.webhook import Sending
from automations.builder.fields import FormField, fields_of
from automations.compiled import field_types
from automations.conditions import check_conditions
from automations.document.cards import Card, without_children
from automations.document.inputs import Surroundings, problems_with_input
from automations.document.names import Layout, PlaceNames, validated
from automations.document.requests import REQUEST_FIELDS, problems_with_request
from automations.document.texts import problems_in_texts
from automations.document.wording import problems_in_form
from automations.steps import Action
from automations.triggers import Trigger
from records.expressions.errors import suggest
from records.models import FieldKind, ObjectDefinition
from webhooks.names import Known

# (JSON Pointer within the configuration, words, whether it is only a warning)
Found = Iterator[tuple[str, str, bool]]
_is_slug = re.compile(r"[a-z][a-z0-9_]*").fullmatch


def problems_with_trigger(trigger: Trigger, config: Any, layout: Layout) -> Found:
    """Beyond its form a trigger says itself what is wrong; what its fields refer to is looked up here."""
    values = config if isinstance(config, Mapping) else {}
    form = problems_in_form(trigger.Config, values)
    yield from ((path, words, False) for path, words in form)
    if form:
        return
    checked = trigger.Config.model_validate(values)
    told = set()
    for name, words in trigger.problems(checked):
        told.add(name)
        yield f"/{name}" if name else "", words, False
    names = layout.names("trigger")
    for field, value in _filled_fields(trigger.Config, values):
        if field.key not in told:
            yield from _references(field, value, names, layout.definition, layout)


def problems_with_step(action: Action, card: Card, layout: Layout) -> Found:
    """All of one step; the steps within it are looked at on their own."""
    return _Step(action, card, layout).problems()


def problems_with_conditions(document: Any, names: PlaceNames, layout: Layout) -> Found:
    """Of an automation, an arm of a branch, or a field that holds conditions."""
    known = names.known()

    def problem_with_name(path: str) -> str | None:
        problem = names.problem_with(path, known)
        return problem[0] if problem else None

    types = field_types(layout.definition)
    for mistake in check_conditions(document, types, problem_with_name, roots=layout.roots):
        yield mistake.path, mistake.message[:1].upper() + mistake.message[1:], False


class _Step:
    """One step being looked at."""

    def __init__(self, action: Action, card: Card, layout: Layout) -> None:
        self.action = action
        self.layout = layout
        self.names = layout.names_of(card)
        self.config = without_children(card.values)
        self.checked = validated(action, self.config)

    def problems(self) -> Found:
        form = problems_in_form(self.action.Config, self.config)
        yield from ((path, words, False) for path, words in form)
        told = {path.split("/")[1] for path, _ in form if path}
        if self.checked is not None:
            for name, words in self.action.problems(self.checked, self.names):
                told.add(name.strip("/").partition("/")[0])
                yield f"/{name.strip('/')}" if name else "", words, False
            if isinstance(self.action, Sending):
                told |= REQUEST_FIELDS
                around = Surroundings(self.layout.installation, self.names, self.layout.definition)
                yield from problems_with_request(self.action, self.checked, around)
        for field, value in _filled_fields(self.action.Config, self._values()):
            if field.key not in told:
                yield from self._field(field, value)
        if self.action.name == "branch":
            yield from _arms(self.config, self.names, self.layout)

    def _values(self) -> dict[str, Any]:
        """The configuration as it stands, and what stands in it without its name."""
        if self.checked is None:
            return self.config
        said = self.checked.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return {**said, **self.config}

    def _field(self, field: FormField, value: Any) -> Found:
        if field.kind == "conditions":
            for path, words, is_warning in problems_with_conditions(value, self.names, self.layout):
                yield f"/{field.key}{path}", words, is_warning
            return
        definition = _object_of(field, self.config, self.layout)
        yield from _references(field, value, self.names, definition, self.layout)
        yield from _link(field, value, self.layout)
        if field.key not in self.action.texts_without_expressions() and field.kind != "hidden":
            is_url = field.kind == "url"
            known = self._known
            found = problems_in_texts(field.label, value, self.names, known, is_url=is_url)
            yield from ((f"/{field.key}{path}", words, False) for path, words in found)

    @cached_property
    def _known(self) -> Known:
        own = self.action.own_names(self.checked) if self.checked is not None else ()
        return self.names.known(*own)


def _references(
    field: FormField,
    value: Any,
    names: PlaceNames,
    definition: ObjectDefinition | None,
    layout: Layout,
) -> Found:
    around = Surroundings(layout.installation, names, definition, field.options)
    for path, words in problems_with_input(field.kind, value, around):
        yield f"/{field.key}{path}", f"{field.label}: {words}", False


def _object_of(
    field: FormField, config: Mapping[str, Any], layout: Layout
) -> ObjectDefinition | None:
    """Whose fields and stages are meant: of the object that the same form names, of a linked record, or of the
    trigger's. None where that is not known."""
    source = config.get(str(field.options.get("object_from") or "object"))
    if source in (None, ""):
        return layout.definition
    if not isinstance(source, str):
        return None
    own = layout.definition
    link = own.schema.by_slug.get(source.strip()) if own else None
    if field.options.get("object_from") == "record":
        slug = str(link.options.get("object")) if link and link.kind == FieldKind.LINK else ""
    else:
        slug = source.removeprefix("obj_def_")
    return layout.installation.objects.get(slug)


def _link(field: FormField, value: Any, layout: Layout) -> Found:
    """Which record a step is about: of its own record a link, or an id."""
    definition = layout.definition
    if field.key != "record" or definition is None or not isinstance(value, str):
        return
    source = value.strip()
    if not _is_slug(source) or source.startswith("rec_"):
        return
    links = [each.slug for each in definition.schema.fields if each.kind == FieldKind.LINK]
    if source not in links:
        words = suggest(f"{definition} has no link `{source[:60]}`", source, links)[0]
        yield f"/{field.key}", f"{field.label}: {words}", False


def _arms(config: Mapping[str, Any], names: PlaceNames, layout: Layout) -> Found:
    arms = config.get("conditions")
    if not arms:
        yield "/conditions", "Add a case: a condition, and the steps for it.", False
    for place, arm in enumerate(arms if isinstance(arms, list) else ()):
        if not isinstance(arm, Mapping) or "else" in arm:
            continue
        path = f"/conditions/{place}/if"
        condition = arm.get("if")
        if condition in (None, {}) or condition == {"match": "all", "rules": []}:
            words = f"Case {place + 1}: add a condition; without one it always applies."
            yield path, words, False
            continue
        for within, words, is_warning in problems_with_conditions(condition, names, layout):
            yield path + within, words, is_warning


def _filled_fields(model: Any, config: Mapping[str, Any]) -> Iterator[tuple[FormField, Any]]:
    """The fields that are there; what a form does not know was told before."""
    return ((field, config[field.key]) for field in fields_of(model) if field.key in config)
