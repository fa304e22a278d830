"""The forms of a secret: values go in, and none comes out, not even of a form that was refused."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from webhooks.exceptions import SecretRefused
from webhooks.keyring import SIGNING_KINDS
from webhooks.models import Secret
from webhooks.secret_services import clean_value, require_unused_name

_OVERLAPS: Final = (
    ("0", "Not at all"),
    ("1", "1 hour"),
    ("24", "1 day"),
    ("72", "3 days"),
    ("168", "1 week"),
    ("720", "30 days"),
)


_KIND_HELP: Final = (
    "A text is put into requests. A signing key signs them, and is never sent itself; nor is the key of a client"
    " certificate, with which Signalbox shows who it is over TLS."
)
_VALUE_HELP: Final = "Leave it empty to keep the value there is. It is never shown."
_NEW_VALUE_HELP: Final = (
    "It is never shown again. Blanks around it are dropped. An empty signing key is generated. A client certificate"
    " is PEM text: the certificate, those between it and its authority, and its private key without a password."
)


class ValueWidget(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """An input that is always empty when a page is shown."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        quiet = {"rows": 3, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        super().__init__({**quiet, **(attrs or {})})

    def format_value(self, value: Any) -> str:
        return ""


class ValueField(forms.CharField):
    """A secret's value."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=ValueWidget(), **kwargs)

    def to_python(self, value: Any) -> str:
        """The lines of a key end as they did before a browser sent them."""
        return str(super().to_python(value)).replace("\r\n", "\n")


class SecretForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none when it runs
    value = ValueField()

    class Meta:
        model = Secret
        fields = ("name", "kind", "value", "description")
        widgets: ClassVar = {
            "name": UnfoldAdminTextInputWidget(
                {"autocomplete": "off", "spellcheck": "false", "placeholder": "api_key"}
            ),
            "kind": UnfoldAdminSelectWidget(),
            "description": UnfoldAdminTextareaWidget({"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_new = self.instance._state.adding
        if "kind" in self.fields:  # not for those who may only look
            self.fields["kind"].disabled = not is_new
            self.fields["kind"].help_text = _KIND_HELP if is_new else ""
        if not is_new and self.instance.is_signing_key:  # it is not overwritten, it is rotated
            self.fields.pop("value", None)
        if "value" in self.fields:
            self.fields["value"].help_text = _NEW_VALUE_HELP if is_new else _VALUE_HELP

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not self.instance._state.adding and name != self.initial["name"]:
            _refuse(require_unused_name, self.initial["name"])
        return name

    @sensitive_variables("value", "values")
    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        value = values.get("value", "")
        kind = values.get("kind") or self.instance.kind
        is_new = self.instance._state.adding
        if value:
            self._check_value(kind, value)
        elif is_new and kind not in SIGNING_KINDS and "value" not in self.errors:
            self.add_error("value", "Enter the value.")
        if value and self.errors and "value" not in self.errors:
            self.add_error("value", "Enter it again: what was entered is not sent back.")
        return values

    @sensitive_variables("value")
    def _check_value(self, kind: str, value: str) -> None:
        try:
            _refuse(clean_value, kind, value)
        except ValidationError as error:
            self.add_error("value", error)


class RotationForm(forms.Form):
    """A new signing key in the place of the old."""

    overlap_h = forms.ChoiceField(
        label="The old key signs too for",
        choices=_OVERLAPS,
        initial="24",
        widget=UnfoldAdminSelectWidget(),
        help_text="Until then each request has both signatures, and receivers can change over.",
    )
    value = ValueField(label="New key", help_text="Leave it empty, and one is generated.")
    # What the person had before their eyes: a second click rotates nothing.
    seen = forms.CharField(widget=forms.HiddenInput)

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap_h"]))


def _refuse(check: Any, *arguments: str) -> None:
    try:
        check(*arguments)
    except SecretRefused as refusal:
        raise ValidationError(str(refusal).replace("`", "")) from None
