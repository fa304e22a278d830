"""The addresses: finding one for a request, making one for an automation, giving it a new token."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from webhooks.models import EndpointKind, InboundEndpoint
from webhooks.models.inbound import new_token

# A process sees a change, a rotation too, at most so much later: looking costs a query.
ENDPOINT_AGE_S: Final = 1.0
# How long the address from before a rotation may stay good.
GRACES: Final = {
    "0": timedelta(0),
    "3600": timedelta(hours=1),
    "86400": timedelta(days=1),
    "604800": timedelta(days=7),
}
# So many tokens are remembered, also wrong ones; then all are forgotten.
_MAX_REMEMBERED: Final = 2_000
# What a new automation's endpoint lets through in a minute: a thousand a second, half of it from one address.
_PER_MINUTE: Final = 60_000
_PER_ADDRESS_PER_MINUTE: Final = 30_000


@dataclass(frozen=True, slots=True)
class Found:
    """An endpoint by one of its tokens. Shared between threads: never change it."""

    endpoint: InboundEndpoint
    is_test: bool = False


_lock: Final = threading.Lock()
_remembered: Final[dict[str, tuple[Found | None, float]]] = {}


def find_endpoint(token: str, kinds: Sequence[str]) -> Found | None:
    """The endpoint that a token leads to now, if it is of one of these kinds. Mostly without a query."""
    found = _remember(token)
    return found if found and found.endpoint.kind in kinds else None


def _remember(token: str) -> Found | None:
    now = time.monotonic()
    with _lock:
        known = _remembered.get(token)
    if known and known[1] > now:
        return known[0]
    found = _look_up(token)
    with _lock:
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        _remembered[token] = (found, now + ENDPOINT_AGE_S)
    return found


def _look_up(token: str) -> Found | None:
    # PostgreSQL refuses to look for it.
    if not token or len(token) > 60 or not token.isascii() or "\0" in token:
        return None
    is_previous = Q(previous_token=token, previous_token_until__gt=timezone.now())
    endpoint = (
        InboundEndpoint.objects.select_related("object")
        .filter(Q(token=token) | Q(test_token=token) | is_previous)
        .first()
    )
    return Found(endpoint, is_test=endpoint.test_token == token) if endpoint else None


def forget_endpoints(**kwargs: Any) -> None:
    """Look again at the next request."""
    with _lock:
        _remembered.clear()


post_save.connect(forget_endpoints, sender=InboundEndpoint, dispatch_uid="endpoint_saved")
post_delete.connect(forget_endpoints, sender=InboundEndpoint, dispatch_uid="endpoint_deleted")


@transaction.atomic
def endpoint_for_automation(automation_id: str, name: str) -> InboundEndpoint:
    """The endpoint of an automation, made if there is none, and switched on. The same for the same automation."""
    endpoint, is_new = _get_or_create(automation_id, name, is_active=True)
    if not is_new and (endpoint.name != name[:120] or not endpoint.is_active):
        endpoint.name, endpoint.is_active = name[:120], True
        endpoint.save(update_fields=["name", "is_active"])
    return endpoint


@transaction.atomic
def endpoint_for_draft(automation_id: str, name: str) -> InboundEndpoint:
    """The same for a draft that is to be tried: a new one takes requests at its test address only."""
    return _get_or_create(automation_id, name, is_active=False)[0]


def _get_or_create(
    automation_id: str, name: str, *, is_active: bool
) -> tuple[InboundEndpoint, bool]:
    return InboundEndpoint.objects.get_or_create(
        automation_id=automation_id,
        defaults={
            "kind": EndpointKind.AUTOMATION,
            "name": name[:120],
            "is_active": is_active,
            "test_token": new_token(),
            "per_minute": _PER_MINUTE,
            "per_address_per_minute": _PER_ADDRESS_PER_MINUTE,
        },
    )


def close_endpoint(automation_id: str) -> None:
    """The automation takes no requests for now: callers are told to try again later. Its address stays its own."""
    endpoint = InboundEndpoint.objects.filter(automation_id=automation_id, is_active=True).first()
    if endpoint is not None:
        endpoint.is_active = False
        endpoint.save(update_fields=["is_active"])


def delete_endpoint(automation_id: str) -> None:
    """The automation is gone, and with it its addresses. The log keeps what has arrived, and the endpoint's name."""
    # One by one: `FormerEndpoint` and what is remembered here hear of it by signal.
    for endpoint in InboundEndpoint.objects.filter(automation_id=automation_id):
        endpoint.delete()


@transaction.atomic
def rotate_token(*, endpoint: InboundEndpoint, grace: timedelta) -> InboundEndpoint:
    """Give an endpoint a new address; the one before stays good for `grace`. One that is older is gone at once."""
    locked = InboundEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    locked.previous_token, locked.token = (locked.token if grace else None), new_token()
    locked.previous_token_until = timezone.now() + grace if grace else None
    locked.save(update_fields=["token", "previous_token", "previous_token_until"])
    return locked


@transaction.atomic
def rotate_test_token(*, endpoint: InboundEndpoint) -> InboundEndpoint:
    """A new test address; the one before is gone at once."""
    locked = InboundEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    locked.test_token = new_token()
    locked.save(update_fields=["test_token"])
    return locked
