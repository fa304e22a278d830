"""Records in quarantine: the list, releasing them, and trying their runs again."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from automations.models import Run
from config.sidebar import _count_quarantined
from records.dispatch import dispatch_events
from records.models import Event, Record
from records.services import quarantine_record
from tests.automations.making import make_automation, make_lead, make_leads, step, work
from tests.automations.test_retry_page import text_of
from tests.records.making import make_user

pytestmark = pytest.mark.django_db

BROKEN = step("set_variables", "broken", variables={"a": "{{ record.name / 2 }}"})


@pytest.fixture
def client() -> Client:
    return client_of("root", is_superuser=True)


def client_of(name, *codenames, **flags) -> Client:
    user = make_user(name, is_staff=True, **flags)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def here() -> str:
    return reverse("admin:automations_quarantine")


def held_leads(*names: str) -> list[Record]:
    """In quarantine, because a run about them failed."""
    make_leads()
    make_automation(BROKEN, settings={"on_failure": {"quarantine": True}}, name="Halve")
    leads = [make_lead(name=name) for name in names]
    work()
    for lead in leads:
        lead.refresh_from_db()
        assert lead.quarantined_at
    return leads


def are_held(leads: list[Record]) -> list[bool]:
    pks = [lead.pk for lead in leads]
    held = set(
        Record.objects.filter(pk__in=pks).exclude(quarantined_at=None).values_list("pk", flat=True)
    )
    return [pk in held for pk in pks]


def test_nothing_in_quarantine_says_how_records_come_there(client):
    text = text_of(client.get(here()))
    assert "Nothing is in quarantine" in text
    assert "When it fails" in text


def test_the_breadcrumbs_name_the_page_and_not_the_runs(client):
    head = text_of(client.get(here())).split("Nothing is in quarantine")[0]
    assert "Automations Quarantine Notifications" in head


def test_each_is_listed_with_reason_and_run(client):
    held_leads("Grace")
    response = client.get(here())
    text = text_of(response)
    assert "Grace" in text
    assert "“Halve” failed" in text
    assert (
        reverse("admin:automations_run_change", args=[Run.objects.get().pk]).encode()
        in response.content
    )
    assert Event.objects.get(type="record.quarantined").run_id == Run.objects.get().pk


def test_one_that_a_person_put_there_names_the_person(client):
    make_leads()
    quarantine_record(record=make_lead(name="Grace"), reason="Looks odd")
    Event.objects.filter(type="record.quarantined").update(actor_label="Ada")
    text = text_of(client.get(here()))
    assert "Looks odd Ada" in text
    assert "Release and retry" not in text.split("Looks odd")[1]


def test_one_button_releases_one(client):
    leads = held_leads("Grace", "Ada")
    response = client.post(here(), {"one": leads[0].pk, "ids": [leads[1].pk]}, follow=True)
    assert are_held(leads) == [False, True]
    assert "“Grace” was released" in text_of(response)


def test_many_are_released_together(client):
    leads = held_leads("Grace", "Ada", "Joan")
    response = client.post(
        here(), {"action": "release", "ids": [lead.pk for lead in leads[:2]]}, follow=True
    )
    assert are_held(leads) == [False, False, True]
    assert "2 records were released" in text_of(response)


def test_releasing_and_retrying_asks_first(client):
    leads = held_leads("Grace", "Ada")
    response = client.post(here(), {"action": "retry", "ids": [lead.pk for lead in leads]})
    text = text_of(response)
    assert "Retry 2 runs?" in text
    assert "2 of their records are in quarantine" in text
    assert are_held(leads) == [True, True]
    client.post(
        reverse("admin:automations_run_retry_many"),
        {
            "confirmed": "1",
            "release": "1",
            "ids": list(Run.objects.values_list("pk", flat=True)),
        },
    )
    assert are_held(leads) == [False, False]
    assert Run.objects.filter(retry_of__isnull=False).count() == 2


def test_a_run_that_was_retried_before_is_not_offered_again(client):
    [lead] = held_leads("Grace")
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    assert b"?release=1" not in client.get(here()).content
    response = client.post(here(), {"action": "retry", "ids": [lead.pk]}, follow=True)
    assert "release them instead" in text_of(response)
    assert are_held([lead]) == [True]


def test_what_has_waited_for_the_release_goes_on_at_once(client):
    make_leads()
    make_automation(step("set_variables", "s", variables={"a": 1}))
    lead = make_lead(name="Grace")
    dispatch_events()
    quarantine_record(record=lead, reason="Looks odd")
    work()
    run = Run.objects.get()
    assert run.status == "waiting"
    page = client.get(reverse("admin:automations_run_change", args=[run.pk]))
    assert "the record is in quarantine until a person releases it" in text_of(page)
    client.post(here(), {"one": lead.pk})
    work()
    run.refresh_from_db()
    assert run.status == "succeeded"


def test_who_may_not_change_the_object_sees_no_buttons_and_releases_nothing():
    leads = held_leads("Grace")
    client = client_of("ada", "view_run", "view_leads")
    response = client.get(here())
    assert "Grace" in text_of(response)
    assert b"Release" not in response.content
    response = client.post(here(), {"one": leads[0].pk}, follow=True)
    assert "you may not change them" in text_of(response)
    assert are_held(leads) == [True]


def test_who_may_not_see_the_object_does_not_see_its_records():
    held_leads("Grace")
    assert "Grace" not in text_of(client_of("ada", "view_run").get(here()))


def test_who_may_not_see_runs_does_not_come_here():
    assert client_of("ada", "view_leads").get(here()).status_code == 403


def test_nothing_chosen_is_said_in_words(client):
    response = client.post(here(), {"ids": ["nonsense"]}, follow=True)
    assert "Tick the records you mean first" in text_of(response)


def test_the_list_takes_as_many_queries_for_many(client, django_assert_max_num_queries):
    held_leads("Grace")
    client.get(here())
    with django_assert_max_num_queries(30) as few:
        client.get(here())
    for name in "abcdef":
        make_lead(name=name)
    work()
    with django_assert_max_num_queries(len(few)):
        assert text_of(client.get(here())).count("Release and retry…") == 8


def test_the_sidebar_counts_them(client):
    held_leads("Grace", "Ada")
    assert _count_quarantined() == 2


def test_the_records_own_page_has_a_button_for_those_who_may(client):
    [lead] = held_leads("Grace")
    page = reverse("record_detail", args=["leads", lead.pk])
    release = reverse("record_release", args=["leads", lead.pk])
    assert release in client.get(page).content.decode()
    reader = client_of("ada", "view_leads")
    assert release not in reader.get(page).content.decode()
    assert reader.post(release).status_code in (403, 404)
    assert are_held([lead]) == [True]
    assert "released from quarantine" in text_of(client.post(release, follow=True))
    assert are_held([lead]) == [False]
