"""Any body is understood by its content type, or refused in words; nothing else can come of it."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.intake.context import webhook_context
from webhooks.intake.parsed import Limits, Parsed
from webhooks.intake.parsing import parse
from webhooks.intake.refusals import Malformed, Refusal, TooLarge, UnsupportedMedia

UTF16 = "ä".encode("utf-16")


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "value"),
    [
        (b"", "application/json", "empty", None),
        (b" \n", "application/json", "empty", None),
        (b'{"a": 1}', "application/json; charset=utf-8", "json", {"a": 1}),
        (b"\xef\xbb\xbf[1]", "application/json", "json", [1]),
        ('"ä"'.encode("latin-1"), "application/json; charset=iso-8859-1", "json", "ä"),
        ('"ä"'.encode("utf-16"), "application/json", "json", "ä"),
        (b"[1]", "application/vnd.api+json", "json", [1]),
        (b"[1]", "", "json", [1]),
        (b"  {}", "", "json", {}),
        (b"{no json", "", "text", "{no json"),
        (b"[" * 100, "", "text", "[" * 100),
        (b"12", "", "text", "12"),
        (b"\xff\xd8", "", "binary", None),
        (b"a=1&a=2&b[c]=3&d=&e", "application/x-www-form-urlencoded", "form",
         {"a": ["1", "2"], "b[c]": "3", "d": "", "e": ""}),
        (b"a=%C3%A4+%00%ff&\xc3\xb6=1", "application/x-www-form-urlencoded", "form",
         {"a": "ä ��", "ö": "1"}),
        (b"a=%E4", "application/x-www-form-urlencoded; charset=latin-1", "form", {"a": "ä"}),
        (b"gr\xc3\xbc\xc3\x9fe", "text/plain", "text", "grüße"),
        (b"\xe4", "text/plain", "text", "�"),
        (b"\xe4", "text/plain; charset=ISO-8859-1", "text", "ä"),
        (b"a\0b", "text/plain", "text", "a�b"),
        (UTF16, "text/plain; charset=utf-16", "text", "ä"),
        (b"<a>\xc3\xa4</a>", "text/xml", "xml", "<a>ä</a>"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>\xe4', "application/xml", "xml",
         '<?xml version="1.0" encoding="ISO-8859-1"?>ä'),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "application/soap+xml", "xml",
         '<?xml version="1.0" encoding="utf-16"?><a/>'),
        (b"a: 1", "application/yaml", "text", "a: 1"),
        (b"\x89PNG\0", "image/png", "binary", None),
        (b"a\0", "application/octet-stream", "binary", None),
        (b"\xe4", "application/yaml; charset=latin-1", "text", "ä"),
    ],
)  # fmt: skip
def test_a_body_is_understood_by_its_content_type(body, content_type, kind, value):
    parsed = parse(body, content_type)
    assert (parsed.kind, parsed.value) == (kind, value)
    assert parsed.is_binary is (kind == "binary")


def test_xml_expands_nothing():
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;&b;</a>'
    assert parse(bomb, "application/xml").value == bomb.decode()


def test_the_raw_text_is_what_was_sent():
    assert parse(b'{"a":  1.50}', "application/json").raw_text == '{"a":  1.50}'
    assert parse(b"a=%20", "application/x-www-form-urlencoded").raw_text == "a=%20"
    assert parse(b"\0\xff", "image/png").raw_text == ""


def test_a_multipart_body_has_a_raw_text_only_if_it_is_text():
    def multipart(content):
        head = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        return parse(head + content + b"\r\n--B--", "multipart/form-data; boundary=B")

    assert multipart(b"text").raw_text.endswith("text\r\n--B--")
    assert multipart(b"\0").raw_text == multipart(b"\xff").raw_text == ""
    assert multipart(b"\0").files[0].content == b"\0"


@pytest.mark.parametrize(
    ("body", "content_type", "refusal", "words"),
    [
        (b"{", "application/json", Malformed, "no valid JSON"),
        (b'"\xff"', "application/json", Malformed, "byte 2 does not fit"),
        (b"\xff", "text/plain; charset=utf-8", Malformed, "no utf-8"),
        (b"\xff", "text/plain; charset=us-ascii", Malformed, "no ascii"),
        (b"ab", "text/plain; charset=utf-16", Malformed, "byte order mark"),
        (b"x", "text/plain; charset=koi8-r", UnsupportedMedia, "`koi8-r`"),
        (b"x", "text/plain; charset=idna", UnsupportedMedia, "Send UTF-8"),
        (b"a=1", "application/x-www-form-urlencoded; charset=x", UnsupportedMedia, "`x`"),
        (b"x", "multipart/form-data", Malformed, "boundary"),
        (b"x", "nonsense", Malformed, "no content type"),
        (b"[[1]]", "application/json", TooLarge, "nested"),
        (b"a&b&c", "application/x-www-form-urlencoded", TooLarge, "more than 2 fields"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(body, content_type, refusal, words):
    with pytest.raises(refusal, match=words):
        parse(body, content_type, Limits(depth=1, fields=2))


def test_a_form_of_a_megabyte_of_names_is_refused():
    with pytest.raises(TooLarge, match="1,000 fields"):
        parse(b"&a=1" * 250_000, "application/x-www-form-urlencoded")


# --- whatever comes ----------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [b"{", b"[", b'"a":', b"]", b"}", b",", b'"', b"\\u0000", b"\\ud800", b"1e999", b"NaN", b"=", b"&",
     b"%", b"%00", b"a[b]", b"--B", b"\r\n", b"\r\n\r\n", b"--", b"<?xml encoding='", b"\0", b"\xff\xfe",
     b"\xef\xbb\xbf", b'Content-Disposition: form-data; name="', b"; filename*=UTF-8''%ff", b"\xed\xa0\x80"]
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=200), st.lists(st.one_of(_PIECES, st.binary(max_size=4))).map(b"".join)
)
CONTENT_TYPES = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{}{}".format,
        st.sampled_from(
            ["", "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
             "text/xml", "application/a+json", "image/png"]
        ),
        st.one_of(
            st.sampled_from(
                ["", ";boundary=B", ';boundary="B', "; charset=utf-16", ";charset=ascii", ";charset=latin-1",
                 ";charset=utf-8", ";charset=rot13", ";charset=idna"]
            ),
            st.text(max_size=30),
        ),
    ),
)  # fmt: skip
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def understand(body, content_type):
    try:
        return parse(body, content_type), None
    except Refusal as refused:
        return None, refused


@settings(max_examples=400, deadline=None)
@given(BODIES, CONTENT_TYPES)
def test_fuzzed_input_is_understood_or_refused(body, content_type):
    parsed, refused = understand(body, content_type)
    if refused is not None:
        assert refused.words.endswith(".")
        assert 400 <= refused.status < 500
        return
    context = webhook_context("POST", [("Content-Type", content_type)], {}, parsed)
    # PostgreSQL takes it: it is finite, and neither NUL nor half a character is in it.
    stored = json.dumps(context, ensure_ascii=False, allow_nan=False)
    assert not UNSTORABLE.search(stored)
    assert "\\u0000" not in json.dumps(context).replace("\\\\", "")
    assert json.loads(stored) == context


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        lambda inner: st.lists(inner) | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner
        ),
        max_leaves=20,
    )
)  # fmt: skip
def test_all_good_json_comes_through_unchanged(value):
    body = json.dumps(value, ensure_ascii=False).encode()
    assert parse(body, "application/json") == Parsed("json", value, body.decode())
