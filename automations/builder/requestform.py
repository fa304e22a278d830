"""The form of a step that sends a request: what it shows beside the fields of its config, and how values that are
picked from the answer are stored."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from automations.builder.forms import Shown
from automations.builder.inputs.base import Data, texts_in
from automations.builder.inputs.rows import completed
from automations.request_config import WebhookConfig

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
BODY_KINDS: Final = (
    ("default", "The record"),
    ("json", "JSON"),
    ("rows", "Rows"),
    ("text", "Text"),
    ("none", "None"),
)
_EXTRAS: Final = (
    "headers",
    "query_params",
    "path_params",
    "auth",
    "signing_secret",
    "client_certificate",
)


def request_context(config: Mapping[str, Any], fields: Sequence[Shown]) -> dict[str, Any]:
    by_key = {each.key: each for each in fields}
    stored = {row["value"]: row["field"] for row in config.get("store") or [] if _is_row(row)}
    picks = by_key["response_schema"].context["rows"]
    for row in picks:
        row["store"] = stored.pop(row.get("name", ""), "")
    store = by_key["store"].context
    store["rows"][:] = [
        row for row in store["rows"] if row.get("is_blank") or row.get("value") in stored
    ]
    return {
        "methods": METHODS,
        "body_kinds": BODY_KINDS,
        "body_kind": config.get("body_kind", "default"),
        "has_extras": any(config.get(name) for name in _EXTRAS),
        "stores": store["fields"],
        # Those that the layout has; an action may add fields of its own, which come first.
        "request_keys": set(WebhookConfig.model_fields),
    }


def read_stores(config: Mapping[str, Any], data: Data) -> dict[str, Any]:
    """The config with what the drop-downs beside the picked values say."""
    parts = [texts_in(data, f"c-response_schema-{part}") for part in ("name", "pointer", "store")]
    count = min(map(len, parts))
    beside = []
    for name, pointer, field in zip(*(part[:count] for part in parts), strict=True):
        pick = completed({"name": name, "pointer": pointer})
        if field and pick["name"]:
            beside.append({"field": field, "value": pick["name"]})
    store = [*beside, *(config.get("store") or [])]
    rest = {key: value for key, value in config.items() if key != "store"}
    return {**rest, "store": store} if store else rest


def _is_row(row: Any) -> bool:
    return isinstance(row, Mapping) and {"field", "value"} <= row.keys()
