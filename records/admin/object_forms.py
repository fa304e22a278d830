"""Forms of fields and stages: options and defaults in plain inputs instead of JSON."""

import re
from typing import Any, ClassVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.text import slugify
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from records.fieldkinds import KINDS, kind_of
from records.fieldkinds.base import raw_text
from records.models import FieldDefinition, FieldKind, Stage

# The input that shows each option.
INPUTS: dict[str, str] = {
    "choices": "choices_text",
    "min": "minimum",
    "max": "maximum",
    "places": "places",
    "currency": "currency",
    "object": "linked_object",
}


class PartForm(forms.ModelForm):  # type: ignore[type-arg]
    """A part of an object; its slug follows from its label where none is given."""

    slug = forms.CharField(
        label="Name in expressions",
        required=False,
        max_length=50,
        widget=UnfoldAdminTextInputWidget,
        help_text="Left empty, it follows from the label.",
    )

    # New rows have none until they are dragged somewhere.
    position = forms.IntegerField(
        required=False, min_value=0, max_value=32767, widget=UnfoldAdminTextInputWidget
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"] or slug_of(self.cleaned_data.get("label", ""))
        if not slug and "label" in self.cleaned_data:
            raise ValidationError("No name follows from this label; write one.")
        return slug

    def clean_position(self) -> int | None:
        position: int | None = self.cleaned_data["position"]
        return self.instance.position if position is None and self.instance.pk else position


class StageForm(PartForm):
    class Meta:
        model = Stage
        fields = ("label", "slug", "colour", "position")


class FieldForm(PartForm):
    """A field. Which of the inputs matter depends on the kind; the others are ignored."""

    # Filled once for all rows, by the inline.
    object_choices: ClassVar[list[tuple[str, str]]] = []

    default_text = forms.CharField(
        label="Default",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="“today” and “now” are understood for dates.",
    )
    choices_text = forms.CharField(
        label="Choices",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One on each line: the value, or “value | label”.",
    )
    minimum = forms.CharField(
        label="Minimum",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of a text: of its length.",
    )
    maximum = forms.CharField(label="Maximum", required=False, widget=UnfoldAdminTextInputWidget)
    places = forms.CharField(
        label="Decimal places", required=False, widget=UnfoldAdminTextInputWidget
    )
    currency = forms.CharField(
        label="Currency",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="A code of three letters: EUR.",
    )
    linked_object = forms.ChoiceField(
        label="Linked object", required=False, widget=UnfoldAdminSelectWidget
    )

    class Meta:
        model = FieldDefinition
        fields = (
            "label",
            "slug",
            "kind",
            "required",
            "unique",
            "in_list",
            "help_text",
            "position",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = cast(forms.ChoiceField, self.fields["linked_object"])
        choices.choices = [("", "—"), *self.object_choices]
        self.fields["kind"].widget.attrs["data-options"] = _options_by_kind()
        if self.instance.pk and self.instance.kind in FieldKind.values:
            self._show_options()

    def _show_options(self) -> None:
        options = self.instance.options if isinstance(self.instance.options, dict) else {}
        for name, field in INPUTS.items():
            self.initial[field] = options.get(name, "")
        self.initial["choices_text"] = choices_text(options.get("choices", []))
        if self.instance.default is not None:
            shown = kind_of(self.instance).to_input(self.instance.default, self.instance)
            if isinstance(shown, list):
                shown = "; ".join(map(str, shown))
            self.initial["default_text"] = raw_text(shown)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind_name = cleaned.get("kind")
        if kind_name not in FieldKind.values:
            return cleaned
        options = {name: cleaned.get(field) for name, field in INPUTS.items()}
        options["choices"] = read_choices(cleaned.get("choices_text") or "")
        kind = KINDS[kind_name]
        self.instance.kind = kind_name
        self.instance.options = {
            name: options[name] for name in kind.option_names if options[name] not in (None, "", [])
        }
        text = cleaned.get("default_text") or ""
        try:
            self.instance.default = kind.read_text(text, self.instance) if text else None
        except ValidationError as error:
            self.add_error("default_text", error)
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Messages about options and default stand beside the inputs that show them."""
        if hasattr(errors, "error_dict"):
            found = errors.error_dict
            if "default" in found:
                found["default_text"] = found.pop("default")
            for error in found.pop("options", []):
                found.setdefault(_input_of(error), []).append(error)
        super()._update_errors(errors)  # type: ignore[misc]


class PartFormSet(PaginationInlineFormSet):  # type: ignore[misc]
    """New rows come last, unless they were dragged somewhere."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        if form.instance.position is None:
            rows = self.model.objects.filter(object=self.instance)
            last = rows.aggregate(last=Max("position"))["last"]
            form.instance.position = 0 if last is None else last + 1
        return super().save_new(form, commit=commit)


def slug_of(label: str) -> str:
    """ "Estimated value (EUR)" → "estimated_value_eur"."""
    slug = re.sub(r"[^a-z0-9]+", "_", slugify(label)).strip("_")[:50]
    return slug if not slug or slug[0].isalpha() else f"f_{slug}"[:50]


def read_choices(text: str) -> list[dict[str, str]]:
    """Lines of “value” or “value | label”."""
    choices = []
    for line in text.splitlines():
        value, _, label = (part.strip() for part in line.partition("|"))
        if value:
            choices.append({"value": value, "label": label or value})
    return choices


def choices_text(choices: list[dict[str, str]]) -> str:
    return "\n".join(
        choice["value"]
        if choice["value"] == choice["label"]
        else f"{choice['value']} | {choice['label']}"
        for choice in choices
    )


def _input_of(error: ValidationError) -> str:
    """The input for an option's message, which begins with the option's name."""
    return INPUTS.get(str(error.message).partition(":")[0], "kind")


def _options_by_kind() -> str:
    """For the script that hides inputs: “number:minimum,maximum;…”."""
    return ";".join(
        f"{name}:{','.join(INPUTS[option] for option in kind.option_names)}"
        for name, kind in KINDS.items()
    )
