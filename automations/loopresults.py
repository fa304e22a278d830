"""What each round of a loop has come to, kept small enough for a run's row: the rows of the steps have it all. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from automations.cursors import Frame
from automations.jsonvalues import capped

# So many entries are kept with what came of them; of those behind them only the ones that failed.
MAX_RESULTS: Final = 50
MAX_FAILURES: Final = 100
_MAX_ERROR: Final = 200  # characters
# Entries and outputs of a loop share so much JSON.
_ROOM: Final = 16_000
_LEAST: Final = 40


def add_result(frame: Frame, outputs: Mapping[str, Any], error: str = "") -> None:
    """The round that the frame is at has ended; `outputs` are those of its steps, by their ids."""
    place, results = frame["n"], frame["results"]
    frame["failed"] = frame.get("failed", 0) + bool(error)
    if len(results) >= (MAX_FAILURES if error else MAX_RESULTS):
        return
    share = _ROOM // min(len(frame["items"]), MAX_RESULTS) // 2
    result: dict[str, Any] = {
        "index": place,
        "item": capped(frame["items"][place], share),
        "status": "failed" if error else "succeeded",
    }
    if error:
        result["error"] = error[:_MAX_ERROR]
    if outputs:
        result["outputs"] = _capped_outputs(outputs, share)
    results.append(result)


def _capped_outputs(outputs: Mapping[str, Any], share: int) -> Any:
    """Each by its step, unless there are so many that nothing of them would be left."""
    each = share // len(outputs)
    if each < _LEAST:
        return capped(outputs, share)
    return {name: capped(value, each) for name, value in outputs.items()}


def outcome_of(frame: Frame) -> dict[str, Any]:
    """The loop's output."""
    return {
        "count": len(frame["items"]),
        "failed": frame.get("failed", 0),
        "results": frame["results"],
    }
