"""Versions made ready to run, and what reacts to which event. Kept in memory as long as the catalogue's generation."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import DatabaseError

from automations.conditions import ROOTS, ConditionProblem, Conditions, compile_conditions
from automations.document import Document, Settings, Step, child_blocks, walk_steps
from automations.document.schema import FALLBACK
from automations.exceptions import VersionBroken
from automations.generations import current_generation
from automations.models import Automation, AutomationState, AutomationVersion, RunMode
from automations.names import CALLED, CALLED_ALONE, RUN_ROOTS
from automations.steps import ACTIONS, Action, Setting
from automations.triggers import TRIGGERS, Trigger
from records.fieldkinds import kind_of
from records.models import Event, ObjectDefinition

logger = logging.getLogger(__name__)

# Versions that nobody reacts with any more may still be run by what waits; so many are kept compiled.
_MAX_VERSIONS: Final = 5000


@dataclass(frozen=True, slots=True)
class CompiledStep:
    id: str
    name: str
    type: str
    # None when its kind is not installed any more: the step fails and says so.
    action: Action | None
    config: Any
    prepared: Any
    disabled: bool
    on_error: str
    retry_delays_s: Sequence[int]


@dataclass(frozen=True, slots=True)
class CompiledVersion:
    """A document ready to run. `object_id`: the only object whose events concern it, None for any."""

    id: str
    trigger: Trigger
    trigger_config: Any
    object_id: int | None
    conditions: Conditions
    has_conditions: bool
    # By name, as `automations.document.child_blocks` has them; "" is the outermost.
    blocks: Mapping[str, Sequence[CompiledStep]]
    # The ids of all steps of a block and of the blocks in it.
    ids_within: Mapping[str, Sequence[str]]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Listener:
    """An automation that reacts, with the version that it reacts with."""

    automation_id: str
    name: str
    mode: RunMode
    version: CompiledVersion


@dataclass(slots=True)
class Index:
    """Who listens to what, by event name and object; those that are meant alone by their id."""

    generation: int
    by_event: dict[tuple[str, int | None], list[Listener]] = field(default_factory=dict)
    by_target: dict[tuple[str, str], Listener] = field(default_factory=dict)
    # Names that anybody listens to at all.
    names: frozenset[str] = frozenset()
    # Automations that are switched on and can't react, by id: why.
    broken: dict[str, str] = field(default_factory=dict)

    def listeners(self, event: Event, name: str) -> Iterable[Listener]:
        """Who may react to this event under this name, cheaply told."""
        if event.target:
            found = self.by_target.get((name, event.target))
            return (found,) if found else ()
        anywhere = self.by_event.get((name, None), ())
        if event.object_id is None:
            return anywhere
        return (*anywhere, *self.by_event.get((name, event.object_id), ()))


_versions: dict[str, CompiledVersion] = {}
_index: Index | None = None


def compile_document(
    document: Document, definition: ObjectDefinition | None = None, version_id: str = ""
) -> CompiledVersion:
    """Make a document ready. It has been checked; a kind that is missing by now fails when it is its turn."""
    trigger = TRIGGERS[document.trigger.type]
    setting = Setting(field_types(definition), roots_of(document))
    blocks: dict[str, Sequence[CompiledStep]] = {}
    inner: dict[str, list[str]] = {}
    open_blocks: list[tuple[str, list[Step]]] = [
        ("", document.steps),
        (FALLBACK, document.settings.on_failure.steps),
    ]
    while open_blocks:
        name, steps = open_blocks.pop()
        blocks[name] = tuple(_compile_step(step, setting) for step in steps)
        children = [child for step in steps for child in child_blocks(step)]
        inner[name] = [child for child, _ in children]
        open_blocks += children
    return CompiledVersion(
        id=version_id,
        trigger=trigger,
        trigger_config=trigger.Config.model_validate(document.trigger.config),
        object_id=definition.pk if definition else None,
        conditions=compile_conditions(document.conditions, setting.types),
        has_conditions=bool(document.conditions),
        blocks=blocks,
        ids_within={name: _ids_within(name, blocks, inner) for name in blocks},
        settings=document.settings,
    )


def roots_of(document: Document) -> frozenset[str]:
    """The first names that expressions in steps may have beside the record's fields."""
    loops = {
        step.config.get("as", "item") for _, step in walk_steps(document) if step.type == "for_each"
    }
    return frozenset({*ROOTS, *RUN_ROOTS, *loops})


