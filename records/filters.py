"""Filtering a list by the fields of its object: one small class for each way a kind of field is filtered.

Every filter reads its own parameters from the query string (`f.<field>`, `f.<field>.from`, `f.<field>.to`) and
answers with controls for the form and with what is set. A value that makes no sense is told, never obeyed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Final

from django.db.models import Q
from django.db.models.lookups import (
    Exact,
    GreaterThanOrEqual,
    IContains,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
)
from django.utils import timezone

from records.columns import JSONListHas, JSONMoment, JSONNumber, JSONText
from records.ids import decode
from records.models import FieldDefinition, FieldKind, Record, User

MAX_VALUE_LENGTH: Final = 200
# A link is filtered by the linked records' title; so many of them are followed.
MAX_LINKED: Final = 200

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Control:
    """One input of the filter form."""

    name: str
    label: str
    widget: str  # "text", "number", "date", "select"
    value: str = ""
    choices: Choices = ()


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """What filters one thing: one control, or a range of two."""

    label: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that is set: which parameter it is, how it reads, what it asks of the database."""

    name: str
    text: str
    condition: Any


@dataclass(slots=True)
class Reading:
    """What was read from the query string so far."""

    filters: list[Filter] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class BadValueError(ValueError):
    """The value does not fit the filter; the text says why."""


class FieldFilter:
    """The filter of one field: contains, for everything that is text."""

    suffixes: ClassVar[Mapping[str, str]] = {"": "contains"}
    widget: ClassVar[str] = "text"

    def __init__(self, definition: FieldDefinition) -> None:
        self.definition = definition

    def parameter(self, suffix: str) -> str:
        return f"f.{self.definition.slug}{suffix}"

    def choices(self) -> Choices:
        return ()

    def controls(self, params: Mapping[str, str]) -> ControlGroup:
        controls = []
        for suffix, word in self.suffixes.items():
            name = self.parameter(suffix)
            controls.append(Control(name, word, self.widget, params.get(name, ""), self.choices()))
        return ControlGroup(self.definition.label, tuple(controls))

    def read(self, params: Mapping[str, str], reading: Reading) -> None:
        for suffix, word in self.suffixes.items():
            name = self.parameter(suffix)
            value = params.get(name, "")
            if not value:
                continue
            try:
                condition, shown = self.condition(suffix, value)
            except BadValueError as error:
                reading.notices.append(
                    f"The filter on {self.definition.label} was ignored: {error}"
                )
                continue
            text = f"{self.definition.label} {word} {shown}".strip()
            reading.filters.append(Filter(name, text, condition))

    def condition(self, suffix: str, value: str) -> tuple[Any, str]:
        return IContains(JSONText(self.definition.slug), value), f"“{value}”"


class ChoiceFilter(FieldFilter):
    suffixes = {"": "is"}
    widget = "select"

    def choices(self) -> Choices:
        return [
            (str(choice.get("value", "")), str(choice.get("label") or choice.get("value", "")))
            for choice in self.definition.options.get("choices", ())
        ]

    def condition(self, suffix: str, value: str) -> tuple[Any, str]:
        label = dict(self.choices()).get(value)
        if label is None:
            raise BadValueError(f"“{value}” is not one of its choices.")
        return self.lookup(value), label

    def lookup(self, value: str) -> Any:
        return Exact(JSONText(self.definition.slug), value)


class MultiChoiceFilter(ChoiceFilter):
    suffixes = {"": "has"}

    def lookup(self, value: str) -> Any:
        return JSONListHas(self.definition.slug, value)


class BooleanFilter(ChoiceFilter):
    def choices(self) -> Choices:
        return [("yes", "Yes"), ("no", "No")]

    def lookup(self, value: str) -> Any:
        yes = Exact(JSONNumber(self.definition.slug), 1.0)
        # What was never answered counts as no, as it looks in the list.
        return (
            yes if value == "yes" else ~Q(yes) | Q(IsNull(JSONNumber(self.definition.slug), True))
        )


