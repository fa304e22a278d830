"""The form's part about verification: for each scheme its settings, of which only the chosen scheme's count."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from webhooks.keyring import SecretKind
from webhooks.models import InboundEndpoint
from webhooks.secret_uses import secret_names
from webhooks.verification import SCHEMES, Field, Scheme, check_settings

# An HMAC key may be kept as either.
_KINDS: Final = (SecretKind.TEXT, SecretKind.SYMMETRIC)


def scheme_choices() -> list[tuple[str, str]]:
    return [(scheme.name, scheme.label) for scheme in SCHEMES.values()]


def name_of(scheme: Scheme, field: Field) -> str:
    """The form's name for a setting of a scheme."""
    return f"scheme_{scheme.name}_{field.name}"


def scheme_field_names() -> list[str]:
    return [name_of(scheme, field) for scheme in SCHEMES.values() for field in scheme.fields]


def scheme_fields(endpoint: InboundEndpoint | None) -> dict[str, forms.Field]:
    """Form fields for the settings of all schemes, with what is set now."""
    names = secret_names(*_KINDS)
    return {
        name_of(scheme, field): _form_field(scheme, field, _initial(scheme, field, endpoint), names)
        for scheme in SCHEMES.values()
        for field in scheme.fields
    }


def read_scheme(
    name: str, values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """Settings and secrets of the chosen scheme, and what is wrong, by the form's names."""
    scheme = SCHEMES[name]
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    problems: dict[str, str] = {}
    for field in scheme.fields:
        value = values.get(name_of(scheme, field))
        if field.kind == "secret":
            secrets[field.name] = value or ""
            if not value:
                problems[name_of(scheme, field)] = "Choose a secret. Without one nothing is let in."
        else:
            settings[field.name] = field.default if value is None else value
    for mistake in check_settings(name, settings):
        problems[f"scheme_{name}_{mistake.field}"] = mistake.message
    return settings, secrets, problems


def _initial(scheme: Scheme, field: Field, endpoint: InboundEndpoint | None) -> Any:
    if endpoint is None or endpoint.scheme != scheme.name:
        return field.default
    kept = endpoint.scheme_secrets if field.kind == "secret" else endpoint.scheme_settings
    return kept.get(field.name, field.default)


def _form_field(scheme: Scheme, field: Field, initial: Any, names: list[str]) -> forms.Field:
    common: dict[str, Any] = {
        "label": field.label,
        "initial": initial,
        "help_text": field.help,
        "required": False,
    }
    attrs = {"data-scheme": scheme.name}
    match field.kind:
        case "secret":
            choices = [("", "Choose a secret"), *((name, name) for name in names)]
            if initial and initial not in names:
                choices.append((initial, f"{initial} (it is gone)"))
            return forms.ChoiceField(
                choices=choices, widget=UnfoldAdminSelectWidget(attrs=attrs), **common
            )
        case "choice":
            return forms.ChoiceField(
                choices=field.choices, widget=UnfoldAdminSelectWidget(attrs=attrs), **common
            )
        case "number":
            widget = UnfoldAdminIntegerFieldWidget(attrs=attrs)
            return forms.IntegerField(widget=widget, **common)
        case _:
            return forms.CharField(
                widget=UnfoldAdminTextInputWidget(attrs=attrs), strip=False, **common
            )
