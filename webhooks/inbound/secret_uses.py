"""Endpoints use secrets: to verify who sends."""

from collections.abc import Iterator

from django.urls import reverse

from webhooks.models import InboundEndpoint
from webhooks.secret_uses import Use, finds_uses


@finds_uses
def endpoint_uses() -> Iterator[tuple[str, Use]]:
    columns = ("name", "is_active", "scheme_secrets")
    for endpoint in InboundEndpoint.objects.exclude(scheme_secrets={}).only(*columns):
        url = reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk])
        for name in set(endpoint.scheme_secrets.values()) - {""}:
            use = Use(endpoint.name, "Inbound endpoint", url, ("verification",), endpoint.is_active)
            yield name, use
