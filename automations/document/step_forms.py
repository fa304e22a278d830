"""Configurations of steps as people write them: headers as an object, a body as JSON, bare maps of fields. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from automations.document.trigger_forms import object_slug
from records.expressions import ExpressionError, names_used

# Kinds of steps by the names that they have elsewhere.
KIND_SYNONYMS: Final = {
    "call_api": "webhook",
    "api_call": "webhook",
    "send_webhook": "webhook",
    "loop": "for_each",
}
Config = dict[str, Any]
_JSON_TYPES: Final = ("application/json", "json")
_TEXT_TYPES: Final = ("text/plain", "text")
_TYPE_OF: Final = {bool: "boolean", int: "number", float: "number", str: "string"}
_UNITS: Final = ("second", "minute", "hour", "day", "week")
_STATUSES: Final = ("success", "retry", "halt")


def read_config(kind: str, given: Mapping[str, Any]) -> Config:
    """The configuration as it is kept; what is not known is left as it is."""
    read = _READERS.get(kind)
    return read(dict(given)) if read else dict(given)


# --- Requests ---


def _webhook(config: Config) -> Config:
    for name in ("headers", "path_params", "query_params"):
        if isinstance(config.get(name), Mapping):
            config[name] = _rows(config[name])
    _move_params(config)
    _read_body(config)
    _read_response(config)
    _read_expectations(config)
    method = config.get("method")
    if isinstance(method, str) and method.isascii():
        config["method"] = method.upper()
    _rename(config, timeout="timeout_s", retry_delays="retry_delays_s", delays_s="retry_delays_s")
    if isinstance(config.get("store"), Mapping):
        config["store"] = [{"field": key, "value": value} for key, value in config["store"].items()]
    return config


def _rows(values: Mapping[str, Any]) -> list[Config]:
    return [{"name": name, "value": _text(value)} for name, value in values.items()]


def _text(value: Any) -> str:
    """What stands in a row: texts as they are, all else as JSON writes it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _move_params(config: Config) -> None:
    """`query` is always the query; `params` that the URL names belong to its path."""
    if isinstance(config.get("query"), Mapping | list):
        _add_rows(config, "query_params", config.pop("query"))
    params = config.get("params")
    if isinstance(params, Mapping):
        config.pop("params")
        used = _roots(config.get("url"))
        in_path = {name: value for name, value in params.items() if name in used}
        rest = {name: value for name, value in params.items() if name not in used}
        _add_rows(config, "path_params", in_path)
        _add_rows(config, "query_params", rest)


def _add_rows(config: Config, key: str, given: Any) -> None:
    rows = _rows(given) if isinstance(given, Mapping) else given
    there = config.get(key, [])
    if rows and isinstance(there, list):
        config[key] = [*there, *rows]


def _roots(url: Any) -> set[str]:
    try:
        return {path.partition(".")[0] for path in names_used(url, "url")}
    except ExpressionError:
        return set()


def _read_body(config: Config) -> None:
    """JSON becomes text that keeps each expression where it stands, between its quotes: it keeps its type."""
    kind = _content_type(config)
    if isinstance(config.get("fields"), list | Mapping) and "body_rows" not in config:
        config["body_rows"] = _typed_rows(config.pop("fields"))
        config.setdefault("body_kind", "rows")
    if "body" not in config or "body_kind" in config:
        return
    body = config["body"]
    if body is None:
        config |= {"body": "", "body_kind": "none"}
    elif not isinstance(body, str):
        config["body"] = json.dumps(body, ensure_ascii=False, indent=2)
        config["body_kind"] = "json"
    elif kind in _JSON_TYPES or (kind not in _TEXT_TYPES and _is_json(body)):
        config["body_kind"] = "json"
    elif body:
        config["body_kind"] = "text"


def _content_type(config: Config) -> str:
    """One that the kind of the body does not say becomes a header."""
    kind = _rename(config, content_type="contentType").pop("contentType", "")
    if not isinstance(kind, str):
        kind = ""
    if kind and kind not in (*_JSON_TYPES, *_TEXT_TYPES):
        _add_rows(config, "headers", {"Content-Type": kind})
    return kind


def _is_json(text: str) -> bool:
    """An object or a list; a number or a word is more likely meant as text."""
    if not re.match(r"\s*[\[{](?!\{)", text):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _typed_rows(fields: Any) -> list[Any]:
    if isinstance(fields, list):
        return [
            {**row, "value": _text(row.get("value"))} if isinstance(row, Mapping) else row
            for row in fields
        ]
    return [
        {"name": name, "type": _TYPE_OF.get(type(value), "json"), "value": _text(value)}
        for name, value in fields.items()
    ]


def _read_response(config: Config) -> None:
    """{"type": "json", "schema": {"id": "/data/id"}} and its parts under other names."""
    response = config.get("response")
    if isinstance(response, Mapping):
        config.pop("response")
        rest = dict(response)
        for name, key in (("type", "response"), ("schema", "response_schema"), ("store", "store")):
            if name in rest:
                config.setdefault(key, rest.pop(name))
        config |= {f"response_{key}": value for key, value in rest.items()}
    _rename(config, response_type="response", responseSchema="response_schema")
    schema = config.get("response_schema")
    if isinstance(schema, Mapping):
        config["response_schema"] = [
            {"name": name, "pointer": pointer} for name, pointer in schema.items()
        ]
    elif isinstance(schema, list):
        config["response_schema"] = [
            _rename(dict(row), path="pointer") if isinstance(row, Mapping) else row
            for row in schema
        ]


def _read_expectations(config: Config) -> None:
    """{"success": [200, 202], "retry": "5xx", "halt": 410}."""
    wanted = config.get("expectations")
    if not isinstance(wanted, Mapping) or not set(wanted) <= set(_STATUSES):
        return
    config.pop("expectations")
    for name, statuses in wanted.items():
        if isinstance(statuses, list):
            statuses = ", ".join(map(str, statuses))
        config.setdefault(f"{name}_statuses", str(statuses) if statuses is not None else "")


# --- Records, messages, flow ---


def _update_record(config: Config) -> Config:
    """The fields alone: {"status": "contacted", "follow_up_count": "{{record.follow_up_count + 1}}"}."""
    for name in ("fields", "updates"):
        if isinstance(config.get(name), Mapping | list):
            _rename(config, **{name: "data"})
    if not config or "data" in config or "record" in config:
        return config
    return {"data": config}


def _create_record(config: Config) -> Config:
    """`object_definition_id` is obj_def_tasks, or tasks."""
    _rename(config, object="object_definition_id", object_id="object_definition_id", fields="data")
    if "object_definition_id" in config:
        config["object_definition_id"] = object_slug(config["object_definition_id"])
    return config


def _wait(config: Config) -> Config:
    if config.get("unit") in _UNITS:
        config["unit"] += "s"
    return config


def _for_each(config: Config) -> Config:
    return _rename(config, items="list", item="as")


def _rename(values: Config, **names: str) -> Config:
    """Parts by their name here, unless there is one of this name already."""
    for old, new in names.items():
        if old in values and new not in values:
            values[new] = values.pop(old)
    return values


_READERS: Final[Mapping[str, Callable[[Config], Config]]] = {
    "webhook": _webhook,
    "ping": _webhook,
    "update_record": _update_record,
    "create_record": _create_record,
    "for_each": _for_each,
    "wait": _wait,
}
