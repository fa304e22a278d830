"""Common crons in words: “Every Monday at 09:00”."""

import re
from typing import Final

from automations.triggers.wording import either

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_SHORT: Final = {name[:3].lower(): number for number, name in enumerate(_DAYS)}
_NICKNAMES: Final = {
    "@hourly": "Every hour",
    "@daily": "Every day at 00:00",
    "@midnight": "Every day at 00:00",
    "@weekly": "Every Sunday at 00:00",
    "@monthly": "On day 1 of every month at 00:00",
    "@yearly": "Every year on 1 January at 00:00",
    "@annually": "Every year on 1 January at 00:00",
}


def cron_in_words(text: str) -> str:
    """A cron as people say it; one that is not so common as it is written."""
    if nickname := _NICKNAMES.get(text.strip().lower()):
        return nickname
    parts = text.split()
    plain = f"By the cron “{text.strip()}”"
    if len(parts) != 5 or parts[3] != "*":
        return plain
    minute, hour, day, _, weekday = parts
    if (day, weekday) == ("*", "*") and (words := _within_the_day(minute, hour)):
        return words
    times = _times(minute, hour)
    days = _days(day, weekday)
    return f"{days} at {times}" if times and days else plain


def _within_the_day(minute: str, hour: str) -> str:
    if hour == "*":
        if minute == "*":
            return "Every minute"
        if (step := _step(minute)) and 60 % step == 0:
            return f"Every {step} minutes"
        if minute.isdecimal():
            return "Every hour" if int(minute) == 0 else f"Every hour at minute {int(minute)}"
    if (step := _step(hour)) and 24 % step == 0 and minute.isdecimal():
        behind = f", at minute {int(minute)}" if int(minute) else ""
        return f"Every {step} hours{behind}"
    return ""


def _step(part: str) -> int:
    found = re.fullmatch(r"\*/([0-9]{1,2})", part)
    return int(found[1]) if found and int(found[1]) > 1 else 0


def _times(minute: str, hour: str) -> str:
    """ "09:00 and 17:00"."""
    hours = hour.split(",")
    if not minute.isdecimal() or not all(each.isdecimal() for each in hours):
        return ""
    return either([f"{int(each):02}:{int(minute):02}" for each in hours], "and")


def _days(day: str, weekday: str) -> str:
    if weekday == "*":
        if day == "*":
            return "Every day"
        if day.upper() == "L":
            return "On the last day of every month"
        days = day.split(",")
        if not all(each.isdecimal() for each in days):
            return ""
        written = either([str(int(each)) for each in days], "and")
        return f"On day{'s' if len(days) > 1 else ''} {written} of every month"
    if day != "*":
        return ""
    if found := re.fullmatch(r"(\w+)-(\w+)", weekday):
        ends = [_weekday(each) for each in found.groups()]
        return f"{ends[0]} to {ends[1]}" if all(ends) else ""
    names = [_weekday(each) for each in weekday.split(",")]
    return f"Every {either(names, 'and')}" if all(names) else ""


def _weekday(text: str) -> str:
    number = int(text) % 7 if re.fullmatch("[0-7]", text) else _SHORT.get(text.lower())
    return "" if number is None else _DAYS[number]
