"""Bodies for people: JSON that loses nothing, text as it is."""

import json
import re
from html import unescape

import pytest

from webhooks.admin.bodies import pretty_json, view_body, with_code

DOCUMENTS = [
    '{"a":1.50,"b":[1e400,-0.0,12345678901234567890123],"c":{"d":null,"e":[true,false]}}',
    '{"":"","\\u00e9\\n\\"":"\\\\\\"{[,:]}","a":[],"b":{}}',
    '[[[]],{"a":{"a":{}}},"<b>&amp;</b>"]',
    '  {"a" : "b:c" , "d":"1,2"}  ',
    '{"a":1,"a":2}',
]


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_pretty_json_has_the_same_values_and_the_same_digits(document: str) -> None:
    pretty = pretty_json(document)

    assert pretty is not None
    text = text_of(pretty)
    assert json.loads(text) == json.loads(document)
    assert re.sub(r"\s", "", text) == re.sub(r"\s", "", document)


def test_pretty_json_is_indented_and_escaped() -> None:
    pretty = pretty_json('{"<a>":[1,{}],"b":{"c":"</pre>"}}')

    assert pretty is not None
    assert (
        text_of(pretty)
        == '{\n  "<a>": [\n    1,\n    {}\n  ],\n  "b": {\n    "c": "</pre>"\n  }\n}'
    )
    assert "</pre>" not in pretty
    assert '<span class="json-key">&quot;&lt;a&gt;&quot;</span>' in pretty


@pytest.mark.parametrize(
    "text", ["", "x", "1", '"a"', '{"a":', "{a:1}", "[" * 99_999, "[" * 300_000]
)
def test_what_is_no_json_document_is_left_as_it_is(text: str) -> None:
    assert pretty_json(text) is None
    assert view_body(text).raw == text


def test_what_is_no_text_is_said_to_be_none() -> None:
    view = view_body("\ufffdPNG\r\n\x1a\n\ufffd\ufffd\ufffd\x01\x02")

    assert view.is_binary
    assert "no text" in view.note


def test_one_odd_character_is_still_text() -> None:
    assert not view_body("Zürich caf\ufffd " * 1).is_binary


def test_a_truncated_body_says_so() -> None:
    assert "there was more" in view_body('{"a":', truncated=True).note


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("a `b` c", "a <code>b</code> c"),
        ("`<i>` & `x`", "<code>&lt;i&gt;</code> &amp; <code>x</code>"),
        ("one ` mark <b>", "one ` mark &lt;b&gt;"),
    ],
)
def test_marked_words_are_code(words: str, html: str) -> None:
    assert with_code(words) == html
