"""Dates, and moments. Stored as ISO 8601 text: a date as it is, a moment in UTC with a Z."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import dateparse, formats, timezone

from records.fieldkinds.base import Kind
from records.models.objects import FieldDefinition

# A day inside of what can be computed with, so that every time zone can show every moment.
EARLIEST: Final = dt.datetime.min.replace(tzinfo=dt.UTC) + dt.timedelta(days=1)
LATEST: Final = dt.datetime.max.replace(tzinfo=dt.UTC) - dt.timedelta(days=1)
OUT_OF_RANGE: Final = "This moment is out of range."


class Date(Kind):
    """A day. As a default, “today” is the day on which the record is created."""

    compare_type = "date"
    option_names = ("min", "max")
    can_be_unique = True

    def clean(self, value: Any, field: FieldDefinition) -> str | None:
        if self.is_empty(value):
            return None
        day = _day(value)
        low, high = field.options.get("min"), field.options.get("max")
        if low and day.isoformat() < low:
            raise ValidationError(f"Enter a date that is not before {low}.")
        if high and day.isoformat() > high:
            raise ValidationError(f"Enter a date that is not after {high}.")
        return day.isoformat()

    def clean_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        cleaned = {}
        for name in ("min", "max"):
            if options.get(name) not in (None, ""):
                try:
                    cleaned[name] = dt.date.fromisoformat(str(options[name])).isoformat()
                except ValueError:
                    raise ValidationError(f"{name}: write a date as 2025-01-31.") from None
        return cleaned

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        day = _parse(dateparse.parse_date, value)
        return formats.date_format(day) if day else super().to_text(value, field)

    def widget(self, field: FieldDefinition) -> forms.Widget:
        limits = {name: field.options[name] for name in ("min", "max") if name in field.options}
        return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **limits})


class DateTime(Kind):
    """A moment. As a default, “now” is the moment at which the record is created.

    Text without an offset is meant in the current time zone.
    """

    compare_type = "datetime"

    def clean(self, value: Any, field: FieldDefinition) -> str | None:
        if self.is_empty(value):
            return None
        moment = _moment(value)
        if timezone.is_naive(moment):
            moment = timezone.make_aware(moment)
        try:
            moment = moment.astimezone(dt.UTC)
        except OverflowError:
            raise ValidationError(OUT_OF_RANGE) from None
        if not _is_in_range(moment):
            raise ValidationError(OUT_OF_RANGE)
        return moment.isoformat().replace("+00:00", "Z")

    def to_text(self, value: Any, field: FieldDefinition) -> str:
        moment = _stored_moment(value)
        if moment is None:
            return super().to_text(value, field)
        return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT")

    def to_input(self, value: Any, field: FieldDefinition) -> Any:
        moment = _stored_moment(value)
        if moment is None:
            return super().to_input(value, field)
        local = timezone.localtime(moment).replace(tzinfo=None)
        # Not strftime: it writes years before 1000 with fewer than four digits.
        return local.isoformat(timespec="seconds" if local.second else "minutes")

    def widget(self, field: FieldDefinition) -> forms.Widget:
        return forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


def _is_in_range(moment: dt.datetime) -> bool:
    return EARLIEST <= moment <= LATEST


def _stored_moment(value: Any) -> dt.datetime | None:
    """A moment as this kind stores it; None for what was stored when the field was something else."""
    moment: dt.datetime | None = _parse(dateparse.parse_datetime, value)
    if moment is None or timezone.is_naive(moment) or not _is_in_range(moment):
        return None
    return moment


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if isinstance(value, dt.date):
        return value
    if value in ("today", "now"):
        return timezone.localdate()
    day: dt.date | None = _parse(dateparse.parse_date, value)
    if day is None:
        moment = _parse(dateparse.parse_datetime, value)
        if moment is None:
            raise ValidationError("Enter a date, such as 2025-01-31.")
        return _day(moment)
    return day


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    if value == "now":
        return timezone.now().replace(microsecond=0)
    if value == "today":
        return dt.datetime.combine(timezone.localdate(), dt.time())
    moment: dt.datetime | None = _parse(dateparse.parse_datetime, value)
    if moment is None:
        day = _parse(dateparse.parse_date, value)
        if day is None:
            raise ValidationError("Enter a date and time, such as 2025-01-31T10:30:00Z.")
        return dt.datetime.combine(day, dt.time())
    return moment


def _parse(parse: Any, value: Any) -> Any:
    """What Django reads from a text; None for what is no text, or a date that does not exist."""
    if not isinstance(value, str) or len(value) > 50:
        return None
    try:
        return parse(value.strip())
    except ValueError:
        return None
