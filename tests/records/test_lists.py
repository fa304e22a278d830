"""Lists: what a query string means, in which order rows come, and that pages stay steady."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.lists import COUNT_CAP, ListQuery
from records.models import FieldDefinition, ObjectDefinition, Record, User
from records.pages import BadCursorError, Cursor, Order
from records.services import create_record, delete_record
from tests.records.leads import make_lead, make_leads

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> ObjectDefinition:
    return make_leads()


@pytest.fixture
def some(leads: ObjectDefinition) -> dict[str, Record]:
    company = create_record(
        object_definition=ObjectDefinition.objects.get(slug="companies"), data={"name": "Acme"}
    )
    manager = User.objects.create_user("mia", first_name="Mia")
    return {
        "ada": make_lead(
            leads,
            "Ada",
            email="ada@example.org",
            value=9.5,
            employees=10,
            source="web",
            topics=["hosting", "support"],
            consent=True,
            due="2025-01-31",
            met="2025-01-31T23:30:00Z",
            company=company.pk,
            extra={"a": 1},
        ),
        "bob": make_lead(
            leads,
            "bob",
            email="bob@example.com",
            value=100,
            employees=9,
            source="fair",
            topics=["support"],
            due="2025-02-01",
            met="2025-02-01T00:00:00Z",
            manager=manager.pk,
            stage="won",
            owner=manager,
        ),
        "cyd": make_lead(leads, "Cyd", state="draft", stage="contacted", notes="50% of_all"),
    }


def names(leads: ObjectDefinition, **params: str) -> list[str]:
    query = ListQuery(leads, {key.replace("__", "."): value for key, value in params.items()})
    assert query.notices == []
    return [record.title for record in query.page().rows]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"q": "ADA"}, ["Ada"]),
        ({"q": "example org"}, ["Ada"]),
        ({"q": "example nobody"}, []),
        ({"q": "50%"}, ["Cyd"]),
        ({"q": "%"}, ["Cyd"]),
        ({"q": "of_all"}, ["Cyd"]),
        ({"stage": "won"}, ["bob"]),
        ({"state": "draft"}, ["Cyd"]),
        ({"f__name": "a"}, ["Ada"]),
        ({"f__email": "EXAMPLE.COM"}, ["bob"]),
        ({"f__value__from": "10"}, ["bob"]),
        ({"f__value__to": "10"}, ["Ada"]),
        ({"f__value__from": "9,5", "f__value__to": "9.5"}, ["Ada"]),
        ({"f__employees__from": "10"}, ["Ada"]),
        ({"f__source": "web"}, ["Ada"]),
        ({"f__topics": "support"}, ["bob", "Ada"]),
        ({"f__topics": "hosting"}, ["Ada"]),
        ({"f__consent": "yes"}, ["Ada"]),
        ({"f__consent": "no"}, ["Cyd", "bob"]),
        ({"f__due__from": "2025-02-01"}, ["bob"]),
        ({"f__due__to": "2025-01-31"}, ["Ada"]),
        ({"f__met__to": "2025-01-31"}, ["Ada"]),
        ({"f__met__from": "2025-02-01"}, ["bob"]),
        ({"f__company": "acm"}, ["Ada"]),
        ({"f__company": "nobody"}, []),
        ({"f__extra": "yes"}, ["Ada"]),
        ({"f__extra": "no"}, ["Cyd", "bob"]),
        ({"f__contract": "yes"}, []),
        ({"stage": "won", "f__source": "web"}, []),
    ],
)
def test_filters_are_typed(
    leads: ObjectDefinition, some: dict[str, Record], params: dict[str, str], expected: list[str]
) -> None:
    assert names(leads, **params) == expected


def test_users_and_links_are_filtered_by_id(
    leads: ObjectDefinition, some: dict[str, Record]
) -> None:
    manager = User.objects.get(username="mia")
    company = some["ada"].data["company"]
    assert names(leads, f__manager=manager.pk) == ["bob"]
    assert names(leads, owner=manager.pk) == ["bob"]
    query = ListQuery(leads, {"f.company": company})
    assert [row.title for row in query.page().rows] == ["Ada"]
    assert [found.text for found in query.filters] == ["Company contains “Acme”"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["Cyd", "bob", "Ada"]),
        ("created", ["Ada", "bob", "Cyd"]),
        ("-updated", ["Cyd", "bob", "Ada"]),
        ("title", ["Ada", "bob", "Cyd"]),
        ("-title", ["Cyd", "bob", "Ada"]),
        ("stage", ["Ada", "Cyd", "bob"]),
        ("-stage", ["bob", "Cyd", "Ada"]),
        ("f.name", ["Ada", "bob", "Cyd"]),
        # As numbers, not as text: 100 > 9.5; and what has none comes last, either way.
        ("f.value", ["Ada", "bob", "Cyd"]),
        ("-f.value", ["bob", "Ada", "Cyd"]),
        ("f.employees", ["bob", "Ada", "Cyd"]),
        ("f.due", ["Ada", "bob", "Cyd"]),
        ("-f.met", ["bob", "Ada", "Cyd"]),
        # As the choices stand in the definition, not as their letters do.
        ("f.source", ["Ada", "bob", "Cyd"]),
        ("-f.consent", ["Ada", "Cyd", "bob"]),
    ],
)
def test_sorting(
    leads: ObjectDefinition, some: dict[str, Record], sort: str, expected: list[str]
) -> None:
    assert names(leads, sort=sort) == expected


@pytest.mark.parametrize(
    "sort",
    ["", "created", "-updated", "title", "-stage", "f.value", "-f.value", "f.due", "-f.name"],
)
def test_pages_forward_and_back_hold_every_row_once(leads: ObjectDefinition, sort: str) -> None:
    for number in range(23):
        make_lead(
            leads,
            f"Lead {number % 7}",
            value=None if number % 3 == 0 else number % 5,
            due=None if number % 4 == 0 else f"2025-01-{number % 6 + 1:02}",
            stage=("new", "contacted", "won")[number % 3],
        )
    whole = [row.pk for row in ListQuery(leads, {"sort": sort}).page(size=100).rows]
    assert len(whole) == 23

    seen, cursor, pages = [], "", []
    while True:
        page = ListQuery(leads, {"sort": sort, "page": cursor}).page(size=5)
        seen += [row.pk for row in page.rows]
        pages.append(page)
        if not page.next:
            break
        cursor = page.next
    assert seen == whole
    assert len(pages) == 5

    cursor = pages[-1].previous
    for forward in reversed(pages[:-1]):
        page = ListQuery(leads, {"sort": sort, "page": cursor}).page(size=5)
        assert [row.pk for row in page.rows] == [row.pk for row in forward.rows]
        cursor = page.previous
    assert cursor == ""


def test_rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others(
    leads: ObjectDefinition,
) -> None:
    records = [make_lead(leads, f"Lead {number}") for number in range(10)]
    first = ListQuery(leads, {}).page(size=4)
    for number in range(3):
        make_lead(leads, f"Newcomer {number}")
    delete_record(record=records[6])  # the very row at which the next page begins

    second = ListQuery(leads, {"page": first.next}).page(size=4)

    assert [row.title for row in first.rows] == ["Lead 9", "Lead 8", "Lead 7", "Lead 6"]
    assert [row.title for row in second.rows] == ["Lead 5", "Lead 4", "Lead 3", "Lead 2"]


def test_a_page_whose_rows_are_gone_is_the_first_page(leads: ObjectDefinition) -> None:
    records = [make_lead(leads, f"Lead {number}") for number in range(6)]
    cursor = ListQuery(leads, {}).page(size=4).next
    for record in records[:2]:
        delete_record(record=record)
    page = ListQuery(leads, {"page": cursor}).page(size=4)
    assert page.first
    assert len(page.rows) == 4


def test_the_count_goes_no_further_than_the_cap(
    leads: ObjectDefinition, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        make_lead(leads, f"Lead {number}")
    monkeypatch.setattr("records.lists.COUNT_CAP", 2)
    query = ListQuery(leads, {})
    assert query.count(query.page(size=2)) == 3
    page = query.page()
    with django_assert_num_queries(0):  # all rows are on the page
        assert query.count(page) == 4
    assert COUNT_CAP == 1000


@pytest.mark.parametrize(
    ("params", "notice"),
    [
        ({"stage": "lost"}, "there is no “lost”"),
        ({"state": "odd"}, "there is no “odd”"),
        ({"f.value.from": "much"}, "“much” is not a number"),
        ({"f.value.from": "nan"}, "is not a number"),
        ({"f.value.from": "1e999"}, "is not a number"),
        ({"f.due.to": "2025-02-30"}, "is not a date"),
        ({"f.due.to": "0001-01-01"}, "is not a date"),
        ({"f.source": "moon"}, "not one of its choices"),
        ({"f.consent": "perhaps"}, "not one of its choices"),
        ({"sort": "secret"}, "cannot be sorted"),
        ({"sort": "f.company"}, "cannot be sorted"),
        ({"page": "garbage"}, "page could not be found"),
    ],
)
def test_what_makes_no_sense_is_told_and_ignored(
    leads: ObjectDefinition, some: dict[str, Record], params: dict[str, str], notice: str
) -> None:
    query = ListQuery(leads, params)
    assert len(query.page().rows) == 3
    assert notice in " ".join(query.notices)


def test_fields_may_be_called_like_lookups(leads: ObjectDefinition) -> None:
    for slug in ("contains", "isnull", "a__b", "exact"):
        FieldDefinition.objects.create(object=leads, slug=slug, label=slug, kind="text")
    leads = ObjectDefinition.objects.get(pk=leads.pk)
    make_lead(leads, "Ada", contains="x", isnull="y", a__b="z", exact="w")
    make_lead(leads, "Bob")
    for slug, value in (("contains", "x"), ("isnull", "y"), ("a__b", "z"), ("exact", "w")):
        query = ListQuery(leads, {f"f.{slug}": value, "sort": f"f.{slug}"})
        assert [row.title for row in query.page().rows] == ["Ada"]


def test_data_older_than_its_field_does_not_break_the_list(leads: ObjectDefinition) -> None:
    for value in ("text", "", None, True, [1], {"a": 1}, "1e400", "9" * 400, "-", 7):
        record = make_lead(leads, f"With {value!r:.20}")
        data = {**record.data, "value": value, "due": value, "topics": value, "source": value}
        Record.objects.filter(pk=record.pk).update(data=data)
    for sort in ("f.value", "-f.value", "f.due", "f.source", "f.employees"):
        query = ListQuery(leads, {"sort": sort})
        seen, cursor = 0, ""
        while True:
            page = ListQuery(leads, {"sort": sort, "page": cursor}).page(size=3)
            seen += len(page.rows)
            cursor = page.next
            if not cursor:
                break
        assert query.notices == []
        assert seen == 10, sort
    for params in ({"f.value.from": "1"}, {"f.topics": "hosting"}, {"f.due.from": "2025-01-01"}):
        ListQuery(leads, params).page()


_hostile = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["\0", "'", '"', "%", "\\", "$", "[]", "{}", "9" * 30, "-" * 9, "1e308", "rec_"]
    ),
)
_parameters = st.sampled_from(
    [
        *("q", "stage", "state", "owner", "sort", "page", "f.name", "f.value.from", "f.value.to"),
        *("f.due.from", "f.met.to", "f.company", "f.topics", "f.consent", "f.extra", "f.nothing"),
    ]
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(params=st.dictionaries(_parameters, _hostile, max_size=4))
def test_no_query_string_makes_a_list_fail(
    leads: ObjectDefinition, some: dict[str, Record], params: dict[str, str]
) -> None:
    query = ListQuery(leads, params)
    query.count(query.page())


_keys = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(key=_keys, sort=st.sampled_from(["", "-updated", "title", "f.value", "f.due", "stage"]))
def test_no_cursor_makes_a_list_fail(
    leads: ObjectDefinition, some: dict[str, Record], key: Any, sort: str
) -> None:
    cursor = Cursor(some["ada"].pk, key).encode()
    query = ListQuery(leads, {"sort": sort, "page": cursor})
    query.count(query.page())


@pytest.mark.parametrize("text", ["", "x", "W10", "bnVsbA", "WzEsMiwzXQ", "é", "A" * 5000])
def test_a_broken_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursorError):
        Cursor.decode(text, Order("created", "Created"), prefix="rec")