class PresenceFilter(ChoiceFilter):
    def choices(self) -> Choices:
        return [("yes", "Filled"), ("no", "Empty")]

    def lookup(self, value: str) -> Any:
        return IsNull(JSONText(self.definition.slug), value == "no")


class UserFilter(ChoiceFilter):
    """The choices are the users, put in by the list (it needs them for the owner, too)."""

    users: Choices = ()

    def choices(self) -> Choices:
        return self.users


class LinkFilter(FieldFilter):
    """By the linked record's title, or by its id (which is how a record's page links here)."""

    def condition(self, suffix: str, value: str) -> tuple[Any, str]:
        column = JSONText(self.definition.slug)
        if is_record_id(value):
            title = Record.objects.filter(pk=value).values_list("title", flat=True).first()
            return Exact(column, value), f"“{title or value}”"
        linked = Record.objects.alive().filter(
            object__slug=str(self.definition.options.get("object", "")), title__icontains=value
        )
        ids = list(linked.values_list("pk", flat=True)[:MAX_LINKED])
        return (In(column, ids) if ids else Q(pk__in=[])), f"“{value}”"


class NumberFilter(FieldFilter):
    suffixes = {".from": "from", ".to": "to"}
    widget = "number"

    def condition(self, suffix: str, value: str) -> tuple[Any, str]:
        try:
            number = float(value.replace(",", "."))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadValueError(f"“{value}” is not a number.")
        lookup = GreaterThanOrEqual if suffix == ".from" else LessThanOrEqual
        return lookup(JSONNumber(self.definition.slug), number), value


class DateFilter(FieldFilter):
    suffixes = {".from": "from", ".to": "to"}
    widget = "date"

    def condition(self, suffix: str, value: str) -> tuple[Any, str]:
        day = read_day(value)
        lookup = GreaterThanOrEqual if suffix == ".from" else LessThanOrEqual
        return lookup(JSONMoment(self.definition.slug), day.isoformat()), value


class DatetimeFilter(DateFilter):
    """Whole days of the installation's time zone; moments are stored in UTC."""

    def condition(self, suffix: str, value: str) -> tuple[Any, str]:
        day = read_day(value) if suffix == ".from" else read_day(value) + timedelta(days=1)
        start = timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
        # Without the zone: a prefix of what is stored, however that writes UTC and fractions.
        text = start.replace(tzinfo=None).isoformat()
        lookup = GreaterThanOrEqual if suffix == ".from" else LessThan
        return lookup(JSONMoment(self.definition.slug), text), value


_FILTERS: Final[dict[str, type[FieldFilter]]] = {
    FieldKind.NUMBER: NumberFilter,
    FieldKind.DECIMAL: NumberFilter,
    FieldKind.CURRENCY: NumberFilter,
    FieldKind.BOOLEAN: BooleanFilter,
    FieldKind.DATE: DateFilter,
    FieldKind.DATETIME: DatetimeFilter,
    FieldKind.CHOICE: ChoiceFilter,
    FieldKind.MULTI_CHOICE: MultiChoiceFilter,
    FieldKind.USER: UserFilter,
    FieldKind.LINK: LinkFilter,
    FieldKind.FILE: PresenceFilter,
    FieldKind.JSON: PresenceFilter,
}


def field_filter(definition: FieldDefinition, users: Choices) -> FieldFilter:
    """The filter that suits a field's kind."""
    made = _FILTERS.get(definition.kind, FieldFilter)(definition)
    if isinstance(made, UserFilter):
        made.users = users
    return made


def user_choices(limit: int = 200) -> Choices:
    """Users to choose from, by name."""
    users = User.objects.filter(is_active=True).order_by("first_name", "last_name", "username")
    return [(user.pk, str(user)) for user in users[:limit]]


def is_record_id(text: str) -> bool:
    try:
        decode("rec", text)
    except ValueError:
        return False
    return True


def read_day(text: str) -> date:
    """Raises BadValueError unless the text is a date of a year that every database knows."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1900 <= day.year <= 9000:
        raise BadValueError(f"“{text}” is not a date such as 2025-01-31.")
    return day
