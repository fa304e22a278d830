"""Values in a URL are percent-encoded."""

from __future__ import annotations

import pytest

from records.expressions import ExpressionError, render_text, render_url
from tests.records.expressions.context import CONTEXT


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://x.example/{record.externalId}", "https://x.example/A%2F7%20%C3%BC"),
        ("https://x.example/{{ record.externalId }}?n={ record.amount }",
         "https://x.example/A%2F7%20%C3%BC?n=3"),
        ("https://x.example/?{{ {'q': record.name} | urlencode }}",
         "https://x.example/?q=Ada+Lovelace"),
        ("https://x.example/?f={{ record.tags }}",
         "https://x.example/?f=%5B%22b%22%2C%22a%22%2C%22B%22%5D"),
        ("{{ vars.url }}", "https://a.example/x?y=1"),
        (" {{ vars.url }} ", "https://a.example/x?y=1"),
        ("{vars.url}", "https%3A%2F%2Fa.example%2Fx%3Fy%3D1"),
        ("https://x.example/a/{{ '..' }}/b", "https://x.example/a/%2E%2E/b"),
        ("https://x.example/?k={secrets.api_key}", "https://x.example/?k=§key§"),
        ('https://x.example/?f={"a":1}{}', 'https://x.example/?f={"a":1}{}'),
        ("https://x.example/{record.items.0.sku}", "https://x.example/s1"),
    ],
)  # fmt: skip
def test_urls_encode_what_is_inserted(source: str, expected: str) -> None:
    assert render_url(source, CONTEXT) == expected


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("https://x.example/{record.nmae}", "did you mean `name`?", 27),
        ("https://x.example/{record.name|upper}", "only a name with dots can stand", 19),
        ("https://x.example/{record", "only a name with dots can stand", 19),
        ("https://x.example/{id}", "unknown name `id`", 20),
    ],
)
def test_errors_in_urls(source: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        render_url(source, CONTEXT)

    assert message in caught.value.message
    assert caught.value.column == column


def test_the_short_form_is_for_urls_only() -> None:
    assert render_text("{record.name}", CONTEXT) == "{record.name}"
