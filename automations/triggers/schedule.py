"""By the clock: a cron with a time zone, or an interval."""

from collections.abc import Collection
from datetime import date
from typing import Annotated, Literal

from django.conf import settings
from pydantic import Field

from automations import timers
from automations.models import Automation
from automations.ticks import FIRST_DAY, TimetableError, check_cron, zone_of
from automations.triggers.base import Trigger, TriggerConfig, trigger
from automations.triggers.cronwords import cron_in_words
from automations.triggers.wording import amount_of

TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ScheduleConfig(TriggerConfig):
    """A cron, or every so many of a unit. It is a timetable as `automations.ticks` wants it."""

    cron: Annotated[str, Field(max_length=200)] = Field(
        "",
        title="Cron",
        description="Minute, hour, day of the month, month, day of the week: “0 9 * * 1” is every Monday at 09:00.",
        json_schema_extra={"input": "text"},
    )
    every: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        title="Or every",
        description="Instead of a cron: every so many minutes, hours, days or weeks.",
        json_schema_extra={"input": "number"},
    )
    unit: Literal["minutes", "hours", "days", "weeks"] = Field(
        "hours", title="Unit", json_schema_extra={"input": "choice"}
    )
    at: TimeOfDay = Field(
        "00:00",
        title="Time of day",
        description="When the interval is counted from: of days and weeks it is when they fire.",
        json_schema_extra={"input": "text"},
    )
    start: date | None = Field(
        None,
        title="Beginning on",
        description=f"The day that the interval is counted from; otherwise a Monday long ago ({FIRST_DAY}).",
        json_schema_extra={"input": "text"},
    )
    timezone: str = Field(
        default_factory=lambda: settings.TIME_ZONE,
        title="Time zone",
        description="Such as America/New_York.",
        json_schema_extra={"input": "text"},
    )


@trigger
class ScheduleTrigger(Trigger):
    name = "schedule"
    label = "By the clock"
    help = (
        "At certain times: a cron with a time zone, or an interval. Ticks that came while nothing ran are made up "
        "for by one."
    )
    icon = "schedule"
    group = "Time"
    is_targeted = True
    has_record = False

    Config = ScheduleConfig

    def event_names(self, config: ScheduleConfig) -> Collection[str]:
        return (timers.TICK,)

    def describe(self, config: ScheduleConfig) -> str:
        return f"{_words(config)} ({config.timezone})"

    def problems(self, config: ScheduleConfig) -> list[tuple[str, str]]:
        if bool(config.cron.strip()) == (config.every is not None):
            return [("cron", "Write a cron, or choose an interval: one of the two.")]
        found = []
        try:
            if config.cron:
                check_cron(config.cron)
        except TimetableError as error:
            found.append((error.field, str(error)))
        try:
            zone_of(config.timezone)
        except TimetableError as error:
            found.append((error.field, str(error)))
        return found

    def arm(self, automation: Automation, config: ScheduleConfig) -> None:
        timers.keep_schedule(automation, config)

    def disarm(self, automation: Automation) -> None:
        timers.drop_schedule(automation)


def _words(config: ScheduleConfig) -> str:
    if config.cron:
        return cron_in_words(config.cron)
    number, unit = config.every or 1, config.unit
    words = f"Every {unit.removesuffix('s') if number == 1 else amount_of(number, unit)}"
    return f"{words} at {config.at}" if unit in ("days", "weeks") else words
