"""How each kind of input is shown and read, one small class for each kind."""

from automations.builder.inputs import choices, numbers, references, rows, structures, texts
from automations.builder.inputs.base import INPUTS, MISSING, Input, input_of

__all__ = [
    "INPUTS",
    "MISSING",
    "Input",
    "choices",
    "input_of",
    "numbers",
    "references",
    "rows",
    "structures",
    "texts",
]
