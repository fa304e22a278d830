"""What the address of a history page asks for. Whatever it says, there is a page: mistakes are told, not raised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from records.ids import decode
from webhooks.history import HistoryQuery, Tab
from webhooks.models import Webhook, WebhookJob
from webhooks.summaries import ERROR_NAMES

STATUS_CLASSES: Final = {
    "2xx": "2xx · successful",
    "3xx": "3xx · redirected",
    "4xx": "4xx · refused",
    "5xx": "5xx · failed there",
}
PERIODS: Final = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
_MAX_LENGTH: Final = 500
# The kinds of id that the search takes, and the field each is of.
_ID_FIELDS: Final = {"job": "job_id", "evt": "event_id", "rec": "record_id", "hook": "webhook_id"}
# What stays when another tab is chosen.
_FILTER_NAMES: Final = ("q", "webhook", "status", "error", "time", "from", "to")


@dataclass(slots=True)
class Address:
    """What stands in an address, where on the pages it is, and what in it was not understood."""

    values: dict[str, str]
    before: str = ""
    after: str = ""
    problems: list[str] = field(default_factory=list)

    def address(self, **changes: str) -> str:
        """The query string of this page with other values: `?tab=failures&q=…`."""
        values = {**self.values, **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value})


@dataclass(slots=True)
class Asked(Address):
    """With the query that it asks for."""

    query: HistoryQuery = HistoryQuery()  # noqa: RUF009 (it is frozen)


def read_address(parameters: Mapping[str, str], now: datetime) -> Asked:
    """`parameters` are a request's GET."""
    values = {name: clean_text(parameters.get(name, "")) for name in ("tab", *_FILTER_NAMES)}
    asked = Asked(values)
    query: dict[str, Any] = {
        "tab": chosen(asked, "tab", {tab.value: tab for tab in Tab}) or Tab.ALL
    }
    values["webhook"] = query["webhook_id"] = asked_id(asked, Webhook, values["webhook"])
    if status := chosen(asked, "status", {name: name for name in STATUS_CLASSES}):
        query["status_class"] = int(status[0])
    query |= _search(asked)
    query["error_kind"] = chosen(asked, "error", {name: name for name in ERROR_NAMES}) or ""
    query |= asked_times(asked, now)
    asked.query = HistoryQuery(**query)
    asked.before = asked_id(asked, WebhookJob, clean_text(parameters.get("before", "")))
    asked.after = asked_id(asked, WebhookJob, clean_text(parameters.get("after", "")))
    return asked


def clean_text(text: str) -> str:
    return text.replace("\0", "").strip()[:_MAX_LENGTH]


def chosen(asked: Address, name: str, choices: Mapping[str, Any]) -> Any:
    """What the value stands for; None for none, and for one that is no choice."""
    value = asked.values[name]
    if not value:
        return None
    if value not in choices:
        asked.problems.append(f"“{value}” is no choice of the filter “{name}”; it was left out.")
        asked.values[name] = ""
        return None
    return choices[value]


def clean_id(model: type[Model], text: str) -> str:
    """An id as the database takes it, or "" for what is none."""
    try:
        return str(model._meta.pk.to_python(text)) if text else ""
    except ValidationError:
        return ""


def asked_id(asked: Address, model: type[Model], text: str) -> str:
    """The id as the database takes it, or "" for what is none."""
    pk = clean_id(model, text)
    if text and not pk:
        asked.problems.append(
            f"“{text}” is no id of a {model._meta.verbose_name}; it was left out."
        )
    return pk


def _search(asked: Asked) -> dict[str, Any]:
    """An id is looked up; everything else is looked for in texts."""
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


def asked_times(asked: Address, now: datetime) -> dict[str, Any]:
    """`since` and `until` of the values “time”, “from” and “to”."""
    if period := chosen(asked, "time", {name: span for name, (_, span) in PERIODS.items()}):
        asked.values["from"] = asked.values["to"] = ""
        return {"since": now - period}
    return {"since": _time(asked, "from"), "until": _time(asked, "to")}


def _time(asked: Address, name: str) -> datetime | None:
    text = asked.values[name]
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError as error:
        asked.problems.append(f"{error}; it was left out.")
        asked.values[name] = ""
        return None


def read_moment(text: str) -> datetime:
    """A time as an address or a field has it, in the time zone that people see. Raises ValueError, with the words."""
    try:
        # A blank would be a plus sign that the address did not escape.
        moment = parse_datetime(text.replace(" ", "+") if "T" in text else text)
        if moment is None:
            raise ValueError(text)
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
        return moment.astimezone(timezone.get_current_timezone())
    except (ValueError, OverflowError):
        raise ValueError(f"“{text}” is no time like 2025-01-31T09:30") from None
