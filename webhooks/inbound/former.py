"""Endpoints that were deleted: the request log still names them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from webhooks.models import FormerEndpoint, InboundEndpoint, RequestLog


@receiver(post_delete, sender=InboundEndpoint)
def keep_name(instance: InboundEndpoint, **kwargs: Any) -> None:
    FormerEndpoint.objects.create(pk=instance.pk, name=instance.name, kind=instance.kind)


def former_endpoints(rows: Iterable[RequestLog]) -> Mapping[str, FormerEndpoint]:
    """By id, those of rows that were read with their endpoints and have none any more. One query, if there are such."""
    gone = {row.endpoint_id for row in rows if row.endpoint_id and row.endpoint is None}
    return FormerEndpoint.objects.in_bulk(gone) if gone else {}
