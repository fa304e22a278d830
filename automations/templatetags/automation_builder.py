"""What the builder's templates need beside what Django has."""

import json
from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

register = template.Library()


@register.simple_tag
def url_or_none(name: str, *args: Any) -> str:
    """The address of a page, or nothing where there is none."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@register.filter
def item(values: Mapping[str, Any], key: str) -> Any:
    return values.get(key)


@register.filter
def dom_id(name: str) -> str:
    """The name of a block or card, `s3/0`, as a part of an id."""
    return name.replace("/", "-").replace("!", "fallback") or "main"


@register.filter
def json_text(value: Any) -> str:
    """For the hidden input of an editor."""
    return json.dumps(value, ensure_ascii=False) if value else ""
