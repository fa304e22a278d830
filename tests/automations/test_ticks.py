"""When schedules tick, around the days on which clocks are changed most of all."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from automations.ticks import TimetableError, check_cron, next_ticks, zone_of
from automations.triggers.cronwords import cron_in_words
from automations.triggers.schedule import ScheduleConfig


def cron(text: str, zone: str = "UTC") -> ScheduleConfig:
    return ScheduleConfig(cron=text, timezone=zone)


def every(number: int, unit: str, zone: str = "UTC", **values: object) -> ScheduleConfig:
    return ScheduleConfig(every=number, unit=unit, timezone=zone, **values)


def ticks(timetable: ScheduleConfig, after: str, count: int) -> list[str]:
    """The ticks after a time on the wall, as times on the wall: "08 03:30-0400"."""
    zone = ZoneInfo(timetable.timezone)
    begin = datetime.fromisoformat(after).replace(tzinfo=zone)
    return [
        f"{each.astimezone(zone):%d %H:%M%z}"
        for each in next_ticks(timetable, begin.astimezone(UTC), count)
    ]


NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("timetable", "after", "expected"),
    [
        # A skipped time comes once, later by as much as the clocks go forward; the next day it is itself again.
        (cron("30 2 * * *", NEW_YORK), "2026-03-07T12:00", ["08 03:30-0400", "09 02:30-0400"]),
        (cron("30 2 * * *", BERLIN), "2026-03-28T12:00", ["29 03:30+0200", "30 02:30+0200"]),
        (cron("15 2 * * *", LORD_HOWE), "2026-10-03T12:00", ["04 02:45+1100", "05 02:15+1100"]),
        # A skipped time and the one that it falls on are one tick.
        (
            cron("30 2,3 * * *", NEW_YORK),
            "2026-03-07T12:00",
            ["08 03:30-0400", "09 02:30-0400", "09 03:30-0400"],
        ),
        # Later by half an hour, behind one that was not skipped: none is lost.
        (
            cron("15,20,40 2 * * *", LORD_HOWE),
            "2026-10-03T12:00",
            ["04 02:40+1100", "04 02:45+1100", "04 02:50+1100", "05 02:15+1100"],
        ),
        # A time that comes twice ticks once, in its first pass.
        (cron("30 1 * * *", NEW_YORK), "2026-10-31T12:00", ["01 01:30-0400", "02 01:30-0500"]),
        (cron("30 2 * * *", BERLIN), "2026-10-24T12:00", ["25 02:30+0200", "26 02:30+0100"]),
        (cron("45 1 * * *", LORD_HOWE), "2026-04-04T12:00", ["05 01:45+1100", "06 01:45+1030"]),
        # A cron for every hour goes by real time.
        (
            cron("0 * * * *", NEW_YORK),
            "2026-10-31T23:30",
            ["01 00:00-0400", "01 01:00-0400", "01 01:00-0500", "01 02:00-0500"],
        ),
        (cron("0 * * * *", NEW_YORK), "2026-03-08T00:30", ["08 01:00-0500", "08 03:00-0400"]),
        # A whole day that never was: its tick falls on the next day's.
        (
            cron("0 12 * * *", "Pacific/Apia"),
            "2011-12-28T13:00",
            ["29 12:00-1000", "31 12:00+1400"],
        ),
        (cron("0 9 * * 1", NEW_YORK), "2026-03-02T08:00", ["02 09:00-0500", "09 09:00-0400"]),
        (cron("@daily"), "2026-01-01T00:00", ["02 00:00+0000"]),
        (cron("0 0 29 2 *"), "2026-01-01T00:00", ["29 00:00+0000"]),
        # Hours are elapsed time, days go by the clock on the wall.
        (
            every(6, "hours", NEW_YORK),
            "2026-03-08T00:30",
            ["08 07:00-0400", "08 13:00-0400", "08 19:00-0400"],
        ),
        (
            every(1, "days", NEW_YORK, at="02:30"),
            "2026-03-07T02:30",
            ["08 03:30-0400", "09 02:30-0400"],
        ),
        (
            every(2, "weeks", start=date(2026, 1, 7), at="08:00"),
            "2026-01-07T08:00",
            ["21 08:00+0000", "04 08:00+0000"],
        ),
        (every(90, "minutes", start=date(2026, 1, 1)), "2026-01-01T01:00", ["01 01:30+0000"]),
        # Nothing comes before the day it begins on.
        (every(5, "minutes", start=date(2026, 2, 1)), "2026-01-01T00:00", ["01 00:00+0000"]),
        (every(3, "days", start=date(2026, 2, 1)), "2026-01-01T00:00", ["01 00:00+0000"]),
    ],
)
def test_ticks_by_the_clock_on_the_wall(
    timetable: ScheduleConfig, after: str, expected: Sequence[str]
) -> None:
    assert ticks(timetable, after, len(expected)) == expected


@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN, LORD_HOWE, "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize(
    "begin", [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 20, tzinfo=UTC)]
)
def test_every_quarter_of_an_hour_is_one_in_real_time_also_when_clocks_change(
    zone: str, begin: datetime
) -> None:
    found = next_ticks(cron("*/15 * * * *", zone), begin, 50 * 24 * 4)
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=15)}


def test_ticks_taken_one_by_one_are_those_taken_at_once() -> None:
    timetable = cron("10,50 1-3 * * *", NEW_YORK)
    for begin in (datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)):
        at_once, one_by_one = next_ticks(timetable, begin, 30), [begin]
        for _ in range(30):
            one_by_one += next_ticks(timetable, one_by_one[-1])
        assert one_by_one[1:] == at_once


def test_after_the_end_of_the_calendar_there_are_no_ticks() -> None:
    assert next_ticks(every(9999, "weeks"), datetime(9990, 1, 1, tzinfo=UTC), 3) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "A cron has five parts"),
        ("0 9 * *", "has 4"),
        ("0 0 9 * * *", "has 6"),
        ("61 * * * *", "“61” is no minute"),
        ("0 25 * * *", "“25” is no hour"),
        ("0 0 32 * *", "“32” is no day of the month"),
        ("0 0 * 13 *", "“13” is no month"),
        ("0 0 * * mom", "“mom” is no day of the week"),
        ("*/0 * * * *", "“*/0” is no minute"),
        ("H * * * *", "“H” is no minute"),
        ("R(1-5) * * * *", "is no minute"),
        ("0 0 30 2 *", "No day of any year fits"),
        ("x" * 500, "has 1"),
    ],
)
def test_a_wrong_cron_says_which_part_is_wrong(text: str, words: str) -> None:
    with pytest.raises(TimetableError, match=r".") as caught:
        check_cron(text)
    assert words in str(caught.value)
    assert caught.value.field == "cron"


@pytest.mark.parametrize(
    "text", ["* * * * *", "0 9 * * MON-FRI", "0 0 L * *", "@weekly", "5,10-20/2 * 1 jan 0"]
)
def test_crons_that_people_write_are_right(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Berlin", "did you mean “Europe/Berlin”"),
        ("america/new york", "did you mean “America/New_York”"),
        ("Mars/Olympus", "write one such as"),
        ("../../etc/passwd", "There is no time zone"),
        ("", "There is no time zone"),
    ],
)
def test_an_unknown_time_zone_says_what_was_meant(name: str, words: str) -> None:
    with pytest.raises(TimetableError, match="time zone") as caught:
        zone_of(name)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 9 * * 1", "Every Monday at 09:00"),
        ("0 9 * * mon,wed,5", "Every Monday, Wednesday and Friday at 09:00"),
        ("30 8 * * 1-5", "Monday to Friday at 08:30"),
        ("0 9,17 * * *", "Every day at 09:00 and 17:00"),
        ("0 0 1 * *", "On day 1 of every month at 00:00"),
        ("0 6 1,15 * *", "On days 1 and 15 of every month at 06:00"),
        ("0 6 L * *", "On the last day of every month at 06:00"),
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 * * * *", "Every hour"),
        ("20 * * * *", "Every hour at minute 20"),
        ("5 */6 * * *", "Every 6 hours, at minute 5"),
        ("@daily", "Every day at 00:00"),
        # Not evenly spaced, so not “every 7 minutes”; and what has no short form.
        ("*/7 * * * *", "By the cron “*/7 * * * *”"),
        ("0 9 1 * 1", "By the cron “0 9 1 * 1”"),
        ("0 9 * 3 1", "By the cron “0 9 * 3 1”"),
        ("0 9-17 * * *", "By the cron “0 9-17 * * *”"),
    ],
)
def test_common_crons_in_words(text: str, words: str) -> None:
    assert cron_in_words(text) == words
