"""Where jobs wait because a destination is in trouble, the pages say so."""

from typing import Any

from django import template
from django.utils import timezone

from webhooks.destinations import next_probe_at, troubled_destinations
from webhooks.models import Circuit, Destination

register = template.Library()


@register.filter
def next_probe(destination: Destination) -> Any:
    return next_probe_at(destination, timezone.now())


@register.inclusion_tag("admin/webhooks/destination/_banner.html", takes_context=True)
def destination_banner(context: Any, lane: str) -> dict[str, Any]:
    """Why a job waits: its destination is paused or disabled. Nothing when it works."""
    rows = Destination.objects.filter(lane=lane).exclude(circuit=Circuit.CLOSED)
    return {"destinations": list(rows), "may_open": _may_open(context)}


@register.inclusion_tag("admin/webhooks/destination/_banner.html", takes_context=True)
def troubled_destinations_banner(context: Any) -> dict[str, Any]:
    """The destinations for which jobs wait."""
    return {"destinations": troubled_destinations(), "may_open": _may_open(context)}


def _may_open(context: Any) -> bool:
    from webhooks.admin.links import can_view  # the admin itself loads template tags

    return can_view(context["request"], Destination)
