"""What is wrong with the configuration of one step: its form, what it refers to, its expressions and conditions."""

from collections.abc import Iterator, Mapping
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
from records.models import ObjectDefinition

# (JSON Pointer within the configuration, words, whether it is only a warning)
Found = Iterator[tuple[str, str, bool]]


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


def problems_with_step(action: Action, card: Card, names: PlaceNames, layout: Layout) -> Found:
    """All of one step; the steps within it are looked at on their own."""
    config = without_children(card.values)
    form = problems_in_form(action.Config, config)
    yield from ((path, words, False) for path, words in form)
    told = {path.split("/")[1] for path, _ in form if path}
    checked = validated(action, config)
    is_request = isinstance(action, Sending) and checked is not None
    if isinstance(action, Sending) and checked is not None:
        around = Surroundings(layout.installation, names, layout.definition, {})
        yield from problems_with_request(action, checked, around)
    if checked is not None:
        for name, words in action.problems(checked, names):
            told.add(name.strip("/").partition("/")[0])
            yield f"/{name.strip('/')}" if name else "", words, False
    for field, value in _filled_fields(action.Config, config):
        if field.key not in told and not (is_request and field.key in REQUEST_FIELDS):
            yield from _problems_with_field(action, field, value, config, names, layout)
    if action.name == "branch":
        yield from _arms(config, names, layout)


def problems_with_conditions(document: Any, names: PlaceNames, layout: Layout) -> Found:
    """Of an automation, an arm of a branch, or a field that holds conditions."""
    known = names.known()

    def problem_with_name(path: str) -> str | None:
        problem = names.problem_with(path, known)
        return problem[0] if problem else None

    types = field_types(layout.definition)
    for mistake in check_conditions(document, types, problem_with_name, roots=layout.roots):
        yield mistake.path, mistake.message[:1].upper() + mistake.message[1:], False


def _problems_with_field(
    action: Action,
    field: FormField,
    value: Any,
    config: Mapping[str, Any],
    names: PlaceNames,
    layout: Layout,
) -> Found:
    if field.kind == "conditions":
        for path, words, is_warning in problems_with_conditions(value, names, layout):
            yield f"/{field.key}{path}", words, is_warning
        return
    yield from _references(field, value, names, _object_of(field, config, layout), layout)
    is_plain = field.key in action.texts_without_expressions() or field.kind == "hidden"
    if not is_plain:
        is_url = field.kind == "url"
        found = problems_in_texts(field.label, value, names, names.known(), is_url=is_url)
        yield from ((f"/{field.key}{path}", words, False) for path, words in found)


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
    """Whose fields and stages are meant: of the object that the same form names, or of the trigger's."""
    source = str(field.options.get("object_from") or "object")
    slug = config.get(source)
    if isinstance(slug, str) and slug:
        return layout.installation.objects.get(slug.removeprefix("obj_def_"))
    return layout.definition


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
