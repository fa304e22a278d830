"""What the address of the runs' history asks for. Whatever it says, there is a page: mistakes are told, not raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from automations.history import RunsQuery, Tab
from automations.models import Automation, Run, RunMode, RunStatus
from records.ids import decode
from webhooks.admin.filters import Address, asked_id, asked_times, chosen, clean_text
from webhooks.summaries import ERROR_NAMES

# Kinds of failures: a step's own, and those of the requests that steps send.
ERROR_KINDS: Final = {
    "expression": "Expression",
    "record": "Record refused the change",
    "step": "Step could not be done",
    "stop": "Stopped as failed",
    "status": "Receiver refused",
    "response": "Answer not as expected",
    "webhook": "Webhook job gone or cancelled",
    "missing": "Action not installed",
    "run": "Too many steps",
    **{kind: name for kind, name in ERROR_NAMES.items() if kind != "template"},
}
# Statuses that have no tab of their own.
STATUSES: Final = {
    status.value: status.label
    for status in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.HALTED, RunStatus.CANCELLED)
}
MODES: Final = dict(RunMode.choices)
# The kinds of id that the search takes, and the field each is of.
_ID_FIELDS: Final = {
    "run": "run_id",
    "evt": "event_id",
    "rec": "record_id",
    "auto": "automation_id",
}
# What stays when another tab is chosen; a status is a choice of the first tab alone.
_FILTER_NAMES: Final = ("q", "automation", "status", "mode", "error", "cause", "time", "from", "to")


@dataclass(slots=True)
class Asked(Address):
    """With the query that it asks for."""

    query: RunsQuery = RunsQuery()  # noqa: RUF009 (it is frozen)


def read_address(parameters: Mapping[str, str], now: datetime) -> Asked:
    """`parameters` are a request's GET."""
    values = {name: clean_text(parameters.get(name, "")) for name in ("tab", *_FILTER_NAMES)}
    asked = Asked(values)
    tab = chosen(asked, "tab", {tab.value: tab for tab in Tab}) or Tab.ALL
    if tab != Tab.ALL:
        values["status"] = ""
    query: dict[str, Any] = {"tab": tab}
    values["automation"] = query["automation_id"] = asked_id(
        asked, Automation, values["automation"]
    )
    values["cause"] = query["cause_id"] = asked_id(asked, Run, values["cause"])
    query["status"] = chosen(asked, "status", {name: name for name in STATUSES}) or ""
    query["mode"] = chosen(asked, "mode", {name: name for name in MODES}) or ""
    query["error_kind"] = chosen(asked, "error", {name: name for name in ERROR_KINDS}) or ""
    query |= _search(asked)
    query |= asked_times(asked, now)
    asked.query = RunsQuery(**query)
    asked.before = asked_id(asked, Run, clean_text(parameters.get("before", "")))
    asked.after = asked_id(asked, Run, clean_text(parameters.get("after", "")))
    return asked


def _search(asked: Asked) -> dict[str, Any]:
    """An id is looked up; everything else is looked for in the reasons."""
    text = asked.values["q"]
    prefix = text.partition("_")[0]
    if prefix not in _ID_FIELDS or "_" not in text:
        return {"text": text}
    try:
        decode(prefix, text.lower())
    except ValueError as error:
        asked.problems.append(f"{error} So there is nothing to find.")
        return {"is_impossible": True}
    return {_ID_FIELDS[prefix]: text.lower()}
