"""What the address of the request log asks for. Whatever it says, there is a page: mistakes are told, not raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest

from records.ids import decode
from webhooks.admin.filters import (
    PERIODS,
    STATUS_CLASSES,
    Address,
    asked_id,
    asked_times,
    chosen,
    clean_text,
)
from webhooks.automationlinks import known_automations
from webhooks.logqueries import LogQuery
from webhooks.models import Direction, FormerEndpoint, InboundEndpoint, RequestLog, Webhook

KIND_LABELS: Final = {
    "webhook": "Webhooks",
    "step": "Steps of runs",
    "automation": "Endpoints of automations",
    "form": "Forms",
    "inspector": "Inspectors",
    "rejected": "Rejected",
}
OUTCOMES: Final = {
    **{name[0]: label for name, label in STATUS_CLASSES.items()},
    "error": "No answer",
}
# In milliseconds.
DURATIONS: Final = {
    "100": "Over 0.1 s",
    "1000": "Over 1 s",
    "5000": "Over 5 s",
    "10000": "Over 10 s",
}
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
# The kinds of id that the search takes, and the field each is of.
_ID_FIELDS: Final = {
    "req": "request_id",
    "job": "job_id",
    "evt": "event_id",
    "run": "run_id",
    "hook": "webhook_id",
    "auto": "automation_id",
    "in": "endpoint_id",
}
_FILTER_NAMES: Final = (
    *("q", "direction", "kind", "outcome", "method", "endpoint", "webhook", "automation", "kept"),
    *("took", "who", "time", "from", "to"),
)
# A drop-down names no more than this.
_MAX_CHOICES: Final = 300
_MAX_FORMER: Final = 50


@dataclass(slots=True)
class Asked(Address):
    """With the query that it asks for."""

    query: LogQuery = LogQuery()  # noqa: RUF009 (it is frozen)

    @property
    def is_of_samples(self) -> bool:
        return self.query == LogQuery(is_kept=True)


def read_address(
    parameters: Mapping[str, str], now: datetime, *, sees_addresses: bool = True
) -> Asked:
    """`parameters` are a request's GET. `sees_addresses`: whether this person may know our endpoints' addresses."""
    asked = Asked({name: clean_text(parameters.get(name, "")) for name in _FILTER_NAMES})
    values = asked.values
    query: dict[str, Any] = {
        "direction": _one_of(asked, "direction", Direction.values),
        "kind": _one_of(asked, "kind", KIND_LABELS),
        "outcome": _one_of(asked, "outcome", OUTCOMES),
        "method": _one_of(asked, "method", METHODS),
        "took_ms": int(_one_of(asked, "took", DURATIONS) or 0),
        "who": values["who"],
        "is_kept": bool(_one_of(asked, "kept", ("1",))),
    }
    values["endpoint"] = query["endpoint_id"] = asked_id(asked, InboundEndpoint, values["endpoint"])
    values["webhook"] = query["webhook_id"] = asked_id(asked, Webhook, values["webhook"])
    values["automation"] = query["automation_id"] = _automation(asked)
    query |= _search(asked)
    query |= asked_times(asked, now)
    asked.query = LogQuery(**query, sees_addresses=sees_addresses or not query.get("text"))
    asked.before = asked_id(asked, RequestLog, clean_text(parameters.get("before", "")))
    asked.after = asked_id(asked, RequestLog, clean_text(parameters.get("after", "")))
    return asked


def filter_context(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The drop-downs."""
    return {
        "direction_choices": Direction.choices,
        "kind_choices": list(KIND_LABELS.items()),
        "outcome_choices": list(OUTCOMES.items()),
        "method_choices": METHODS,
        "duration_choices": list(DURATIONS.items()),
        "endpoint_choices": _with_chosen(
            [*_named(InboundEndpoint), *_former()], asked.values["endpoint"]
        ),
        "webhook_choices": _with_chosen(_named(Webhook), asked.values["webhook"]),
        "automation_choices": _with_chosen(
            known_automations().choices(request), asked.values["automation"]
        ),
        "period_choices": [(name, label) for name, (label, _) in PERIODS.items()],
    }


def _one_of(asked: Address, name: str, choices: Any) -> str:
    return chosen(asked, name, {value: value for value in choices}) or ""


def _automation(asked: Address) -> str:
    text = asked.values["automation"].lower()
    try:
        decode("auto", text)
    except ValueError:
        if text:
            asked.problems.append(f"“{text}” is no id of an automation; it was left out.")
        return ""
    return text


def _search(asked: Asked) -> dict[str, Any]:
    """An id is looked up; everything else is looked for in texts."""
    text = asked.values["q"]
    prefix, _, suffix = text.lower().partition("_")
    if prefix not in _ID_FIELDS or len(suffix) != 26:
        return {"text": text}
    try:
        decode(prefix, text.lower())
    except ValueError as error:
        asked.problems.append(f"{error} So there is nothing to find.")
        return {"is_impossible": True}
    return {_ID_FIELDS[prefix]: text.lower()}


def _named(model: Any) -> list[tuple[str, str]]:
    return list(model.objects.order_by("name").values_list("pk", "name")[:_MAX_CHOICES])


def _former() -> list[tuple[str, str]]:
    """Those that were deleted last."""
    return [(gone.pk, str(gone)) for gone in FormerEndpoint.objects.all()[:_MAX_FORMER]]


def _with_chosen(choices: list[tuple[str, str]], chosen_id: str) -> list[tuple[str, str]]:
    if chosen_id and chosen_id not in {pk for pk, _ in choices}:
        return [*choices, (chosen_id, chosen_id)]
    return choices
