"""From a template and a context to the exact request."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from records.expressions import Namespace
from webhooks.jsontext import JSONTextError, read_json, write_json
from webhooks.rendering import (
    MAX_BODY_BYTES,
    RenderError,
    RequestTemplate,
    lane_of,
    matches,
    render_request,
)

RECORD = Namespace(
    {
        "id": "rec_1",
        "name": "Jane Smith",
        "company": "Tech Corp",
        "estimated_value": 12500,
        "external_id": "a/b c?&#ü",
        "partner_id": "P-7",
        "email": None,
        "tags": ["new", "hot"],
        "address": {"city": "Köln"},
        "is_vip": True,
        "script": '{{ record.id }} "quoted"\nline',
        "absolute": "https://hooks.example.com/T0/B0?x=1",
        "price": Decimal("0.10"),
    },
    label="Leads",
)
CONTEXT = {"record": RECORD, "now": datetime(2025, 1, 15, 10, 30, tzinfo=UTC)}
PAYLOAD = {"event": "record.created", "data": {"id": "rec_1"}}


def row(name: str, value: str, kind: str = "") -> dict[str, str]:
    return {"name": name, "value": value} | ({"type": kind} if kind else {})


def render(url: str = "https://example.com/hook", method: str = "POST", **values: Any) -> Any:
    return render_request(RequestTemplate(method=method, url=url, **values), CONTEXT, PAYLOAD)


@pytest.mark.parametrize(
    ("url", "values", "expected"),
    [
        ("https://example.com/hook", {}, "https://example.com/hook"),
        (
            "https://api.example.com/customers/{record.external_id}",
            {},
            "https://api.example.com/customers/a%2Fb%20c%3F%26%23%C3%BC",
        ),
        (
            "https://api.example.com/{{ record.external_id }}/x",
            {},
            "https://api.example.com/a%2Fb%20c%3F%26%23%C3%BC/x",
        ),
        ("{{ record.absolute }}", {}, "https://hooks.example.com/T0/B0?x=1"),
        ("https://{{ record.company | lower | replace(' ', '-') }}.example.com/", {},
         "https://tech-corp.example.com/"),
        (
            "https://x.example/partners/{customer.partner_id}/sync",
            {"path_params": [row("customer", "{{ record }}")]},
            "https://x.example/partners/P-7/sync",
        ),
        (
            "https://x.example/{id}/{what}",
            {"path_params": [row("id", "{{ record.name }}"), row("what", "a b")]},
            "https://x.example/Jane%20Smith/a%20b",
        ),
        (
            "https://x.example/?a=1",
            {"query_params": [row("b", "{{ record.name }}"), row("b", "2"), row("ü", "&=")]},
            "https://x.example/?a=1&b=Jane+Smith&b=2&%C3%BC=%26%3D",
        ),
        ("https://x.example/p", {"query_params": [row("a", "1")]}, "https://x.example/p?a=1"),
        ("https://x.example/p?", {"query_params": [row("a", "1")]}, "https://x.example/p?a=1"),
        ("https://x.example/p?a=1#top", {"query_params": [row("b", "2")]},
         "https://x.example/p?a=1&b=2"),
        ("  https://x.example/p#frag  ", {}, "https://x.example/p"),
    ],
)  # fmt: skip
def test_url(url: str, values: dict[str, Any], expected: str) -> None:
    assert render(url, **values).url == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "https://x.example/{record.nmae}"}, ["URL, column 27", "`nmae`", "`name`"]),
        ({"url": "ftp://x.example/"}, ["URL", "ftp:"]),
        ({"url": "example.com/hook"}, ["URL", "https://example.com/hook"]),
        ({"url": "https://x.example:99999/"}, ["URL", "port"]),
        ({"url": "https://{{ record.company }}/"}, ["URL", "Tech%20Corp"]),
        ({"url": "{{ record.name }}"}, ["URL", "space"]),
        ({"url": "https://x.example/" + "a" * 9000}, ["URL", "8192"]),
        ({"path_params": [row("id", "{{ record.nmae }}")]}, ["Path parameter `id`", "`name`"]),
        ({"query_params": [row("q", "{{ 1 / 0 }}")]}, ["Query parameter `q`", "divide by zero"]),
        ({"headers": [row("X-Id", "{{ record.nmae }}")]}, ["Header `X-Id`", "did you mean `name`"]),
        ({"headers": [row("X-Id", "a{{ record.script }}")]}, ["Header `X-Id`", "line break"]),
        ({"headers": [row("X Id", "a")]}, ["Header `X Id`", "name"]),
        ({"headers": [row("Host", "a")]}, ["Header `Host`", "itself"]),
        ({"body_kind": "json", "body": '{"a": tru}'}, ["Body, column 7", "not valid JSON"]),
        ({"body_kind": "json", "body": '{\n "a": 1,\n "b": }'}, ["Body, line 3, column 7"]),
        ({"body_kind": "json", "body": '{"a": {{ record.id }}}'}, ["between quotes"]),
        (
            {"body_kind": "json", "body": '{"a":\n["{{ record.nmae }}"]}'},
            ["Body, line 2, column 3", "`name`"],
        ),
        ({"body_kind": "text", "body": "a\n{{ record.nmae }}"}, ["Body, line 2", "`name`"]),
        ({"body_kind": "text", "body": "a\0"}, ["Body", "NUL"]),
        ({"body_kind": "text", "body": "\ud800"}, ["Body", "surrogate"]),
        (
            {"body_kind": "text", "body": "{{ record.name }}" + "x" * MAX_BODY_BYTES},
            ["Body", "too long"],
        ),
        ({"body_kind": "rows", "body_rows": [row("n", "abc", "number")]}, ["Body row `n`", "abc"]),
        ({"body_kind": "rows", "body_rows": [row("n", "1_000", "number")]}, ["is no number"]),
        ({"body_kind": "rows", "body_rows": [row("b", "maybe", "boolean")]}, ["neither"]),
        ({"body_kind": "rows", "body_rows": [row("j", "[1,", "json")]}, ["Body row `j`", "JSON"]),
    ],
)
def test_what_cannot_be_made_says_which_part_and_why(
    values: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(RenderError) as caught:
        render(**values)
    for each in words:
        assert each in str(caught.value)


def test_a_body_over_the_limit_is_refused() -> None:
    rows = [row(f"r{number}", "{{ record.name }}" + "x" * 60_000, "string") for number in range(20)]
    with pytest.raises(RenderError, match=r"Body: It has 1,2\d\d,\d\d\d bytes"):
        render(body_kind="rows", body_rows=rows)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"text": "New: {{record.name}} ({{record.company}}) - ${{record.estimated_value}}"}',
         {"text": "New: Jane Smith (Tech Corp) - $12500"}),
        ('{"n": "{{ record.estimated_value }}", "t": "{{ record.tags }}"}',
         {"n": 12500, "t": ["new", "hot"]}),
        ('{"a": "{{ record.address }}", "e": "{{ record.email }}", "v": "{{ record.is_vip }}"}',
         {"a": {"city": "Köln"}, "e": None, "v": True}),
        ('["{{ now }}", {"deep": ["x{{ record.estimated_value + 1 }}"]}]',
         ["2025-01-15T10:30:00Z", {"deep": ["x12501"]}]),
        ('{"s": "{{ record.script }}"}', {"s": '{{ record.id }} "quoted"\nline'}),
        ('"{{ record.name }}"', "Jane Smith"),
    ],
)  # fmt: skip
def test_json_body_keeps_types(body: str, expected: Any) -> None:
    request = render(body_kind="json", body=body)
    assert json.loads(request.body) == expected
    assert request.headers == [("Content-Type", "application/json")]


def test_json_numbers_keep_their_digits() -> None:
    body = '{"a": 1500.00, "b": "{{ record.price }}", "c": 12345678901234567.89, "d": 1e400}'
    assert render(body_kind="json", body=body).body == (
        '{"a":1500.00,"b":0.10,"c":12345678901234567.89,"d":1E+400}'
    )


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "{{ record.estimated_value }}", "12500"),
        ("string", "", ""),
        ("number", "{{ record.estimated_value }}", 12500),
        ("number", "12", 12),
        ("number", "-1.5", -1.5),
        ("number", "1e3", 1000),
        ("number", "{{ record.email }}", None),
        ("number", "", None),
        ("boolean", "{{ record.is_vip }}", True),
        ("boolean", "{{ record.estimated_value > 10 }}", True),
        ("boolean", "No", False),
        ("boolean", "", None),
        ("json", "{{ record.tags }}", ["new", "hot"]),
        (
            "json",
            '[{"sku": "WIDGET-001", "quantity": 10}]',
            [{"sku": "WIDGET-001", "quantity": 10}],
        ),
        ("json", '{"n": "{{ record.estimated_value }}"}', {"n": 12500}),
        ("json", "", None),
    ],
)
def test_typed_rows(kind: str, value: str, expected: Any) -> None:
    request = render(body_kind="rows", body_rows=[row("x", value, kind)])
    assert json.loads(request.body) == {"x": expected}


@pytest.mark.parametrize("kind", ["string", "json"])
def test_a_value_is_never_read_as_a_template_or_as_json(kind: str) -> None:
    rows = [row("a", "{{ record.script }}", kind), row("b", '["{{ record.script }}"]', kind)]
    body = json.loads(render(body_kind="rows", body_rows=rows).body)
    assert body["a"] == RECORD["script"]
    assert RECORD["script"] in body["b"][0] if kind == "json" else RECORD["script"] in body["b"]


@pytest.mark.parametrize(
    ("method", "kind", "content_type", "has_body"),
    [
        ("POST", "default", "application/json", True),
        ("PUT", "default", "application/json", True),
        ("PATCH", "default", "application/json", True),
        ("GET", "default", None, False),
        ("DELETE", "default", None, False),
        ("DELETE", "json", "application/json", True),
        ("POST", "none", None, False),
        ("POST", "text", "text/plain; charset=utf-8", True),
    ],
)
def test_body_and_content_type_follow_method_and_kind(
    method: str, kind: str, content_type: str | None, has_body: bool
) -> None:
    request = render(method=method, body_kind=kind, body='"x"')
    assert dict(request.headers).get("Content-Type") == content_type
    assert bool(request.body) is has_body


def test_a_content_type_of_ones_own_replaces_ours_whatever_its_case() -> None:
    request = render(headers=[row("content-TYPE", "application/vnd.api+json")])
    assert request.headers == [("content-TYPE", "application/vnd.api+json")]


def test_header_values_are_rendered_and_trimmed() -> None:
    rows = [
        row("Authorization", " Bearer {{ record.partner_id }} "),
        row("X-A", "1"),
        row("X-A", "2"),
    ]
    assert render(headers=rows).headers[1:] == [
        ("Authorization", "Bearer P-7"),
        ("X-A", "1"),
        ("X-A", "2"),
    ]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("", True), ("  ", True), ("record.estimated_value > 10000", True), ("record.email", False)],
)
def test_filter(condition: str, expected: bool) -> None:
    assert matches(condition, CONTEXT) is expected


def test_a_mistake_in_the_filter_is_named() -> None:
    with pytest.raises(RenderError, match=r"Filter, column 8: .*did you mean `name`"):
        matches("record.nmae == 'x'", CONTEXT)


@pytest.mark.parametrize(
    ("url", "lane"),
    [
        ("https://API.example.com/x", "https://api.example.com:443"),
        ("http://example.com:8080/x?y", "http://example.com:8080"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]:443"),
        ("http://127.0.0.1:9/hook", "http://127.0.0.1:9"),
        ("https://exämple.de/", "https://xn--exmple-cua.de:443"),
        ("nonsense", "none"),
        ("", "none"),
    ],
)
def test_lane(url: str, lane: str) -> None:
    assert lane_of(url) == lane
    if lane != "none":
        assert render(url).lane == lane


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "`a` stands twice"),
        ("[NaN]", "`NaN`"),
        ("[" * 100_000, "nested"),
        ("1" * 5_000, "digits"),
        ("", "empty"),
        ('{"a": "{{ record.name | default("x") }}"}', "single quotes"),
    ],
)
def test_json_that_is_none_is_explained(text: str, words: str) -> None:
    with pytest.raises(JSONTextError, match=words):
        read_json(text)


def test_what_json_has_no_form_for_is_refused() -> None:
    with pytest.raises(JSONTextError):
        write_json({"a": float("inf")})
    with pytest.raises(JSONTextError):
        write_json({"a": Decimal("NaN")})


def test_moments_are_written_in_utc() -> None:
    moments = [
        datetime(2025, 1, 15, 10, 30, tzinfo=UTC),
        datetime(2025, 1, 15, 10, 30, 0, 250_400, tzinfo=UTC),
    ]
    assert write_json(moments) == '["2025-01-15T10:30:00Z","2025-01-15T10:30:00.250Z"]'
