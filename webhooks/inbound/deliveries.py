"""The same delivery once more: known by its sender's id, within a window."""

import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from records.expressions import ExpressionError, Namespace, evaluate
from webhooks.inbound.refusals import OtherBody
from webhooks.inbound.requests import Incoming
from webhooks.models import Arrival, InboundEndpoint

# One statement of the cleaning removes so many; one answer to the bell goes on for so long.
_FORGET_AT_ONCE: Final = 1_000
_FORGET_FOR_S: Final = 0.5
# A row that stands in the way may be cleaned up just before it is read.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """An id and a body, as their row has them."""

    key: uuid.UUID
    body_hash: uuid.UUID


def delivery_of(incoming: Incoming) -> Delivery | None:
    """What a request is known by; None for one that has no id, which is always new."""
    name = _name_of(incoming)
    if not name:
        return None
    return Delivery(_digest(name.encode(errors="replace")), _digest(incoming.body))


def claim(
    delivery: Delivery, *, endpoint: InboundEndpoint, request_id: str, event_id: str | None
) -> Arrival | None:
    """Take a delivery for the first one: None. If it is not, its first arrival. Raises OtherBody.

    Inside the transaction that stores the request: of two at once the later waits for the other to commit.
    """
    for _ in range(_TRIES):
        if _insert(delivery, endpoint, request_id, event_id):
            return None
        first = Arrival.objects.filter(endpoint=endpoint, key=delivery.key).first()
        if first is not None:
            if first.body_hash != delivery.body_hash:
                raise OtherBody
            return first
    raise RuntimeError("A delivery can neither be stored nor found.")


def has_old_deliveries() -> bool:
    return _old().exists()


def forget_old_deliveries() -> int:
    """Remove some of what is outside of its window. How many rows."""
    until = time.monotonic() + _FORGET_FOR_S
    count = 0
    while time.monotonic() < until:
        ids = list(_old().order_by("expires_at").values_list("pk", flat=True)[:_FORGET_AT_ONCE])
        count += Arrival.objects.filter(pk__in=ids).delete()[0] if ids else 0
        if len(ids) < _FORGET_AT_ONCE:
            break
    return count


def _old() -> QuerySet[Arrival]:
    return Arrival.objects.filter(expires_at__lt=timezone.now())


def _name_of(incoming: Incoming) -> str:
    source = incoming.endpoint.duplicate_key
    if not source:
        return incoming.delivery_id
    try:
        value = evaluate(source, {"webhook": Namespace(incoming.context, label="`webhook`")})
    except ExpressionError:  # this request has no such part
        return ""
    return "" if value is None or value == "" else f"{type(value).__name__}:{value}"


def _digest(data: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.sha256(data).digest()[:16])


def _insert(
    delivery: Delivery, endpoint: InboundEndpoint, request_id: str, event_id: str | None
) -> bool:
    """One statement: a new row, or one that is out of its window made new. False: one stands in the way."""
    now = timezone.now()
    values: dict[str, Any] = {
        "endpoint": endpoint.pk,
        "key": delivery.key,
        "body_hash": delivery.body_hash,
        "request_id": request_id,
        "event_id": event_id,
        "expires_at": now + timedelta(seconds=endpoint.duplicate_window_s),
    }
    meta = Arrival._meta
    fields = [meta.get_field(name) for name in values]
    columns = [str(field.column) for field in fields]  # type: ignore[union-attr]
    written = [
        field.get_db_prep_save(value, connection)  # type: ignore[union-attr]
        for field, value in zip(fields, values.values(), strict=True)
    ]
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns[2:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({', '.join(columns)}) "  # noqa: S608
            f"VALUES ({', '.join(['%s'] * len(columns))}) "
            f"ON CONFLICT (endpoint_id, key) DO UPDATE SET {updates}, answer = NULL "
            f"WHERE {meta.db_table}.expires_at < %s RETURNING id",
            [*written, _moment(now)],
        )
        return cursor.fetchone() is not None


def _moment(now: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(now)
