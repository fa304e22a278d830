"""Inputs with an editor of their own: conditions, authentication."""

import json
from collections.abc import Mapping
from typing import Any

from automations.builder.fields import FormField
from automations.builder.inputs.base import MISSING, Data, Input, input_kind, text_in
from automations.builder.place import Place
from webhooks.auth import KINDS
from webhooks.signing import ALGORITHMS, ENCODINGS

_AUTH_PARTS = ("kind", "secret", "username", "header", "prefix", "algorithm", "encoding")


@input_kind("conditions")
class Conditions(Input):
    """The script draws the rules from the JSON of a hidden input, and writes them there."""

    template = "conditions"
    is_group = True

    def shown(self, field: FormField, value: Any) -> Any:
        return json.dumps(value or {"match": "all", "rules": []}, ensure_ascii=False)

    def read(self, field: FormField, data: Data, name: str) -> Any:
        return read_conditions(text_in(data, name)) or MISSING


@input_kind("auth")
class AuthParts(Input):
    template = "auth"
    is_group = True

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        auth = value if isinstance(value, Mapping) else {}
        names = [name for name, kind in place.secrets.items() if kind == "text"]
        chosen = auth.get("secret", "")
        if chosen and chosen not in names:
            names.append(chosen)
        return {
            "auth": {"kind": "none", "algorithm": "sha256", "encoding": "hex", **auth},
            "kinds": KINDS.items(),
            "secrets": names,
            "missing": chosen if chosen not in place.secrets else "",
            "algorithms": list(ALGORITHMS),
            "encodings": list(ENCODINGS),
        }

    def read(self, field: FormField, data: Data, name: str) -> Any:
        parts = {part: text_in(data, f"{name}-{part}") for part in _AUTH_PARTS}
        if parts["kind"] in ("", "none"):
            return MISSING
        return {
            part: text if part == "prefix" else text.strip() for part, text in parts.items() if text
        }


@input_kind("hidden")
class Hidden(Input):
    """What is edited elsewhere."""

    template = ""

    def is_sent(self, data: Data, name: str) -> bool:
        return False

    def read(self, field: FormField, data: Data, name: str) -> Any:
        return MISSING


def read_conditions(text: str) -> dict[str, Any] | None:
    """The document of conditions; None when there are none."""
    try:
        value = json.loads(text) if text.strip() else None
    except ValueError:
        return {"expression": text[:4000]}
    if not isinstance(value, dict):
        return None
    if "expression" in value:
        return value if str(value["expression"]).strip() else None
    return value if value.get("rules") else None
