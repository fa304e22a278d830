"""Unfold's decorators with types: the package has none."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import unfold.decorators

Function = TypeVar("Function", bound=Callable[..., Any])


def display(**options: Any) -> Callable[[Function], Function]:
    """A column of a list: `description`, `ordering`, `label` (value → colour)."""
    return cast(Callable[[Function], Function], unfold.decorators.display(**options))


def action(**options: Any) -> Callable[[Function], Function]:
    """A page reached by a button above a list: `description`, `url_path`, `icon`, `permissions`."""
    return cast(Callable[[Function], Function], unfold.decorators.action(**options))
