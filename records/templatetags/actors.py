"""Who did something, with a link where there is a page about it."""

from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from records.actorlinks import run_url

register = template.Library()


@register.simple_tag(takes_context=True)
def actor_link(context: Any, name: str, run_id: str | None) -> SafeString:
    """The name; that of a run leads to its page, for those who may see it."""
    url = run_url(context["request"], run_id)
    if not url:
        return conditional_escape(name)
    return format_html('<a href="{}" title="Open the run">{}</a>', url, name)
