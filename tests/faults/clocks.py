"""A clock that can be set: as if somebody had set the machine's."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.clocks import clock_sql

_real_time, _real_time_ns = time.time, time.time_ns


def set_clock(file: Path, offset_s: float) -> None:
    """Processes that watch this file find their clock so far off from now on."""
    new = file.with_suffix(".new")
    new.write_text(str(offset_s))
    new.rename(file)


def offset_of(file: Path) -> float:
    return float(file.read_text())


def shift(patch: Callable[[str, Any], Any], file: Path, *, database_too: bool) -> None:
    """Let this process go by the clock in `file`. `patch(name, value)` replaces a function."""

    def now() -> datetime:
        return datetime.fromtimestamp(_real_time() + offset_of(file), tz=UTC)

    patch("time.time", lambda: _real_time() + offset_of(file))
    patch("time.time_ns", lambda: _real_time_ns() + int(offset_of(file) * 1e9))
    patch("django.utils.timezone.now", now)
    if database_too:
        for module in ("webhooks.claims", "webhooks.outcomes", "webhooks.jobs"):
            patch(f"{module}.shared_now", now)
        patch("webhooks.taking.clock_sql", lambda: _shifted(clock_sql(), offset_of(file)))


def _shifted(sql: str, offset_s: float) -> str:
    return sql if sql == "NULL" else f"{sql} + interval '{offset_s} seconds'"
