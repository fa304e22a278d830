"""Masking what receivers repeat: every way of writing a value that programs use by themselves."""

import base64
import html
import json
import random
import time
from urllib.parse import quote, quote_plus

import pytest

from webhooks.redaction import MASK, Redactor

PLAIN = "sk_live_51HqCanaryToken99"
ODD = "p@ss \"word\" \\ / <é> & 'q' ½ 100%\nline+two="
PEM = "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEA\n-----END KEY-----"
WIDE = "пароль-секрет-2024"
VALUES = [PLAIN, ODD, PEM, WIDE, "hunter2!"]


def php_json(text):
    return json.dumps(text).replace("/", "\\/")


def js_json(text):
    return json.dumps(text, ensure_ascii=False)


WAYS = {
    "as it is": lambda value: value,
    "JSON": lambda value: json.dumps({"key": value}),
    "JSON with its letters": js_json,
    "JSON as PHP writes it": php_json,
    "JSON in JSON": lambda value: json.dumps({"data": json.dumps({"key": value})}),
    "JSON in JSON in JSON": lambda value: json.dumps(json.dumps(json.dumps(value))),
    "percent-encoded": lambda value: "/?q=" + quote(value, safe=""),
    "percent-encoded but for slashes": quote,
    "percent-encoded in small letters": lambda value: (
        quote(value, safe="").lower() if value.lower() == value else quote(value, safe="")
    ),
    "form-encoded": lambda value: "a=1&key=" + quote_plus(value) + "&b=2",
    "percent-encoded twice": lambda value: quote(quote(value, safe=""), safe=""),
    "HTML": lambda value: f"<td>{html.escape(value)}</td>",
    "JSON in HTML": lambda value: html.escape(json.dumps({"key": value})),
    "HTML in JSON": lambda value: json.dumps(html.escape(value)),
    "JSON in HTML in HTML": lambda value: html.escape(html.escape(json.dumps(value))),
    "JSON in a URL": lambda value: quote(json.dumps(value), safe=""),
    "JSON in JSON in a form": lambda value: quote_plus(json.dumps(json.dumps(value))),
    "HTML in a URL": lambda value: quote(html.escape(value), safe=""),
    "URL in JSON in URL": lambda value: quote(json.dumps(quote(value, safe="")), safe=""),
    "JSON in base64": lambda value: base64.b64encode(json.dumps({"k": value}).encode()).decode(),
    "HTML with numbers": lambda value: "".join(
        c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in value
    ),
    "hexadecimal": lambda value: value.encode().hex(),
    "HEXADECIMAL": lambda value: value.encode().hex().upper(),
    "Python": repr,
    "bytes in Python": lambda value: repr(value.encode()),
    "latin-1": lambda value: value.encode().decode("latin-1"),
    "latin-1 in JSON": lambda value: json.dumps(value.encode().decode("latin-1")),
    "latin-1, percent-encoded": lambda value: quote(value.encode().decode("latin-1")),
    "latin-1 in HTML": lambda value: html.escape(value.encode().decode("latin-1")),
    "latin-1 in base64": lambda value: base64.b64encode(
        value.encode().decode("latin-1").encode()
    ).decode(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 in PHP's JSON": lambda value: php_json(base64.b64encode(value.encode()).decode()),
    "base64 in a URL": lambda value: quote(base64.b64encode(value.encode()).decode(), safe=""),
    "base64 of a user and it": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "base64 of JSON with it": lambda value: base64.b64encode(
        js_json({"k": value}).encode()
    ).decode(),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_a_value(way, value):
    text = WAYS[way](value)
    redactor = Redactor([value])
    masked = redactor.text(f"before {text} after")
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    left = masked.removeprefix("before ").removesuffix(" after")
    assert value not in left
    assert longest_common(left, text) <= len(WAYS[way]("")) + 6, left  # padding
    body = redactor.body(f"before {text} after".encode())
    assert body == masked.encode()


def longest_common(one, other):
    """The longest run of characters that both have."""
    best = 0
    for start in range(len(one)):
        while start + best < len(one) and one[start : start + best + 1] in other:
            best += 1
    return best


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_base64_is_found_at_every_offset(before, after):
    whole = f"{before}{PLAIN}{after}".encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        masked = Redactor([PLAIN]).text(encode(whole).decode())
        assert MASK in masked
        shown = masked.replace(MASK, "").rstrip("=")
        # What is left tells only of what stood around it.
        assert len(shown) <= (len(before) + len(after)) * 4 / 3 + 2


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "utf-16"])
def test_bodies_in_other_codings(codec):
    body = Redactor([PLAIN]).body(f"key={PLAIN};".encode(codec))
    assert PLAIN.encode(codec).removeprefix(b"\xff\xfe") not in body
    assert MASK.encode() in body


