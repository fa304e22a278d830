"""What a list says while there is nothing in it: what it is for, and what to do first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmptyState:
    """An admin's `empty_state`. `button` leads to the form that adds the first one, for those who may."""

    icon: str
    title: str
    words: str
    button: str
