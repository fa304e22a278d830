"""Values to try expressions with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from records.expressions import ExpressionError, Namespace, Symbol, render_typed

NOW = datetime(2025, 1, 15, 10, 30, tzinfo=UTC)


KEY = Symbol("§key§")


CONTEXT: dict[str, Any] = {
    "record": Namespace(
        {
            "name": "Ada Lovelace",
            "amount": 3,
            "price": Decimal("12.50"),
            "ratio": 0.5,
            "owner": None,
            "active": True,
            "due": "2025-01-31",
            "tags": ["b", "a", "B"],
            "items": [{"sku": "s1", "n": 2}, {"sku": "s2", "n": 1}],
            "externalId": "A/7 ü",
        },
        label="Leads",
    ),
    "now": NOW,
    "today": date(2025, 1, 15),
    "webhook": {
        "body": {"email": "a@example.org", "items": [{"sku": "x1"}], "_id": 9, "get": "key"},
        "headers": {"X-Id": "7"},
    },
    "steps": {"lookup": {"response": {"id": 42}}},
    "secrets": Namespace({"api_key": KEY}, label="Signalbox", noun="secret"),
    "huge": 10**5000,
    "infinite": float("inf"),
    "vars": {"key": "name", "list": [1, 2, 3], "empty": {}, "url": "https://a.example/x?y=1"},
}


def error_of(source: str, context: Mapping[str, Any] = CONTEXT) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        render_typed(source, context)
    return caught.value
