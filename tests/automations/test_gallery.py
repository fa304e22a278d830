"""The gallery: filled in, every template is without mistakes; else it says what is missing."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from automations.admin.gallery_page import fill
from automations.builder.place import Place
from automations.document.checking import check_document
from automations.gallery import GALLERY
from automations.models import Automation, AutomationState
from records.models import User
from tests.automations.making import make_leads
from tests.automations.test_retry_page import text_of
from tests.records.making import make_user
from webhooks.demo.objects import make_objects
from webhooks.models import Secret
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db

every_template = pytest.mark.parametrize("template", GALLERY, ids=lambda each: each.slug)
# What a person would fill in for the demo's leads.
VALUES = {
    "object": "leads",
    "name_field": "name",
    "email_field": "email",
    "id_field": "crm_id",
    "date_field": "next_contact",
    "ask_field": "email",
    "fill_field": "notes",
    "stage": "qualified",
    "team": "Sales",
    "url": "https://api.example.com/v1/contacts",
    "secret": "crm_token",
    "pointer": "/data/id",
    "text": "Look at your leads.",
}


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def demo() -> None:
    make_objects()
    Group.objects.create(name="Sales")
    create_secret(name="crm_token", value="a-token-of-the-crm")


def page(template) -> str:
    return reverse("admin:automations_gallery_template", args=[template.slug])


@every_template
def test_filled_in_it_can_be_published(template, demo):
    make_user("root", is_superuser=True)
    assert check_document(template.make(VALUES), for_publishing=False) == []


@every_template
def test_with_nothing_filled_in_it_is_a_draft_that_says_what_is_missing(template, demo):
    document = template.make(dict.fromkeys(VALUES, "") | {"object": "leads"})
    assert all(mistake.message for mistake in check_document(document))
    assert isinstance(document["steps"], list)


@every_template
def test_its_slug_title_and_blanks_are_its_own(template):
    assert [each.slug for each in GALLERY].count(template.slug) == 1
    names = [blank.name for blank in template.blanks]
    assert len(names) == len(set(names))
    assert set(names) <= VALUES.keys()


def test_the_gallery_shows_all_with_their_use(client):
    text = text_of(client.get(reverse("admin:automations_gallery")))
    for template in GALLERY:
        assert template.title in text
        assert template.use in text


@every_template
def test_its_form_leads_into_the_builder_as_a_draft(client, demo, template):
    assert client.get(page(template)).status_code == 200
    response = client.post(page(template), {**VALUES, "name": "Mine"}, follow=True)
    made = Automation.objects.get()
    assert response.redirect_chain == [
        (reverse("admin:automations_automation_change", args=[made.pk]), 302)
    ]
    assert (made.name, made.state) == ("Mine", AutomationState.DRAFT)
    assert check_document(made.draft) == []
    assert "ready to be tried and published" in text_of(response)


def test_a_secret_that_is_not_there_is_a_mistake_of_its_step(client, demo):
    Secret.objects.all().delete()
    template = next(each for each in GALLERY if each.slug == "sync-to-crm")
    form = client.get(page(template)).content.decode()
    assert reverse("admin:webhooks_secret_add") + "?name=crm_token" in form
    response = client.post(page(template), {**VALUES, "secret": ""}, follow=True)
    [mistake] = check_document(Automation.objects.get().draft)
    assert (mistake.card, "no secret `crm_token`" in mistake.message) == ("crm", True)
    assert "One thing still needs you" in text_of(response)
    made = Automation.objects.get()
    card = reverse("admin:automations_automation_card", args=[made.pk])
    opened = client.get(card, {"card": "crm"}).content.decode()
    assert reverse("admin:webhooks_secret_add") + "?name=crm_token" in opened


def test_what_can_be_chosen_is_that_of_the_object(client, demo):
    template = next(each for each in GALLERY if each.slug == "follow-up-task")
    response = client.get(
        page(template),
        {"object": "tickets", "stage": "qualified", "name_field": "name"},
        headers={"HX-Request": "true"},
    )
    text = response.content.decode()
    assert "<form" not in text
    assert 'value="solved"' in text
    assert 'value="qualified"' not in text
    assert '<option value="subject" selected>' in text


def test_what_was_left_empty_stays_empty(rf, demo):
    template = next(each for each in GALLERY if each.slug == "follow-up-task")
    place = Place({}, make_user("root", is_superuser=True))
    filled = fill(template, rf.get("/", {"object": "leads", "name_field": ""}).GET, place)
    assert {each.blank.name: each.value for each in filled}["name_field"] == ""


def test_without_any_object_there_is_still_a_page(client):
    for template in GALLERY:
        assert client.get(page(template)).status_code == 200


def test_only_objects_that_one_may_see_can_be_chosen(demo):
    make_leads_reader = make_user("ada", is_staff=True)
    names = ["add_automation", "view_automation", "view_tickets"]
    make_leads_reader.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    text = client.get(page(GALLERY[0])).content.decode()
    assert 'value="tickets"' in text
    assert 'value="leads"' not in text


def test_who_may_not_add_automations_does_not_come_here():
    make_leads()
    make_user("ada", is_staff=True)
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    assert client.get(reverse("admin:automations_gallery")).status_code == 403
    assert client.post(page(GALLERY[0]), VALUES).status_code == 403
    assert not Automation.objects.exists()


def test_no_such_template_is_not_found(client):
    url = reverse("admin:automations_gallery_template", args=["none"])
    assert client.get(url).status_code == 404
