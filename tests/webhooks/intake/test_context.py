"""What expressions see of a request that came in."""

import pytest

from records.expressions import render_typed
from webhooks.intake.context import webhook_context
from webhooks.intake.parsing import parse

HEADERS = [
    ("Content-Type", "Application/JSON; charset=utf-8"),
    ("X-Topic", "orders"),
    ("x-topic", "paid"),
    ("Authorization", "Bearer sk_live_0123456789abcdef"),
    ("X-Odd\0", "\ud800"),
]


@pytest.fixture
def context():
    parsed = parse(b'{"email": "a@b.c", "n": 1}', "application/json")
    return webhook_context("POST", HEADERS, {"page": "2"}, parsed)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{{ webhook.body.email }}", "a@b.c"),
        ("{{ webhook.body.n + 1 }}", 2),
        ("{{ webhook.query.page }}", "2"),
        ("{{ webhook.method }}", "POST"),
        ("{{ webhook.raw }}", '{"email": "a@b.c", "n": 1}'),
        ("{{ webhook.content_type }}", "application/json"),
        ("{{ webhook.headers['x-topic'] }}", "orders, paid"),
        ("{{ webhook.headers['content-type'] }}", "Application/JSON; charset=utf-8"),
        ("{{ webhook.headers.authorization }}", "Bearer sk_l•••cdef"),
    ],
)
def test_expressions_see_it(context, expression, value):
    assert render_typed(expression, {"webhook": context}) == value


def test_headers_can_be_stored(context):
    assert context["headers"]["x-odd�"] == "�"


def test_nothing_came_with_it():
    assert webhook_context("GET", [], {}, parse(b"", "")) == {
        "method": "GET",
        "headers": {},
        "query": {},
        "body": None,
        "raw": "",
        "content_type": "",
    }
