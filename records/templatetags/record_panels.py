"""The panels of other apps, on a record's page in the admin."""

from typing import Any

from django import template

from records.models import Record
from records.panels import Panel, panels_for

register = template.Library()


@register.simple_tag(takes_context=True)
def record_panels(context: Any, record: Record) -> list[Panel]:
    return panels_for(context["request"], record)
