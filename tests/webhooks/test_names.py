"""The names that expressions can use, through links too: known ones are offered, unknown ones are found."""

import pytest

from records.dispatch import dispatch_events
from records.models import Event, ObjectDefinition
from records.services import create_record
from tests.records.making import make_object, make_user
from webhooks.models import Webhook, WebhookJob
from webhooks.names import Names, menu_of
from webhooks.rendering import RequestTemplate
from webhooks.validation import check_filter, check_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads() -> ObjectDefinition:
    make_object("companies", {"slug": "name"}, stages="")
    return make_object(
        "leads",
        {"slug": "name"},
        {"slug": "company", "kind": "link", "options": {"object": "companies"}},
        {"slug": "manager", "kind": "user"},
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("record.company.nmae", "`record.company` has no field `nmae`; did you mean `name`?"),
        ("previous.manager.mail", "`previous.manager` has no field `mail`; did you mean `email`?"),
        ("record.owner.pasword", "`record.owner` has no field `pasword`"),
    ],
)
def test_unknown_names_behind_links_are_found(
    leads: ObjectDefinition, path: str, words: str
) -> None:
    names = Names("record.updated", leads)
    template = RequestTemplate(method="GET", url="https://example.com/{{ " + path + " }}")
    (mistake,) = check_request(template, names)
    assert words in mistake.message
    assert check_filter(f"{path} == 1", names)


def test_known_names_behind_links_are_fine_and_offered(leads: ObjectDefinition) -> None:
    names = Names("record.updated", leads)
    source = "record.company.name == record.manager.email or record.owner.name or record.name"
    assert check_filter(source, names) == []
    offered = {
        group["label"]: [name["path"] for name in group["names"]] for group in menu_of(names)
    }
    assert offered["Company (Companie)"] == ["record.company.name", "record.company.id"]
    assert "record.manager.email" in offered["Manager"]


def test_webhooks_reach_what_a_link_leads_to(leads: ObjectDefinition) -> None:
    companies = ObjectDefinition.objects.get(slug="companies")
    acme = create_record(object_definition=companies, data={"name": "Acme"})
    Webhook.objects.create(
        name="Tell",
        event="record.created",
        object=leads,
        filter=f"record.company.name == 'Acme' and record.company == '{acme.pk}'",
        url="https://example.com/",
        body_kind="text",
        body="{{ record.company.name }} {{ record.company }} {{ record.owner.email }}",
    )
    owner = make_user("ada", email="ada@example.com")
    create_record(object_definition=leads, data={"name": "Ada", "company": acme.pk}, owner=owner)
    create_record(object_definition=leads, data={"name": "Bob"})
    while dispatch_events():
        pass
    assert [job.body for job in WebhookJob.objects.all() if job.body] == [
        f"Acme {acme.pk} ada@example.com"
    ]
    assert not Event.objects.exclude(dispatch_error="").exists()
