"""What a template may cost, and the purse each rendering pays from.

The language has no loops and no definitions, so the work of an expression is bounded by its length
times what each operation does; the purse bounds the operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Problem

MAX_TEMPLATE = 64 * 1024  # characters of one template or bare expression
MAX_EXPRESSIONS = 500  # `{{ … }}` in one template
MAX_TOKENS = 2_000  # names, numbers, texts and signs in one expression
MAX_BRACKETS = 25  # nested brackets; the parser takes some 14 Python frames for each
MAX_DEPTH = 100  # nested operations; evaluating takes one Python frame for each
MAX_TEXT = 1024 * 1024  # characters of any text made, and of everything one rendering puts out
MAX_ITEMS = 100_000  # items of any list made
MAX_VALUE_DEPTH = 64  # lists within objects within lists…, of a value that is copied or written
MAX_INTEGER_BITS = 512  # some 150 digits; JSON readers elsewhere stop far earlier
MAX_DECIMAL_EXPONENT = 400  # written plainly, 1E+400 takes 401 digits; floats end at 1E+308
MAX_WORK = 500_000  # steps of one rendering: about one item, or 128 characters, for each


class Scope:
    """The names one rendering sees and what it may still spend; never shared between threads."""

    __slots__ = ("names", "room", "work")

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names
        self.work = MAX_WORK
        self.room = MAX_TEXT

    def spend(self, steps: int) -> None:
        """Pay for work; raises Problem when the purse is empty."""
        self.work -= steps
        if self.work < 0:
            raise Problem(f"this takes too much work; the limit is {MAX_WORK:,} steps")

    def spend_text(self, characters: int) -> None:
        """Pay for work that passes over a text of so many characters."""
        self.spend(1 + characters // 128)

    def emit(self, characters: int) -> None:
        """Take room in the output; raises Problem when it is full."""
        self.room -= characters
        if self.room < 0:
            raise Problem(f"the result is too large; the limit is {MAX_TEXT:,} characters")


def check_text_size(characters: int) -> None:
    """Refuse to make a text of this length."""
    if characters > MAX_TEXT:
        raise Problem(f"this text would be too large; the limit is {MAX_TEXT:,} characters")


def check_list_size(items: int) -> None:
    """Refuse to make a list of this length."""
    if items > MAX_ITEMS:
        raise Problem(f"this list would be too large; the limit is {MAX_ITEMS:,} items")
