"""What a kind of input has to know."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.datastructures import MultiValueDict

from automations.builder.fields import FormField
from automations.builder.place import Place

# The config does without this key, so that its default holds.
MISSING: Final = object()
Data = MultiValueDict[str, Any]


class Input:
    """Shows a value of a config, and reads it from what is sent. What can't be read is kept as it was entered: the
    draft holds it with its mistake."""

    template: ClassVar[str] = "text"
    # How the script inserts names: "text" ({{ name }}), "bare" (name), "url" ({name}); empty: no expressions.
    expression: ClassVar[str] = ""
    # Several inputs under one heading, instead of one with a label.
    is_group: ClassVar[bool] = False

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        """What the template needs beside `field`, `name`, `id` and `value`."""
        return {}

    def shown(self, field: FormField, value: Any) -> Any:
        """The value as the input has it."""
        return "" if value is None else value

    def read(self, field: FormField, data: Data, name: str) -> Any:
        """The value for the config; MISSING leaves it out."""
        raise NotImplementedError

    def is_sent(self, data: Data, name: str) -> bool:
        """Whether the form had this input at all."""
        return any(key == name or key.startswith(f"{name}-") for key in data)


INPUTS: Final[dict[str, Input]] = {}


def input_kind(*names: str) -> Any:
    """Register a class under the names that configs declare."""

    def register(kind: type[Input]) -> type[Input]:
        for name in names:
            INPUTS[name] = kind()
        return kind

    return register


def input_of(field: FormField) -> Input:
    return INPUTS.get(field.kind) or INPUTS["expression"]


def text_in(data: Data, name: str) -> str:
    """One text, its line ends as everywhere; without what databases refuse."""
    return str(data.get(name) or "").replace("\r\n", "\n").replace("\0", "")


def texts_in(data: Data, name: str) -> list[str]:
    return [str(value).replace("\r\n", "\n").replace("\0", "") for value in data.getlist(name)]
