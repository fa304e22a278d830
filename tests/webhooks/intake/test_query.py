"""The query is a mapping, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.intake.parsed import Limits
from webhooks.intake.query import parse_query
from webhooks.intake.refusals import TooLarge

LIMITS = Limits()


@pytest.mark.parametrize(
    ("query", "mapping"),
    [
        ("", {}),
        ("a=1&b", {"a": "1", "b": ""}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a[]=1&a[]=2&b[c]=x", {"a[]": ["1", "2"], "b[c]": "x"}),
        ("q=gr%C3%BC%C3%9Fe+you", {"q": "grüße you"}),
        ("q=grüße".encode().decode("latin-1"), {"q": "grüße"}),
        ("q=€", {"q": "€"}),
        ("a=%00%ff%zz", {"a": "��%zz"}),
        ("&&a=1&", {"a": "1"}),
        ("a;b=1", {"a;b": "1"}),
    ],
)
def test_a_query_is_a_mapping(query, mapping):
    assert parse_query(query, LIMITS) == mapping


def test_a_query_of_too_many_fields_is_refused():
    with pytest.raises(TooLarge, match="The query has more than 1,000 fields"):
        parse_query("a&" * 1000, LIMITS)


@given(st.text())
def test_any_query_is_taken(query):
    assert isinstance(parse_query(query, LIMITS), dict)
