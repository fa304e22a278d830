"""Times, durations and sizes in words, as the pages of webhook jobs show them."""

from datetime import datetime

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def due_in(moment: datetime | None) -> str:
    """ "in 4 min"; no finer than a minute, a script on the page counts the seconds."""
    if moment is None:
        return ""
    seconds = int((moment - timezone.now()).total_seconds())
    if seconds <= 0:
        return "now"
    if seconds < 60:
        return "in under a minute"
    return f"in {_rough(seconds)}"


@register.filter
def ago(moment: datetime | None) -> str:
    """ "3 min ago"."""
    if moment is None:
        return ""
    seconds = int((timezone.now() - moment).total_seconds())
    return "just now" if seconds < 60 else f"{_rough(seconds)} ago"


@register.filter
def milliseconds(value: int | None) -> str:
    """43 → "43 ms", 1234 → "1.2 s", 90000 → "1 min 30 s"."""
    if value is None:
        return ""
    if value < 1000:
        return f"{value} ms"
    if value < 60_000:
        return f"{value / 1000:.1f} s"
    minutes, seconds = divmod(round(value / 1000), 60)
    return f"{minutes} min {seconds} s"


@register.filter
def size(value: int) -> str:
    """1536 → "1.5 KB"."""
    return f"{value} B" if value < 1000 else f"{value / 1000:,.1f} KB"


@register.filter
def moment(value: datetime | None) -> str:
    """The exact time, for titles: 2025-01-31 09:30:12 UTC."""
    if value is None:
        return ""
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S %Z")


def _rough(seconds: int) -> str:
    for length, unit in ((86400, "d"), (3600, "h")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds // 60} min"
