"""The bell in the header."""

from typing import Any

from django import template

from records.notifications import UNREAD_CAP, unread_count

register = template.Library()


@register.simple_tag
def unread_notifications(user: Any) -> str:
    """How many notifications are new to the user, up to a cap; empty when none is."""
    count = unread_count(user) if user else 0
    if not count:
        return ""
    return f"{UNREAD_CAP}+" if count > UNREAD_CAP else str(count)
