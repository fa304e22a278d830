"""Many records from a table."""

from typing import Any

import pytest

from records.exceptions import InvalidData
from records.imports import ImportResult, RowError, import_records, read_csv
from records.models import Event, Record, UniqueValue
from tests.records.making import NewEvents, make_object, make_record, make_user

pytestmark = pytest.mark.django_db


def run(definition: Any, text: str, **options: Any) -> ImportResult:
    return import_records(object_definition=definition, rows=read_csv(text.encode()), **options)


def test_rows_become_records_with_their_events() -> None:
    leads, ada = make_object(), make_user()
    new = NewEvents()
    result = run(
        leads,
        "name,E-Mail,Amount,stage,owner\nAda,a@example.com,9.90,won,ada\nBob,,,,\n".replace(
            "E-Mail", "email"
        ),
    )
    assert (result.created, result.errors) == (2, [])
    bob, first = Record.objects.order_by("-id")
    assert first.data == {"name": "Ada", "email": "a@example.com", "amount": 9.9}
    assert (first.stage, first.owner, first.title) == ("won", ada, "Ada")
    assert (bob.stage, bob.owner, bob.data["email"]) == ("new", None, None)
    assert new.types == ["record.created"] * 2


@pytest.mark.parametrize(
    "content",
    [
        "name;amount\nJosé;1".encode(),
        "name\tamount\nJosé\t1".encode("utf-8-sig"),
        "Name,AMOUNT\r\nJosé,1\r\n\r\n".encode("latin-1"),
        '"name","amount"\n"José","1"'.encode(),
    ],
)
def test_the_usual_forms_of_csv_are_read(content: bytes) -> None:
    import_records(object_definition=make_object(), rows=read_csv(content))
    record = Record.objects.get()
    assert (record.data["name"], record.data["amount"]) == ("José", 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b'name\n"open', "not a CSV file"),
        (b"name\na,b", "Row 2 has 2 cells"),
        (b"name\n" + b"x\n" * 20_001, "more than 20,000 rows"),
        (b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MB"),
        (b"name\n" + b"x" * 200_000, "not a CSV file"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(InvalidData, match=words):
        read_csv(content)


def test_every_wrong_cell_is_listed_and_nothing_is_written() -> None:
    result = run(make_object(), "name,email,amount\nAda,x,1\n,b@example.com,much\nBob,,2\n")
    assert result.created == 0
    assert [(error.row, error.field) for error in result.errors] == [
        (2, "email"),
        (3, "amount"),
        (3, "name"),
    ]
    assert result.failed_rows == 2
    assert not Record.objects.exists()


def test_the_right_rows_alone_when_that_is_wanted() -> None:
    result = run(make_object(), "name,amount\nAda,1\nBob,much\n", all_or_nothing=False)
    assert (result.created, result.failed_rows) == (1, 1)
    assert Record.objects.get().title == "Ada"


def test_a_column_that_leads_nowhere_stops_the_import() -> None:
    result = run(make_object(), "name,emial\nAda,x\n", all_or_nothing=False)
    assert result.errors == [
        RowError(1, "emial", "Leads has no field “emial”. Did you mean `email`?")
    ]
    assert (
        run(make_object("deals"), "name,Name\nAda,Bob\n")
        .errors[0]
        .message.startswith("Two columns")
    )


def test_values_that_must_be_unique_are_checked_against_each_other_and_the_database() -> None:
    leads = make_object(
        "leads", {"slug": "name"}, {"slug": "email", "kind": "email", "unique": True}
    )
    make_record(leads, name="Ada", email="ada@example.com")
    text = "name,email\nA,ADA@example.com\nB,b@example.com\nC,B@example.com\nD,d@example.com\n"
    result = run(leads, text, all_or_nothing=False)
    assert result.created == 1
    assert [(error.row, error.message) for error in result.errors] == [
        (2, "“Ada” has this value already; it must be unique."),
        (3, "2 rows have this value; it must be unique."),
        (4, "2 rows have this value; it must be unique."),
    ]
    assert UniqueValue.objects.count() == 2


def test_references_are_found_by_name_or_id() -> None:
    ada, bob = make_user("ada", email="ada@example.com"), make_user("bob")
    firms = make_object("firms")
    acme = make_record(firms, name="Acme")
    make_record(firms, name="Twin")
    make_record(firms, name="Twin")
    leads = make_object(
        "leads",
        {"slug": "name"},
        {"slug": "firm", "kind": "link", "options": {"object": "firms"}},
        {"slug": "person", "kind": "user", "required": True},
    )
    text = (
        f"name,firm,person,owner\nA,Acme,ada@example.com,bob\nB,{acme.pk},{ada.pk},\n"
        "C,Twin,ada,\nD,None,ada,\nE,,nobody,eve\n"
    )
    result = run(leads, text, all_or_nothing=False)
    assert [(error.row, error.field, error.message) for error in result.errors] == [
        (4, "firm", "There are several of the name record “Twin”."),
        (5, "firm", "There is no record “None”."),
        (6, "person", "There is no user “nobody”."),
        (6, "owner", "There is no user “eve”."),
    ]
    first, second = Record.objects.of(leads).order_by("id")
    assert (first.data["firm"], first.data["person"], first.owner) == (acme.pk, ada.pk, bob)
    assert (second.data["firm"], second.data["person"], second.owner) == (acme.pk, ada.pk, None)


def test_empty_cells_get_defaults_that_are_not_shared() -> None:
    tags = {"choices": [{"value": "a", "label": "A"}]}
    leads = make_object(
        "leads",
        {"slug": "name", "required": True, "default": "Nobody"},
        {"slug": "tags", "kind": "multi_choice", "options": tags},
    )
    assert run(leads, "name,tags\n,a\nB,\n").created == 2
    assert [record.data for record in Record.objects.order_by("id")] == [
        {"name": "Nobody", "tags": ["a"]},
        {"name": "B", "tags": []},
    ]


def test_json_cells_and_nul_characters_do_no_harm() -> None:
    leads = make_object(
        "leads",
        {"slug": "name"},
        {"slug": "extra", "kind": "json"},
        {"slug": "person", "kind": "user"},
    )
    rows = [
        {"name": "A", "extra": '{"a": 1}'},
        {"name": "B", "extra": "{"},
        {"name": "C\x00", "person": "a\x00b"},
    ]
    result = import_records(object_definition=leads, rows=rows, all_or_nothing=False)
    assert result.created == 1
    assert sorted(error.field for error in result.errors) == ["extra", "name", "person"]
    assert Record.objects.get().data["extra"] == {"a": 1}


def test_drafts_may_lack_what_is_required() -> None:
    assert run(make_object(), "name,amount\n,1\n", state="draft").created == 1
    assert Record.objects.get().state == "draft"


def test_many_rows_take_few_queries(django_assert_max_num_queries: Any) -> None:
    leads = make_object()
    rows = [{"name": f"Lead {n}", "amount": str(n)} for n in range(5000)]
    # SQLite takes 999 values in a statement: some sixty rows.
    with django_assert_max_num_queries(250):
        assert import_records(object_definition=leads, rows=rows).created == 5000
    assert Event.objects.filter(type="record.created").count() == 5000
