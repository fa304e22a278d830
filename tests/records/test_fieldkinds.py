"""Every kind of field: what it takes, what it stores, what it refuses, how it reads."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from records.fieldkinds import KINDS, kind_of
from records.models import FieldDefinition, FieldKind, Upload
from tests.records.making import make_object, make_record, make_user

CHOICES = {"choices": [{"value": "a", "label": "Alpha"}, {"value": "b", "label": "Beta"}]}


def field(kind: str, **options: Any) -> FieldDefinition:
    return FieldDefinition(slug="it", label="It", kind=kind, options=options)


def test_there_is_a_kind_for_every_choice() -> None:
    assert set(KINDS) == set(FieldKind.values)


@pytest.mark.parametrize(
    ("kind", "options", "given", "stored"),
    [
        ("text", {}, " Ada ", "Ada"),
        ("text", {}, "two\nlines", "two lines"),
        ("text", {}, 5, "5"),
        ("text", {}, "", None),
        ("text", {}, "   ", None),
        ("long_text", {}, "a\r\nb", "a\nb"),
        ("number", {}, "12", 12),
        ("number", {}, 12.0, 12),
        ("number", {}, " -3 ", -3),
        ("number", {}, 2**53 - 1, 2**53 - 1),
        ("decimal", {}, "12.50", 12.5),
        ("decimal", {}, "12", 12),
        ("decimal", {}, 0.1, 0.1),
        ("decimal", {"places": 4}, "1.2345", 1.2345),
        ("currency", {"currency": "EUR"}, "0.10", 0.1),
        ("currency", {}, "9999999999999.99", 9999999999999.99),
        ("boolean", {}, "yes", True),
        ("boolean", {}, "on", True),
        ("boolean", {}, 0, False),
        ("boolean", {}, None, False),
        ("date", {}, "2025-01-31", "2025-01-31"),
        ("date", {}, "2025-01-31T23:30:00Z", "2025-01-31"),
        ("datetime", {}, "2025-01-31T10:30:00+02:00", "2025-01-31T08:30:00Z"),
        ("datetime", {}, "2025-01-31T10:30", "2025-01-31T10:30:00Z"),
        ("datetime", {}, "2025-01-31", "2025-01-31T00:00:00Z"),
        ("choice", CHOICES, "a", "a"),
        ("choice", CHOICES, "Beta", "b"),
        ("choice", CHOICES, "", None),
        ("multi_choice", CHOICES, ["b", "a"], ["a", "b"]),
        ("multi_choice", CHOICES, "a; Beta", ["a", "b"]),
        ("multi_choice", CHOICES, '["b"]', ["b"]),
        ("multi_choice", CHOICES, None, []),
        ("email", {}, " ada@example.com ", "ada@example.com"),
        ("url", {}, "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("phone", {}, " +49  30 / 123-456 ", "+49 30 / 123-456"),
        ("phone", {}, "030 123 ext. 12", "030 123 ext. 12"),
        ("json", {}, {"a": [1, None, "x"]}, {"a": [1, None, "x"]}),
        ("json", {}, "just text", "just text"),
        ("json", {}, False, False),
    ],
)
def test_a_value_is_stored_in_its_proper_form(
    kind: str, options: dict[str, Any], given: Any, stored: Any
) -> None:
    definition = field(kind, **options)
    cleaned = kind_of(definition).clean(given, definition)
    assert cleaned == stored
    assert type(cleaned) is type(stored)
    # What was stored can be given again, and is not changed by that.
    assert kind_of(definition).fits(cleaned, definition)


@pytest.mark.parametrize(
    ("kind", "options", "given", "words"),
    [
        ("text", {}, "x" * 1001, "at most 1000"),
        ("text", {"max": 3}, "four", "at most 3"),
        ("text", {"min": 5}, "four", "at least 5"),
        ("text", {}, ["x"], "not a list"),
        ("text", {}, True, "not yes or no"),
        ("text", {}, "a\x00b", "NUL"),
        ("text", {}, "\ud800", "half a character"),
        ("number", {}, "12.5", "whole number"),
        ("number", {}, "twelve", "“twelve” is none"),
        ("number", {}, "1,000", "without commas"),
        ("number", {}, True, "Enter a number"),
        ("number", {}, 2**53, "too large"),
        ("number", {}, "1e999999999", "ordinary size"),
        ("number", {}, "9" * 5000, "ordinary size"),
        ("number", {}, "NaN", "ordinary size"),
        ("number", {}, float("inf"), "ordinary size"),
        ("number", {"min": 10}, 9, "10 or more"),
        ("number", {"max": 10}, 11, "10 or less"),
        ("decimal", {}, "1.234", "at most 2 digits"),
        ("decimal", {}, 10**13, "too large"),
        ("currency", {"min": 0}, "-0.01", "0 or more"),
        ("boolean", {}, "perhaps", "neither"),
        ("boolean", {}, {}, "neither"),
        ("date", {}, "31.01.2025", "2025-01-31"),
        ("date", {}, "2025-02-30", "2025-01-31"),
        ("date", {}, 5, "2025-01-31"),
        ("date", {"min": "2025-01-01"}, "2024-12-31", "not before"),
        ("date", {"max": "2025-01-01"}, "2025-01-02", "not after"),
        ("datetime", {}, "tomorrow", "date and time"),
        ("datetime", {}, "9999-12-31T23:59:59-14:00", "out of range"),
        ("datetime", {}, "9999-12-31T23:59:59Z", "out of range"),
        ("datetime", {}, "0001-01-01T00:00:00Z", "out of range"),
        ("choice", CHOICES, "c", "not one of the choices: a, b"),
        ("choice", {}, "c", "there are none"),
        ("multi_choice", CHOICES, ["a", "z"], "“z”"),
        ("multi_choice", CHOICES, [["a"]], "not a list"),
        ("multi_choice", CHOICES, {"a": 1}, "an object"),
        ("email", {}, "ada", "name@example.com"),
        ("url", {}, "javascript:alert(1)", "https://"),
        ("url", {}, "example.com", "https://"),
        ("phone", {}, "call me", "phone number"),
        ("phone", {}, "++", "phone number"),
        ("user", {}, "ada", "id of a user"),
        ("link", {}, "user_01h455vb4pex5vsknk084sn02q", "id of a record"),
        ("file", {}, 7, "id of a file"),
        ("json", {}, {"a": "\x00"}, "NUL"),
        ("json", {}, {"a": float("nan")}, "too large"),
        ("json", {}, {1: 2}, "texts"),
        ("json", {}, {"a": {1, 2}}, "no JSON value"),
        ("json", {}, "x" * 100_001, "100,000 bytes"),
        ("json", {}, 10**400, "too large"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(
    kind: str, options: dict[str, Any], given: Any, words: str
) -> None:
    definition = field(kind, **options)
    with pytest.raises(ValidationError) as caught:
        kind_of(definition).clean(given, definition)
    assert words in " ".join(caught.value.messages)


def test_deeply_nested_json_is_refused_and_not_recursed_into() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValidationError, match="levels deep"):
        KINDS["json"].clean(value, field("json"))


@pytest.mark.parametrize(
    ("text", "words"),
    [('{"a": }', "line 1, column 7"), ("NaN", "no JSON number"), ("[" * 100_000, "levels deep")],
)
def test_json_that_is_typed_wrong_says_where(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        KINDS["json"].read_text(text, field("json"))


def test_json_that_is_typed_right_is_read() -> None:
    assert KINDS["json"].read_text(' {"a": 1} ', field("json")) == {"a": 1}
    assert KINDS["json"].read_text("", field("json")) is None


@pytest.mark.parametrize(
    ("kind", "options", "stored", "text"),
    [
        ("text", {}, "Ada", "Ada"),
        ("text", {}, None, ""),
        ("text", {}, ["old"], '["old"]'),
        ("decimal", {}, 1234.5, "1,234.50"),
        ("currency", {"currency": "EUR"}, 0.1, "0.10 EUR"),
        ("currency", {"currency": "EUR"}, "old", "old"),
        ("currency", {"currency": "EUR"}, None, ""),
        ("boolean", {}, True, "Yes"),
        ("boolean", {}, None, "No"),
        ("boolean", {}, "old", "old"),
        ("date", {}, "2025-01-31", "Jan. 31, 2025"),
        ("date", {}, "old", "old"),
        ("datetime", {}, "2025-01-31T10:30:00Z", "Jan. 31, 2025, 10:30 a.m."),
        ("choice", CHOICES, "a", "Alpha"),
        ("choice", CHOICES, "gone", "gone"),
        ("multi_choice", CHOICES, ["a", "gone"], "Alpha, gone"),
        ("multi_choice", CHOICES, None, ""),
        ("json", {}, {"a": "ü"}, '{"a": "ü"}'),
    ],
)
def test_a_stored_value_reads_well_even_if_it_no_longer_fits(
    kind: str, options: dict[str, Any], stored: Any, text: str
) -> None:
    definition = field(kind, **options)
    assert kind_of(definition).to_text(stored, definition) == text


def test_moments_at_the_ends_of_time_are_shown_in_every_time_zone() -> None:
    definition = field("datetime")
    kind = kind_of(definition)
    for zone, stored, shown in (
        ("America/New_York", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("Asia/Tokyo", "9999-12-31T23:59:00Z", "9999-12-31T23:59:00Z"),
        ("UTC", "0476-09-04T12:00:00Z", "0476-09-04T12:00"),
    ):
        with timezone.override(zone):
            assert kind.to_input(stored, definition) == shown
            assert kind.to_text(stored, definition)


@pytest.mark.parametrize("amount", ["0.1", "0.7", "1234567890123.45", "-99.99", "3"])
def test_an_amount_survives_the_way_through_json(amount: str) -> None:
    import json
    from decimal import Decimal

    definition = field("currency")
    stored = kind_of(definition).clean(amount, definition)
    assert Decimal(str(json.loads(json.dumps(stored)))) == Decimal(amount)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("choice", {}, "at least one choice"),
        ("choice", {"choices": ["a", "a"]}, "twice"),
        ("choice", {"choices": [{"label": "x"}]}, "each is a text"),
        ("choice", {"choices": [str(n) for n in range(501)]}, "at most 500"),
        ("number", {"min": "x"}, "min: “x” is not a number"),
        ("number", {"min": 2, "max": 1}, "more than max"),
        ("number", {"min": float("nan")}, "not a number"),
        ("text", {"max": 5000}, "max: a length"),
        ("decimal", {"places": 7}, "places"),
        ("currency", {"currency": "Euro"}, "ISO 4217"),
        ("date", {"min": "soon"}, "min: write a date"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    kind: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        KINDS[kind].clean_options(options)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Ada@Example.com", "ada@example.com"),
        ("phone", "+49 (30) 1", "+49301"),
        ("text", "x" * 600, "x" * 600),
    ],
)
def test_values_that_mean_the_same_have_one_key(kind: str, one: str, other: str) -> None:
    assert KINDS[kind].unique_key(one) == KINDS[kind].unique_key(other)
    assert len(KINDS[kind].unique_key(one)) <= 500


def test_a_default_may_be_the_day_or_moment_of_creation(time_machine: Any) -> None:
    time_machine.move_to("2025-03-01T12:34:56Z", tick=False)
    for kind, default, stored in [
        ("date", "today", "2025-03-01"),
        ("datetime", "now", "2025-03-01T12:34:56Z"),
        ("number", "5", 5),
        ("number", "old", None),
    ]:
        definition = field(kind)
        definition.default = default
        assert kind_of(definition).default_for(definition) == stored


def test_lists_of_defaults_are_not_shared() -> None:
    definition = field("multi_choice", **CHOICES)
    kind_of(definition).default_for(definition).append("a")
    assert kind_of(definition).default_for(definition) == []


@pytest.mark.django_db
def test_references_know_what_they_may_refer_to() -> None:
    leads = make_object("leads")
    deals = make_object("deals")
    lead, deal = make_record(leads), make_record(deals)
    link = field("link", object="leads")
    assert kind_of(link).missing([lead.pk, deal.pk], link) == {deal.pk}
    assert kind_of(link).labels([lead.pk, "nonsense", deal.pk], link) == {lead.pk: "Ada"}

    user, gone = make_user("ada"), make_user("bob", is_active=False)
    people = field("user")
    assert kind_of(people).missing([user.pk, gone.pk], people) == {gone.pk}
    assert kind_of(people).labels([gone.pk], people) == {gone.pk: "bob"}

    upload = Upload.objects.create(name="a.txt", size_bytes=1, file="uploads/x")
    files = field("file")
    assert kind_of(files).missing([upload.pk], files) == set()
    assert kind_of(files).labels([upload.pk], files) == {upload.pk: "a.txt"}
