"""Runs with very much in them: the items of loops are folded, and asked for when somebody opens them."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from automations.models import Run
from tests.automations.making import run_once, step
from tests.automations.test_retry_page import client_of, text_of

pytestmark = pytest.mark.django_db

EACH = [
    step("set_variables", "name", variables={"n": "{{ item.name }}"}, name_="Take the name"),
    step("set_variables", "share", variables={"h": "{{ 100 / item.left }}"}, name_="Share"),
]


@pytest.fixture
def client() -> Client:
    return client_of("root", is_superuser=True)


def looped(count: int, bad: set[int], on_item_error: str = "continue") -> Run:
    entries = [{"name": f"Entry {n}", "left": 0 if n in bad else n + 1} for n in range(count)]
    loop = step(
        "for_each",
        "l",
        list="{{ record.tags }}",
        limit=500,
        on_item_error=on_item_error,
        steps=EACH,
        name_="Each entry",
    )
    return run_once(loop, record={"tags": entries})


def page_of(run: Run) -> str:
    return reverse("admin:automations_run_change", args=[run.pk])


def items(client, run: Run, first: int, last: int, loop: str = "l"):
    address = reverse("admin:automations_run_items", args=[run.pk])
    return client.get(address, {"loop": loop, "first": first, "last": last})


def test_neighbours_that_came_to_the_same_are_folded_into_one_line(client):
    text = text_of(client.get(page_of(looped(40, {20}))))
    assert "Items 6–20 15 succeeded" in text
    assert "Items 22–40 19 succeeded" in text
    assert "Item 13 " not in text


def test_the_item_that_failed_is_open(client):
    run = looped(40, {20}, on_item_error="stop")
    page = client.get(page_of(run)).content.decode()
    [block] = re.findall(
        r'<details class="runs-block[^>]*>(?=<summary>|\s*<summary>.*?Item 21<)', page
    )
    assert block.endswith(" open>")
    assert "divide by zero" in page


def test_folded_items_are_told_each_with_its_result(client):
    run = looped(40, set(range(9, 36)))
    text = text_of(items(client, run, 5, 30))
    assert "Item 6 Entry 5 Succeeded" in text
    assert "Item 10 Entry 9 Failed" in text
    assert "divide by zero" in text.split("Item 26")[1]
    assert "Item 5 " not in text
    assert "Item 32" not in text


def test_one_item_is_told_with_its_steps_and_what_they_were_given(client):
    run = looped(40, set())
    text = text_of(items(client, run, 12, 12))
    assert "Take the name" in text
    assert "Share" in text
    assert "Entry 12" in text
    assert "Entry 13" not in text


@pytest.mark.parametrize(
    ("loop", "first", "last"),
    [
        ("l", "x", "1"),
        ("l", "-1", "1"),
        ("l", "", ""),
        ("l", "400", "400"),
        ("nothing", "1", "1"),
        ("../l", "1", "2"),
        ("l%", "1", "2"),
    ],
)
def test_items_that_there_are_not_are_not_found(client, loop, first, last):
    assert items(client, looped(3, set()), first, last, loop).status_code == 404


def test_what_is_not_kept_any_more_is_said(client):
    run = looped(3, set())
    assert "not kept any more" in text_of(items(client, run, 100, 200))


def test_who_may_not_see_runs_does_not_see_their_items():
    run = looped(3, set())
    assert items(client_of("ada", "view_leads"), run, 0, 2).status_code == 403


def test_five_hundred_items_make_no_larger_page_and_no_more_queries(
    client, django_assert_max_num_queries
):
    run = looped(500, {137, 300, 301})
    address = page_of(run)
    page = client.get(address).content
    assert run.steps.count() > 1_000
    assert len(page) < 150_000
    with django_assert_max_num_queries(25):
        client.get(address)
    with django_assert_max_num_queries(25):
        items(client, run, 5, 136)
