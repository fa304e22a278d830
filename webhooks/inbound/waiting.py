"""Callers that wait for their run's answer: so many at once, and so long, and no longer."""

import threading
import time
from typing import Final

from django.conf import settings

from webhooks.inbound.runs import RunState, known_runs

# Longer than this no caller waits: proxies give up after a minute at the latest.
MAX_WAIT_S: Final = 30
# One look is one small query, outside of any transaction. Most runs end within the first few.
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.2

# Half of a web process's threads: the others are there for everybody else.
_places: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


def wait_for_answer(event_id: str, run_id: str | None, wait_s: float) -> RunState | None:
    """The run's state once it has an answer or has ended; None when that takes too long, or too many wait already."""
    if not _places.acquire(blocking=False):
        return None
    try:
        return _wait(event_id, run_id, time.monotonic() + min(wait_s, MAX_WAIT_S))
    finally:
        _places.release()


def _wait(event_id: str, run_id: str | None, until: float) -> RunState | None:
    runs = known_runs()
    pause_s = _FIRST_PAUSE_S
    while True:
        run_id = run_id or runs.run_of_event(event_id)
        state = runs.state_of_run(run_id) if run_id else None
        if state is not None and (state.answer is not None or state.has_ended):
            return state
        left_s = until - time.monotonic()
        if left_s <= 0:
            return None
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