@pytest.mark.parametrize(
    ("cut", "is_masked"),
    [(5, False), (6, True), (12, True), (len(PLAIN) - 1, True), (len(PLAIN), True)],
)
def test_a_value_that_is_cut_off_at_the_end(cut, is_masked):
    body = b"x" * 100 + PLAIN[:cut].encode()
    masked = Redactor([PLAIN]).body(body, is_cut=True)
    assert (masked == b"x" * 100 + MASK.encode()) is is_masked
    if cut < len(PLAIN):  # with nothing cut off, a beginning is no value
        assert Redactor([PLAIN]).body(body) == body


@pytest.mark.parametrize(
    "encode", [lambda v: json.dumps(v)[1:-1], quote_plus, lambda v: v.encode().hex()]
)
def test_an_encoded_value_that_is_cut_off(encode):
    whole = encode(ODD)
    for cut in range(8, len(whole)):
        masked = Redactor([ODD]).body(b"-" * 50 + whole[:cut].encode(), is_cut=True)
        assert masked.startswith(b"-" * 50)
        assert len(masked) <= 50 + len(MASK.encode()) + 6, masked


def test_base64_that_is_cut_off():
    whole = base64.b64encode(f"user:{PLAIN}".encode()).decode()
    masked = Redactor([PLAIN]).body(whole[:-8].encode(), is_cut=True).decode()
    assert masked == f"{whole[:6]}•{masked[7:]}" or masked.endswith(MASK)
    assert len(masked) < 16


def test_an_error_that_quotes_the_beginning():
    words = f"The answer begins with `{PLAIN[:15]}`. Check the port."
    assert Redactor([PLAIN]).words(words) == f"The answer begins with `{MASK}`. Check the port."


def test_an_error_about_a_secret_host():
    redactor = Redactor(["https://Hooks.Example.com/services/T000/B000/XXXXXXXXXXXX"])
    words = "No address was found for `hooks.example.com`. See https://signalbox.example."
    assert (
        redactor.words(words)
        == f"No address was found for `{MASK}`. See https://signalbox.example."
    )


def test_parts_of_a_secret_address_are_masked_too():
    redactor = Redactor(
        ["https://hooks.example.com/services/T000/B000/XXXXXXXXXXXX?token=abcdefghijkl"]
    )
    echo = {
        "path": "/services/T000/B000/XXXXXXXXXXXX",
        "host": "hooks.example.com",
        "t": "abcdefghijkl",
    }
    masked = redactor.text(json.dumps(echo))
    assert "XXXX" not in masked
    assert "abcdef" not in masked
    assert "hooks" not in masked
    assert "services" in redactor.text("all services are up")


def test_hosts_can_be_left():
    redactor = Redactor(["https://signalbox.example/in/abcdefghijklmnop"], with_hosts=False)
    assert redactor.text("signalbox.example abcdefghijklmnop") == f"signalbox.example {MASK}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the pin is 1234.", f"the pin is {MASK}."),
        ("order 12345", "order 12345"),
        ('{"pin":"1234"}', f'{{"pin":"{MASK}"}}'),
        ("x1234", "x1234"),
    ],
)
def test_short_values_are_masked_where_they_stand_alone(text, masked):
    assert Redactor(["1234"]).text(text) == masked


def test_several_values_and_none():
    redactor = Redactor(["first-secret", "", "second-secret"])
    assert redactor.text("first-secret, second-secret") == f"{MASK}, {MASK}"
    nothing = Redactor([])
    assert nothing.text("same") == nothing.words("same") == "same"
    assert nothing.body(b"same", is_cut=True) == b"same"


def test_one_value_within_another_is_masked_as_the_longer():
    assert Redactor(["abcdefgh", "abcdefgh-ijklmnop"]).text("abcdefgh-ijklmnop") == MASK


HOSTILE = {
    "backslashes": "\\",
    "escaped backslashes": "%5C",
    "percent signs": "%25",
    "more percent signs": "%2525",
    "ampersands": "&amp;",
    "ampersand": "amp;",
    "quotes": '\\"',
    "zeros": "&#0000",
    "letters": "a",
    "base64": "AAAA",
    "unicode": "\\u00e4",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "value",
    ["\\" * 20 + "x", '"' * 30, "&" * 30, "%" * 30, "ä" * 30, "\n" * 30, "a" * 30 + "b", '\\"' * 15, "%25" * 10,
     "&amp;" * 8, "\\u00e4" * 8, PLAIN, ODD, PEM * 3],
)  # fmt: skip
def test_no_answer_makes_the_search_long(value, piece):
    redactor = Redactor([value])
    body = (piece * (64 * 1024 // len(piece) + 1)).encode()[: 64 * 1024]
    for text in (body, body + b"!", value[:-1].encode() * 50 + body):
        started = time.perf_counter()
        redactor.body(text[: 64 * 1024], is_cut=True)
        assert time.perf_counter() - started < 1.5


def test_a_large_body_of_all_kinds():
    body = random.Random(1).randbytes(48 * 1024)
    body = base64.b64encode(body) + b"%2f\\\\\\\\" * 200
    redactor = Redactor([PLAIN, ODD, PEM * 5])
    started = time.perf_counter()
    redactor.body(body, is_cut=True)
    assert time.perf_counter() - started < 1.5
