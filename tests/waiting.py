"""Waiting for what other processes do: by condition, never by a fixed sleep."""

import time
from collections.abc import Callable
from typing import Any

import pytest

# Generous, for a busy machine: only a test that fails ever waits for so long.
DEADLINE_S = 20


def wait_until(
    condition: Callable[[], Any], *, what: str = "The condition", timeout_s: float = DEADLINE_S
) -> Any:
    """Poll `condition` until it is true and return its value; fail the test after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {timeout_s} s")
        time.sleep(0.02)