def field_types(definition: ObjectDefinition | None) -> Any:
    """How the fields of an object compare: what `automations.conditions` asks for. Paths have `record.` or not."""
    types: dict[str, str] = {}
    if definition is not None:
        for each in definition.schema.fields:
            compare = kind_of(each).compare_type
            for root in ("", "record.", "previous."):
                types[root + each.slug] = compare
    return types.get


def compiled_version(version: AutomationVersion) -> CompiledVersion:
    """Call it after `current_index`, which forgets what has become outdated. Raises VersionBroken."""
    found = _versions.get(version.pk)
    if found is None:
        found = _compile(version)
        if len(_versions) >= _MAX_VERSIONS:
            _versions.clear()
        _versions[version.pk] = found
    return found


def _compile(version: AutomationVersion) -> CompiledVersion:
    """It was checked when it was published; objects, fields and installed apps may have changed since."""
    try:
        document = Document.model_validate(version.document)
        if document.trigger.type not in TRIGGERS:
            raise VersionBroken(
                f"Its trigger “{document.trigger.type}” is not installed (any more)."
            )
        return compile_document(document, object_of(document), version.pk)
    except (DatabaseError, VersionBroken):
        raise
    except ConditionProblem as problem:
        raise VersionBroken(
            f"Its conditions do not fit the fields any more: {problem}."
        ) from problem
    except Exception as error:  # one version's trouble must not keep the others from reacting
        logger.exception("Version %s can't be made ready", version.pk)
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise VersionBroken(f"It can't be made ready any more: {words[:150]}") from error


def object_of(document: Document) -> ObjectDefinition | None:
    """The object whose records a document is about, if it names one that exists."""
    trigger = TRIGGERS.get(document.trigger.type)
    if trigger is None:
        return None
    slug = trigger.object_slug(trigger.Config.model_validate(document.trigger.config))
    return ObjectDefinition.objects.filter(slug=slug).first() if slug else None


def current_index() -> Index:
    """Who reacts to what, as of now: one query that reads one number, unless something has changed."""
    global _index
    generation = current_generation()
    if _index is None or _index.generation != generation:
        _versions.clear()
        _index = _build(generation)
    return _index


def _build(generation: int) -> Index:
    by_event: dict[tuple[str, int | None], list[Listener]] = defaultdict(list)
    index = Index(generation)
    for automation in Automation.objects.reacting().select_related("published").order_by("id"):
        try:
            listener = _listener(automation)
        except VersionBroken as broken:
            index.broken[automation.pk] = str(broken)
            continue
        if listener is None:
            continue
        version = listener.version
        for called in (CALLED, CALLED_ALONE):
            index.by_target[called, automation.pk] = listener
        for name in version.trigger.event_names(version.trigger_config):
            if version.trigger.is_targeted:
                index.by_target[name, automation.pk] = listener
            else:
                by_event[name, version.object_id].append(listener)
    index.by_event = dict(by_event)
    index.names = frozenset(
        [name for name, _ in index.by_event] + [name for name, _ in index.by_target]
    )
    return index


def _listener(automation: Automation) -> Listener | None:
    assert automation.published
    version = compiled_version(automation.published)
    slug = version.trigger.object_slug(version.trigger_config)
    if slug and version.object_id is None:  # its object is gone: nothing can fire it
        return None
    is_live = automation.state == AutomationState.ACTIVE
    mode = RunMode.LIVE if is_live else RunMode.TEST
    return Listener(automation.pk, automation.name, mode, version)


def _ids_within(
    block: str, blocks: Mapping[str, Sequence[CompiledStep]], inner: Mapping[str, Sequence[str]]
) -> list[str]:
    ids = [step.id for step in blocks[block]]
    for child in inner[block]:
        ids += _ids_within(child, blocks, inner)
    return ids


def _compile_step(step: Step, setting: Setting) -> CompiledStep:
    action = ACTIONS.get(step.type)
    config = action.Config.model_validate(step.config) if action else None
    return CompiledStep(
        id=step.id,
        name=step.name,
        type=step.type,
        action=action,
        config=config,
        prepared=action.prepare(config, setting) if action else None,
        disabled=step.disabled,
        on_error=step.on_error,
        retry_delays_s=tuple(step.retry_delays_s),
    )
