"""The list of records in quarantine: its pages, search and filters; many are released at once."""

import pytest
from django.test import Client
from django.utils import timezone

from automations.admin import quarantine, quarantine_list
from automations.models import Run
from records.models import Comment, Record
from records.services import quarantine_record, release_record
from tests.automations.making import make_lead
from tests.automations.test_quarantine_page import are_held, client_of, held_leads, here
from tests.automations.test_retry_page import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of("root", is_superuser=True)


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(quarantine_list, "PAGE_SIZE", 2)


def titles_on(client, address="") -> list[str]:
    page = client.get(here() + address)
    return [row.record.title for row in page.context["rows"]]


def address_of(client, name, address="") -> str:
    return client.get(here() + address).context[f"{name}_address"]


def test_the_pages_go_on_from_a_known_record(client, small_pages):
    held_leads("a", "b", "c", "d", "e")
    assert titles_on(client) == ["e", "d"]
    second = address_of(client, "older")
    assert titles_on(client, second) == ["c", "b"]
    third = address_of(client, "older", second)
    assert titles_on(client, third) == ["a"]
    assert b'id="page-older"' not in client.get(here() + third).content
    assert titles_on(client, address_of(client, "newer", third)) == ["c", "b"]
    assert titles_on(client, address_of(client, "newer", second)) == ["e", "d"]


def test_a_page_goes_on_although_its_last_record_was_released(client, small_pages):
    leads = held_leads("a", "b", "c", "d")
    second = address_of(client, "older")
    release_record(record=leads[2])
    assert titles_on(client, second) == ["b", "a"]


def test_those_of_one_moment_are_on_one_page_or_the_next(client, small_pages):
    leads = held_leads("a", "b", "c", "d", "e")
    Record.objects.filter(pk__in=[lead.pk for lead in leads]).update(quarantined_at=timezone.now())
    second = address_of(client, "older")
    third = address_of(client, "older", second)
    pages = [*titles_on(client), *titles_on(client, second), *titles_on(client, third)]
    assert sorted(pages) == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("place", ["x", "~", "2026-13-01~rec_x", "2026-01-01T00:00:00~", "\0"])
def test_a_place_that_is_none_is_the_first_page(client, place):
    held_leads("Grace")
    response = client.get(here(), {"before": place, "after": place})
    assert [row.record.title for row in response.context["rows"]] == ["Grace"]


def test_the_search_finds_parts_of_titles_and_ids(client):
    grace, _ = held_leads("Grace Hopper", "Ada Lovelace")
    assert titles_on(client, "?q=hopp") == ["Grace Hopper"]
    assert titles_on(client, f"?q={grace.pk}") == ["Grace Hopper"]
    response = client.get(here(), {"q": "nobody"})
    assert "No record matches" in text_of(response)


def test_the_filters_are_the_object_and_the_automation_that_put_them_there(client):
    held_leads("Grace")
    by_hand = make_lead(name="Ada")
    Record.objects.filter(pk=by_hand.pk).update(quarantined_at=None)
    by_hand.refresh_from_db()
    quarantine_record(record=by_hand, reason="Looks odd")
    automation = Run.objects.first().automation_id
    assert titles_on(client, f"?automation={automation}") == ["Grace"]
    assert sorted(titles_on(client, "?object=leads")) == ["Ada", "Grace"]
    assert titles_on(client, "?object=companies") == []
    assert "There is no such object" in text_of(client.get(here(), {"object": "nonsense"}))


def test_a_reason_is_a_comment_on_each(client):
    leads = held_leads("Grace", "Ada", "Joan")
    ids = [lead.pk for lead in leads[:2]]
    client.post(here(), {"action": "release", "ids": ids, "reason": " Mended by hand\0 "})
    assert are_held(leads) == [False, False, True]
    comments = Comment.objects.values_list("record", "body", "author__username")
    words = "Released from quarantine: Mended by hand"
    assert set(comments) == {(pk, words, "root") for pk in ids}


def test_without_a_reason_there_is_no_comment(client):
    leads = held_leads("Grace")
    client.post(here(), {"action": "release", "ids": [leads[0].pk], "reason": "  "})
    assert not Comment.objects.exists()


def test_all_that_match_are_released_and_no_others(client, small_pages):
    leads = held_leads("Grace 1", "Grace 2", "Grace 3", "Ada")
    client.post(here() + "?q=grace", {"action": "release", "everything": "1", "reason": "Mended"})
    assert are_held(leads) == [False, False, False, True]
    assert Comment.objects.count() == 3


def test_more_than_are_done_at_once_are_done_in_turns(client, monkeypatch):
    monkeypatch.setattr(quarantine, "RELEASE_LIMIT", 2)
    leads = held_leads("a", "b", "c")
    response = client.post(here(), {"action": "release", "everything": "1"}, follow=True)
    assert "the newest 2" in text_of(response)
    assert are_held(leads) == [True, False, False]


def test_all_that_match_are_only_those_whose_objects_one_sees(client):
    leads = held_leads("Grace")
    stranger = client_of("ada", "view_run")
    response = stranger.post(here(), {"action": "release", "everything": "1"}, follow=True)
    assert "Tick the records you mean first" in text_of(response)
    assert are_held(leads) == [True]
