"""The forms in which documents come: ours, and those that people know from elsewhere.

    {"trigger": {"event": "field.changed", "object": "obj_def_deals", "field": "stage"},
     "conditions": [{"field": "amount", "operator": "greater_than", "value": 10000}],
     "actions": [{"type": "webhook", "config": {"url": "…", "headers": {"X-Id": "{{record.id}}"}, "body": {…}}}]}

What they mean is the same as ours says; a document that has our form stays as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from automations.document.bounds import problems_with_size
from automations.document.schema import Document, Settings, Step, TriggerPart
from automations.document.step_forms import KIND_SYNONYMS, read_config
from automations.document.trigger_forms import read_trigger
from automations.document.wording import problems_in_form
from automations.exceptions import DocumentInvalid
from records.expressions.documents import pointer_token
from records.expressions.errors import suggest

_SYNONYMS: Final = {"actions": "steps", "condition": "conditions", "filter": "conditions"}
# A list of steps within a step's configuration, by other names.
_STEPS_OF_LOOP: Final = ("steps", "actions", "do")


def read_document(values: Any) -> dict[str, Any]:
    """Any accepted form as the one that is kept. Raises DocumentInvalid, naming what can't be read and where.

    Steps without an id get one that can be read, such as `webhook_2`; ids that are there stay. What is only wrong
    within a configuration is kept: `check_document` tells it.
    """
    reader = _Reader()
    document = reader.document(values)
    if reader.problems:
        raise DocumentInvalid(reader.problems)
    return document


class _Reader:
    """Reads one document and notes what can't be read, by its place in what was given."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.taken: set[str] = set()

    def document(self, values: Any) -> dict[str, Any]:
        self.problems += problems_with_size(values)
        if self.problems:
            return {}
        if not isinstance(values, Mapping):
            self._refuse(
                "", "A document is an object with trigger, conditions, steps and settings."
            )
            return {}
        parts = self._parts(values)
        self.taken = set(_ids_in(values))
        return {
            "trigger": self._trigger(*parts.get("trigger", ("/trigger", None))),
            "conditions": read_conditions(parts.get("conditions", ("", None))[1]),
            "steps": self._steps(*parts.get("steps", ("/steps", []))),
            "settings": self._settings(*parts.get("settings", ("/settings", {}))),
        }

    def _refuse(self, path: str, words: str) -> None:
        self.problems.append((path, words))

    def _parts(self, values: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
        """By our names: (where it stood, value)."""
        parts: dict[str, tuple[str, Any]] = {}
        for key, value in values.items():
            name = _SYNONYMS.get(key, key)
            if name not in Document.model_fields:
                known = (*Document.model_fields, *_SYNONYMS)
                message, close = suggest(f"There is no `{key[:60]}` in a document", key, known)
                hint = "" if close else "; it has trigger, conditions, steps and settings"
                self._refuse(f"/{pointer_token(key)}", f"{message}{hint}.")
            elif name in parts:
                self._refuse(f"/{key}", f"This stands here twice: it is the same as `{name}`.")
            elif value is not None:
                parts[name] = (f"/{key}", value)
        return parts

    def _trigger(self, path: str, part: Any) -> dict[str, Any]:
        if part is None:  # to be chosen yet
            return {"type": "", "config": {}}
        if isinstance(part, str):
            part = {"event": part}
        if not isinstance(part, Mapping):
            self._refuse(path, 'A trigger is an object: {"type": …, "config": {…}}.')
            return {}
        trigger = read_trigger(part)
        self._check_form(TriggerPart, trigger, path)
        return trigger

    def _steps(self, path: str, steps: Any) -> list[dict[str, Any]]:
        if isinstance(steps, Mapping) and "type" in steps:
            steps = [steps]
        if not isinstance(steps, list):
            self._refuse(path, "Steps are a list: [ … ].")
            return []
        return [self._step(f"{path}/{place}", step) for place, step in enumerate(steps)]

    def _step(self, path: str, given: Any) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            self._refuse(path, "A step is an object with id, type and config.")
            return {}
        step = {key: value for key, value in given.items() if key in Step.model_fields}
        loose = {key: value for key, value in given.items() if key not in Step.model_fields}
        if "config" not in step:
            step["config"], loose = loose, {}
        kind = step.get("type")
        step["type"] = KIND_SYNONYMS.get(kind, kind) if isinstance(kind, str) else kind
        config = step["config"]
        if step.get("id") in (None, ""):
            step["id"] = self._new_id(step["type"])
        self._check_form(Step, {**step, **loose, "config": {}}, path)
        if not isinstance(config, Mapping):
            self._refuse(f"{path}/config", "Config: give an object: { … }.")
            return {}
        if not isinstance(step["type"], str):
            return {}
        step["config"] = self._config(step["type"], config, f"{path}/config")
        return _filled(step)

    def _new_id(self, kind: Any) -> str:
        """webhook, webhook_2 …: it never changes afterwards."""
        letters = (letter if letter.isalnum() else "_" for letter in str(kind).lower())
        name = "".join(letters).encode("ascii", "ignore").decode().strip("_")[:36]
        base = name if name[:1].isalpha() else f"step_{name}".rstrip("_")
        number, candidate = 1, base
        while candidate in self.taken:
            number += 1
            candidate = f"{base}_{number}"
        self.taken.add(candidate)
        return candidate

    def _config(self, kind: str, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        if kind == "branch":
            return self._branch(given, path)
        config = read_config(kind, given)
        if kind == "for_each":
            for name in _STEPS_OF_LOOP:
                if name in config:
                    config["steps"] = self._steps(f"{path}/{name}", config.pop(name))
                    break
        return config

    def _branch(self, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Arms with if and then, the last with else; also one if, then and else for the whole."""
        rest = {key: value for key, value in given.items() if key not in _ARM_KEYS}
        if "conditions" not in given and _ARM_KEYS & given.keys():
            arms, at = [{key: given[key] for key in given if key in _ARM_KEYS}], ""
        else:
            arms, at = rest.get("conditions", []), "/conditions"
        if not isinstance(arms, list):
            self._refuse(f"{path}{at}", "The cases of a branch are a list: [ … ].")
            return {}
        read: list[dict[str, Any]] = []
        for place, arm in enumerate(arms):
            where = f"{path}{at}/{place}" if at else path
            if isinstance(arm, Mapping):
                read += self._arms(arm, where)
            else:
                self._refuse(where, "A case is an object with if and then, or with else.")
        return {**rest, "conditions": read}

    def _arms(self, arm: Mapping[str, Any], path: str) -> Iterator[dict[str, Any]]:
        """One arm; an arm with `else` beside its `then` is two."""
        own = {key: value for key, value in arm.items() if key not in ("else", "if", "then")}
        is_case = "if" in arm or "then" in arm
        if is_case or "else" not in arm:
            then = self._steps(f"{path}/then", arm.get("then") or [])
            yield {**own, "if": read_conditions(arm.get("if")), "then": then}
        if "else" in arm:
            otherwise = self._steps(f"{path}/else", arm["else"] or [])
            yield {**({} if is_case else own), "else": otherwise}

    def _settings(self, path: str, settings: Any) -> dict[str, Any]:
        if not isinstance(settings, Mapping):
            self._refuse(path, "Settings are an object: { … }.")
            return {}
        failure = settings.get("on_failure")
        steps: list[dict[str, Any]] = []
        if isinstance(failure, Mapping) and failure.get("steps"):
            steps = self._steps(f"{path}/on_failure/steps", failure["steps"])
            settings = {**settings, "on_failure": {**failure, "steps": []}}
        if not self._check_form(Settings, settings, path):
            return {}
        read = Settings.model_validate(settings).model_dump(mode="json")
        read["on_failure"]["steps"] = steps
        return read

    def _check_form(self, model: Any, values: Any, path: str) -> bool:
        found = problems_in_form(model, values)
        self.problems += [(f"{path}{within}", words) for within, words in found]
        return not found


_ARM_KEYS: Final = frozenset({"if", "then", "else"})


def read_conditions(conditions: Any) -> Any:
    """A list of rules, one rule alone, or an expression as a group or an expression; None where there are none."""
    if conditions in (None, [], {}, ""):
        return None
    if isinstance(conditions, str):
        return {"expression": conditions}
    if isinstance(conditions, list):
        return {"match": "all", "rules": conditions}
    if isinstance(conditions, Mapping) and "operator" in conditions and "rules" not in conditions:
        return {"match": "all", "rules": [dict(conditions)]}
    return conditions


def _filled(step: dict[str, Any]) -> dict[str, Any]:
    """All parts of a step, in their order."""
    defaults = {name: info.default for name, info in Step.model_fields.items()}
    return {
        name: step[name] if name in step else _copy(default) for name, default in defaults.items()
    }


def _copy(default: Any) -> Any:
    return type(default)(default) if isinstance(default, list | dict) else default


def _ids_in(value: Any) -> Iterator[str]:
    """All ids that steps have, so that no new one is one of them."""
    if isinstance(value, Mapping):
        if isinstance(value.get("id"), str) and "type" in value:
            yield value["id"]
        for inner in value.values():
            yield from _ids_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_in(inner)
