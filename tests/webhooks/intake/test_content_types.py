"""Content types are taken apart and held against what an endpoint allows."""

import pytest

from webhooks.intake.content_types import (
    check_content_type,
    is_allowed,
    pattern_problem,
    split_content_type,
)
from webhooks.intake.refusals import Malformed, UnsupportedMedia


@pytest.mark.parametrize(
    ("header", "name", "parameters"),
    [
        ("", "", {}),
        ("application/json", "application/json", {}),
        (" Application/JSON ; Charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('text/plain; charset="utf-8"; x=1', "text/plain", {"charset": "utf-8", "x": "1"}),
        (
            'multipart/form-data; boundary="a\\"b;c"',
            "multipart/form-data",
            {"boundary": 'a"b;c'},
        ),
        ("text/plain; charset=a; charset=b", "text/plain", {"charset": "a"}),
        ('text/plain; charset="never closed', "text/plain", {}),
    ],
)
def test_a_content_type_has_a_name_and_parameters(header, name, parameters):
    found, all_parameters = split_content_type(header)
    assert found == name
    assert {key: value for key, value in all_parameters.items() if value} == parameters


@pytest.mark.parametrize(
    "header", ["json", "application/", "/json", "a b/c", "text/plain;" + "x" * 1000, "a/b/c"]
)
def test_what_is_no_content_type_is_refused_in_words(header):
    with pytest.raises(Malformed, match="no content type"):
        split_content_type(header)


@pytest.mark.parametrize(
    ("content_type", "patterns", "allowed"),
    [
        ("anything", [], True),
        ("", [], True),
        ("", ["application/json"], False),
        ("", ["*/*"], True),
        ("application/json; charset=utf-8", ["application/json"], True),
        ("APPLICATION/JSON", [" application/Json "], True),
        ("text/csv", ["application/json", "text/*"], True),
        ("texts/csv", ["text/*"], False),
        ("application/jsonp", ["application/json"], False),
        ("text", ["text/*"], False),
    ],
)
def test_patterns_allow(content_type, patterns, allowed):
    assert is_allowed(content_type, patterns) is allowed


def test_the_refusal_lists_what_is_allowed():
    with pytest.raises(UnsupportedMedia) as refused:
        check_content_type("text/html", ["application/json", "text/csv"])
    assert refused.value.status == 415
    assert "`text/html`" in refused.value.words
    assert "application/json, text/csv" in refused.value.words
    assert refused.value.headers == {"Accept": "application/json, text/csv"}


def test_no_content_type_is_named_as_such():
    with pytest.raises(UnsupportedMedia, match="does not take no content type"):
        check_content_type("", ["text/*"])


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("application/json", True),
        ("text/*", True),
        (" */* ", True),
        ("application/vnd.api+json", True),
        ("json", False),
        ("*/json", False),
        ("text/x*", False),
        ("te*t/plain", False),
        ("text/plain; charset=utf-8", False),
        ("", False),
    ],
)
def test_a_pattern_that_cannot_match_is_told_in_words(pattern, fits):
    assert (pattern_problem(pattern) is None) is fits
