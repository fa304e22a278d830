"""Mistakes in a webhook are found before it is saved: where they are, and what was meant."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.models import FieldDefinition, FieldKind
from records.models.objects import Schema
from webhooks.addresses import NetworkPolicy
from webhooks.durations import DelayError, format_delays, parse_delays
from webhooks.names import Names, menu_of
from webhooks.rendering import RequestTemplate, matches
from webhooks.validation import Mistake, check_filter, check_request, judge_destination


class Leads:
    """An object as far as names are concerned, without a database."""

    slug, name = "leads", "Lead"
    schema = Schema(
        tuple(
            FieldDefinition(slug=slug, label=slug, kind=kind)
            for slug, kind in (
                ("name", FieldKind.TEXT),
                ("email", FieldKind.EMAIL),
                ("value", FieldKind.CURRENCY),
            )
        )
    )

    def __str__(self) -> str:
        return "Leads"


OF_LEADS = Names("record.updated", Leads())  # type: ignore[arg-type]
OF_ANY = Names("record.updated")
OF_USERS = Names("user.created")


def row(name: str, value: str = "", kind: str = "") -> dict[str, str]:
    return {"name": name, "value": value} | ({"type": kind} if kind else {})


def check(names: Names = OF_LEADS, **values: Any) -> list[Mistake]:
    defaults = {"method": "POST", "url": "https://example.com/hook"}
    return check_request(RequestTemplate(**(defaults | values)), names)


@pytest.mark.parametrize(
    "values",
    [
        {"url": "https://hooks.example.com/{record.name}/{{ record.email | lower }}?a={record.id}"},
        {"url": "{{ record.name }}"},
        {"url": "https://{{ record.name }}.example.com:8443/"},
        {"url": "https://example.com:{{ record.value }}/"},
        {"url": "{{ record.name }}://example.com"},
        {"url": "https://x.example/{id}", "path_params": [row("id", "{{ record.id }}")]},
        {"url": "https://x.example/{c.email}", "path_params": [row("c", "{{ record }}")]},
        {"query_params": [row("a", "1"), row("a", "2")]},
        {"headers": [row("Authorization", "Bearer {{ record.name }}"), row("X-A"), row("X-A")]},
        {"body_kind": "json", "body": '{"text": "New: {{record.name}} - ${{record.value}}"}'},
        {"body_kind": "json", "body": "null"},
        {"body_kind": "text", "body": ""},
        {"body_kind": "rows", "body_rows": [row("n", "12.50", "number"), row("b", "", "boolean")]},
        {"body_kind": "rows", "body_rows": [row("j", '{"a": "{{ record.name }}"}', "json")]},
        {"body_kind": "default", "body": "{ left over", "body_rows": [row("", "left over", "x")]},
        {"body_kind": "text", "body": "{{ previous.stage }} {{ event.name }} {{ actor.email }}"},
        {"body_kind": "text", "body": "{{ date_add(now, 3, 'days') }} {{ object.slug }}"},
    ],
)
def test_what_is_right_passes(values: dict[str, Any]) -> None:
    assert check(**values) == []


@pytest.mark.parametrize(
    ("values", "field", "at", "words"),
    [
        ({"url": ""}, "url", None, ["https://example.com/hook"]),
        ({"url": "example.com"}, "url", None, ["not complete"]),
        ({"url": "ftp://example.com"}, "url", None, ["ftp:"]),
        ({"url": "https://"}, "url", None, ["no host"]),
        ({"url": "https://exa mple.com/"}, "url", None, ["column 12", "space"]),
        ({"url": "https://x.example/{record.id} /"}, "url", None, ["column 30", "space"]),
        ({"url": "https://x.example:99999/"}, "url", None, ["port"]),
        ({"url": "https://u:p@x.example/"}, "url", None, ["user name"]),
        ({"url": "https://x.example/{{ record.id "}, "url", None, ["never closed"]),
        ({"url": "https://x.example/{record id}"}, "url", None, ["column 19", "single braces"]),
        (
            {"url": "https://x.example/{record.nmae}"},
            "url",
            None,
            ["URL, column 27", "Leads has no field `nmae`; did you mean `name`?"],
        ),
        (
            {"url": "https://x.example/{rcord.id}"},
            "url",
            None,
            ["`rcord`", "did you mean `record`"],
        ),
        (
            {"url": "https://x.example/{idd}/{id}", "path_params": [row("id", "1")]},
            "url",
            None,
            ["column 20", "unknown name `idd`; did you mean `id`?"],
        ),
        ({"path_params": [row("id", "1")]}, "path_params", 0, ["does not use it", "{id}"]),
        (
            {"url": "https://x.example/{a}", "path_params": [row("a", "1"), row("a", "2")]},
            "path_params",
            1,
            ["twice"],
        ),
        ({"path_params": [row("customer-id", "1")]}, "path_params", 0, ["letters, digits"]),
        ({"path_params": [row("record", "1")]}, "path_params", 0, ["meaning of its own"]),
        ({"query_params": [row("a"), row("", "x")]}, "query_params", 1, ["2: it has no name"]),
        (
            {"query_params": [row("q", "{{ record.emial }}")]},
            "query_params",
            0,
            ["Query parameter `q`, column 11", "did you mean `email`"],
        ),
        ({"query_params": [row("a")] * 51}, "query_params", None, ["51 rows"]),
        ({"headers": [row("X Id", "1")]}, "headers", 0, ["Header `X Id`", "letters"]),
        ({"headers": [row("Host", "1")]}, "headers", 0, ["itself"]),
        ({"headers": [row("webhook-ID", "1")]}, "headers", 0, ["Signing"]),
        ({"headers": [row("X-A", "a\r\nX-B: 1")]}, "headers", 0, ["line break"]),
        (
            {"headers": [row("X-Id", "{{ record.nmae }}")]},
            "headers",
            0,
            ["Header `X-Id`, column 11: `{{ record.nmae }}`: Leads has no field `nmae`"],
        ),
        (
            {"headers": [row("Content-Type", "a"), row("content-type", "b")]},
            "headers",
            1,
            ["twice"],
        ),
        ({"body_kind": "json", "body": ""}, "body", None, ["empty"]),
        ({"body_kind": "json", "body": '{\n"a": 1,\n}'}, "body", None, ["line"]),
        (
            {"body_kind": "json", "body": '{\n  "a": ["{{ record.nmae }}"]\n}'},
            "body",
            None,
            ["Body, line 2, column 10", "did you mean `name`"],
        ),
        ({"body_kind": "json", "body": '{"{{ record.id }}": 1}'}, "body", None, ["key"]),
        ({"body_kind": "json", "body": '["{{ x "]'}, "body", None, ["never closed"]),
        ({"body_kind": "text", "body": "a\n {% if x %}"}, "body", None, ["line 2", "statements"]),
        ({"body_kind": "text", "body": "{{ lenght(now) }}"}, "body", None, ["`length`"]),
        ({"body_kind": "rows", "body_rows": [row("", "x", "string")]}, "body_rows", 0, ["no name"]),
        ({"body_kind": "rows", "body_rows": [row("a", "x", "number")]}, "body_rows", 0, ["`x`"]),
        ({"body_kind": "rows", "body_rows": [row("a", "x", "boolean")]}, "body_rows", 0, ["`x`"]),
        ({"body_kind": "rows", "body_rows": [row("a", "{x", "json")]}, "body_rows", 0, ["JSON"]),
        ({"body_kind": "rows", "body_rows": [row("a", "x", "date")]}, "body_rows", 0, ["type"]),
        (
            {"body_kind": "rows", "body_rows": [row("a", "1", "string"), row("a", "2", "string")]},
            "body_rows",
            1,
            ["twice"],
        ),
        (
            {"body_kind": "rows", "body_rows": [row("a", '{"b": "{{ record.nmae }}"}', "json")]},
            "body_rows",
            0,
            ["Body row `a`, column 8", "`name`"],
        ),
    ],
)
def test_a_mistake_is_found_with_its_place(
    values: dict[str, Any], field: str, at: int | None, words: list[str]
) -> None:
    mistakes = [mistake for mistake in check(**values) if mistake.field == field]
    assert [mistake.row for mistake in mistakes] == [at]
    for each in words:
        assert each in mistakes[0].message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("record.nmae == 'x'", "Filter, column 8: `record.nmae == 'x'`: Leads has no field `nmae`"),
        ("record.value >", "too early"),
        ("record.value = 3", "write `==` to compare"),
        ("recrd.value > 3", "did you mean `record`"),
        ("previous.updated_at", "no field `updated_at`"),
        ("event.nam", "`event` has no field `nam`; did you mean `name`"),
    ],
)
def test_a_filter_is_checked(source: str, words: str) -> None:
    (mistake,) = check_filter(source, OF_LEADS)
    assert words in mistake.message


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("", OF_LEADS),
        ("record.value > 10000 and previous.stage != record.stage", OF_LEADS),
        ("{{ record.value > 10000 }}", OF_LEADS),
        ("'stage' in event.changed", OF_LEADS),
        ("record.whatever == 3", OF_ANY),
        ("subject.username == 'jane'", OF_USERS),
    ],
)
def test_a_filter_that_is_right_passes(source: str, names: Names) -> None:
    assert check_filter(source, names) == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ record.value }} > 5",
        "{record.value} > 5",
        "record.value > {{ 5 }}",
        "{{ a }} and {{ b }}",
    ],
)
def test_braces_around_a_part_of_a_filter_are_told_in_words(source: str) -> None:
    (mistake,) = check_filter(source, OF_LEADS)
    assert "leave the braces out" in mistake.message


@pytest.mark.parametrize(
    "source", ["record.name == '{x}' >", "{'a': 1} ==", "{{ record.value > }}"]
)
def test_another_mistake_is_not_put_down_to_braces(source: str) -> None:
    (mistake,) = check_filter(source, OF_LEADS)
    assert "too early" in mistake.message


def test_braces_around_the_whole_of_a_filter_change_nothing() -> None:
    for value, expected in ((6, True), (4, False)):
        assert matches("{{ record['value'] > 5 }}", {"record": {"value": value}}) is expected


def test_secrets_are_for_requests_and_must_exist() -> None:
    names = Names("record.updated", Leads(), ["api_key"])  # type: ignore[arg-type]
    right = [row("Authorization", "Bearer {{ secrets.api_key }}")]
    assert check(names, headers=right) == []
    wrong = [row("Authorization", "Bearer {{ secrets.api_kye }}")]
    (mistake,) = check(names, headers=wrong)
    assert "there is no secret `api_kye`; did you mean `api_key`?" in mistake.message
    (mistake,) = check(names, headers=[row("X", "{{ secrets[record.name] }}")])
    assert "can't be worked out" in mistake.message
    (mistake,) = check_filter("secrets.api_key == 'x'", names)
    assert "unknown name `secrets`" in mistake.message


def test_only_events_of_records_have_a_record() -> None:
    (mistake,) = check_filter("record.name == 'x'", OF_USERS)
    assert "`subject`" in mistake.message


def test_every_name_of_the_menu_is_known() -> None:
    with_secrets = Names("user.created", None, ["api_key"])
    for names in (OF_LEADS, OF_ANY, OF_USERS, with_secrets):
        for group in menu_of(names):
            for name in group["names"]:
                body = f"{{{{ {name['path']} }}}}"
                assert check(names, body_kind="text", body=body) == [], name


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.com/{record.id}", None),
        ("{{ record.url }}", None),
        ("https://{{ record.host }}/", None),
        ("http://10.0.0.1/{record.id}", "blocked"),
        ("http://localhost:8000/", "blocked"),
        ("https://own.example/api", "blocked"),
        ("https://own.example/inspector/{record.id}", None),
        ("nonsense", "invalid"),
        ("https://x/{{ ", None),
    ],
)
def test_a_destination_is_judged_by_its_fixed_part(url: str, kind: str | None) -> None:
    policy = NetworkPolicy(own_hosts=frozenset(["own.example"]), own_paths_allowed=("/inspector",))
    refusal = judge_destination(url, policy)
    assert (refusal.kind if refusal else None) == kind


@pytest.mark.parametrize(
    ("text", "delays", "shown"),
    [
        ("", [], ""),
        ("1 min, 5 min, 30 min", [60, 300, 1800], "1 min, 5 min, 30 min"),
        ("30s; 1.5 h\n2 days", [30, 5400, 172_800], "30 s, 1 h 30 min, 2 days"),
        ("1 h 30 min", [5400], "1 h 30 min"),
        ("90 MINUTES", [5400], "1 h 30 min"),
        ("7 days", [604_800], "7 days"),
        ("1 day", [86_400], "1 day"),
        (
            "doubling from 1 min up to 5 min, 4 times",
            [60, 120, 240, 300],
            "1 min, 2 min, 4 min, 5 min",
        ),
        ("Doubling from 10 s up to 1 h 2 times", [10, 20], "10 s, 20 s"),
    ],
)
def test_delays_are_read_and_written(text: str, delays: list[int], shown: str) -> None:
    assert parse_delays(text) == delays
    assert format_delays(delays) == shown
    assert parse_delays(shown) == delays


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5", "no unit. Write 5 s, 5 min or 5 h"),
        ("1 min, soon", "“soon” is no time"),
        ("-5 min", "is no time"),
        ("3 fortnights", "“fortnights” is no unit"),
        ("0 s", "out of bounds"),
        ("8 days", "out of bounds"),
        ("1 min, " * 21, "21 retries; 20 are the most"),
        ("9" * 400 + " s", "is no time"),
        ("doubling from soon up to 1 h, 3 times", "“soon” is no time"),
        ("doubling from 1 min up to 1 h, 30 times", "30 retries; 20 are the most"),
        ("doubling from 1 min", "is no time|no unit"),
    ],
)
def test_delays_that_make_no_sense_are_explained(text: str, words: str) -> None:
    with pytest.raises(DelayError, match=words):
        parse_delays(text)


@settings(max_examples=150, deadline=None)
@given(
    url=st.text(max_size=60),
    value=st.text(max_size=60),
    name=st.text(max_size=20),
    body=st.text(max_size=80),
    kind=st.sampled_from(["json", "text", "rows", "default", "none", "?"]),
)
def test_no_text_is_too_strange_to_be_checked(
    url: str, value: str, name: str, body: str, kind: str
) -> None:
    rows = [row(name, value, "json"), row(name, value, "number")]
    check(
        url=url, path_params=rows, query_params=rows, headers=rows,
        body=body, body_kind=kind, body_rows=rows,
    )  # fmt: skip
    check_filter(value, OF_LEADS)
    judge_destination(url, NetworkPolicy())
