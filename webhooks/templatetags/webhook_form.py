"""Words of the webhook's form."""

from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString

from webhooks.summaries import ERROR_NAMES

register = template.Library()


@register.filter
def code(text: object) -> SafeString:
    """What stands between `marks` as code."""
    from webhooks.admin.bodies import with_code  # the admin itself loads template tags

    return with_code(str(text))


@register.filter
def with_label(words: str, label: str) -> SafeString:
    """With the name of the field, unless the words begin with it."""
    if not label or words.lower().startswith(label[:4].lower()):
        return code(words)
    return format_html("{}: {}", label, code(words))


@register.filter
def error_name(error_kind: str) -> str:
    return ERROR_NAMES.get(error_kind, error_kind)


@register.filter
def article(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeio' else 'a'} {noun}"


@register.filter
def has_errors(form: BaseForm, names: str) -> bool:
    return any(name in form.errors for name in names.split())


@register.filter
def general_errors(field: BoundField) -> list[Any]:
    """What is wrong with rows as a whole; the rest stands at its row."""
    by_row = getattr(field.field.widget, "mistakes", {})
    shown = {words for mistakes in by_row.values() for words in mistakes}
    return [error for error in field.errors if str(error) not in shown]
