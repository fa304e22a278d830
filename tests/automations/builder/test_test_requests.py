"""The test address in the trigger's card: there as soon as the draft takes requests, with what arrives at it."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from automations.models import Automation, AutomationState
from automations.services import create_automation, publish, save_draft, set_state
from records.models import Event
from tests.automations.making import step
from tests.records.making import make_user
from webhooks.inbound.endpoints import endpoint_for_draft
from webhooks.models import InboundEndpoint, RequestLog

pytestmark = pytest.mark.django_db

ON_WEBHOOK = {"type": "webhook", "config": {}}
EDITOR = ("view_automation", "change_automation")


@pytest.fixture
def automation() -> Automation:
    """Never switched on, never published."""
    return create_automation(
        name="Orders",
        draft={
            "trigger": ON_WEBHOOK,
            "steps": [
                step("set_variables", "keep", variables={"n": "{{ webhook.body.n }}"}),
                step("respond", "answer", status=201, body="got {{ webhook.body.n }}"),
            ],
        },
    )


def somebody(*permissions: str) -> Client:
    user = make_user("staff", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user("root", is_superuser=True, is_staff=True))
    return client


def url_of(automation: Automation) -> str:
    return f"/admin/automations/automation/{automation.pk}/"


def card(client: Client, automation: Automation) -> str:
    html: str = client.get(f"{url_of(automation)}card/?card=trigger").content.decode()
    return html


def make(client: Client, automation: Automation) -> Any:
    return client.post(f"{url_of(automation)}test-address/")


def arrivals(client: Client, automation: Automation, **query: str) -> Any:
    return client.get(f"{url_of(automation)}test-address/arrivals/", query)


def send(automation: Automation, value: Any, **headers: str) -> Any:
    """As another system does."""
    path = "/" + endpoint_of(automation).test_url.partition("//")[2].partition("/")[2]
    body = value if isinstance(value, str) else json.dumps(value)
    return Client().post(path, body, content_type="application/json", headers=headers)


def endpoint_of(automation: Automation) -> InboundEndpoint:
    return InboundEndpoint.objects.get(automation_id=automation.pk)


# --- the address -------------------------------------------------------------------------------


def test_looking_makes_no_address_but_asks_for_one(admin: Client, automation: Automation) -> None:
    html = card(admin, automation)

    assert f'hx-post="{url_of(automation)}test-address/" hx-trigger="load"' in html
    assert not InboundEndpoint.objects.exists()


def test_a_draft_that_was_never_switched_on_has_a_test_address_and_no_other(
    admin: Client, automation: Automation
) -> None:
    html = make(admin, automation).content.decode()

    endpoint = endpoint_of(automation)
    assert not endpoint.is_active
    assert endpoint.test_url in html
    assert "curl --globoff --request POST" in html
    assert "Nothing has arrived yet" in html
    assert 'hx-trigger="load"' not in html
    assert Client().post(endpoint.path, {}).status_code == 503


def test_the_address_stays_the_same_when_it_is_switched_on(
    admin: Client, automation: Automation
) -> None:
    make(admin, automation)
    first = endpoint_of(automation)
    make(admin, automation)
    publish(automation=automation)
    set_state(automation=automation, state=AutomationState.ACTIVE)

    now = endpoint_of(automation)
    assert (now.pk, now.token, now.test_token) == (first.pk, first.token, first.test_token)
    assert now.is_active
    make(admin, automation)
    assert endpoint_of(automation).is_active


def test_other_triggers_have_none(admin: Client, automation: Automation) -> None:
    manual = {"type": "manual", "config": {}}
    save_draft(automation=automation, draft={**automation.draft, "trigger": manual})

    assert "Test address" not in card(admin, automation)
    assert make(admin, automation).status_code == 404
    assert not InboundEndpoint.objects.exists()


def test_who_may_only_look_is_neither_given_the_address_nor_makes_one(
    automation: Automation,
) -> None:
    looking = somebody("view_automation")
    assert make(looking, automation).status_code == 403
    assert "hx-post" not in card(looking, automation)

    make(root := Client(), automation)  # nobody
    assert not InboundEndpoint.objects.exists()
    root.force_login(make_user("root", is_superuser=True, is_staff=True))
    make(root, automation)

    html = card(looking, automation)
    assert endpoint_of(automation).test_token not in html
    assert "shown to those who may change this automation" in html


# --- what arrives ------------------------------------------------------------------------------


def test_a_request_appears_with_what_the_draft_would_do(
    admin: Client, automation: Automation
) -> None:
    make(admin, automation)
    assert arrivals(admin, automation).status_code == 204

    assert send(automation, {"n": 5, "name": "<b>Ada</b>"}).status_code == 200

    found = arrivals(admin, automation)
    html = found.content.decode()
    row = RequestLog.objects.get()
    assert f'id="{row.pk}"' in html
    assert "Would succeed" in html
    assert "201 got 5" in html
    assert "&lt;b&gt;Ada&lt;/b&gt;" in html
    assert f"/admin/webhooks/requestlog/{row.pk}/change/" in html
    assert not Event.objects.filter(type="webhook.received").exists()
    assert arrivals(admin, automation, after=row.pk).status_code == 204
    assert row.pk in card(admin, automation)


def test_the_step_that_fails_is_named(admin: Client, automation: Automation) -> None:
    failing = step(
        "set_variables", "sum", variables={"n": "{{ webhook.body.n + 1 }}"}, name_="Add one"
    )
    save_draft(automation=automation, draft={**automation.draft, "steps": [failing]})
    make(admin, automation)

    send(automation, {"n": "five"})

    html = arrivals(admin, automation).content.decode()
    assert "Would fail" in html
    assert "<strong>Add one</strong> fails:" in html


def test_a_draft_with_mistakes_tells_them_for_each_request(
    admin: Client, automation: Automation
) -> None:
    save_draft(automation=automation, draft={**automation.draft, "steps": []})
    make(admin, automation)

    send(automation, {"n": 1})

    html = arrivals(admin, automation).content.decode()
    assert "The draft has mistakes" in html
    assert "Add a step first" in html


def test_a_request_that_is_refused_says_why(admin: Client, automation: Automation) -> None:
    make(admin, automation)

    send(automation, "{no json")

    html = arrivals(admin, automation).content.decode()
    assert "Refused, 400" in html


def test_real_requests_are_not_shown(admin: Client, automation: Automation) -> None:
    make(admin, automation)
    publish(automation=automation)
    set_state(automation=automation, state=AutomationState.ACTIVE)
    path = endpoint_of(automation).path
    assert Client().post(path, "{}", content_type="application/json").status_code == 202

    assert arrivals(admin, automation).status_code == 204


def test_requests_are_shown_to_those_who_may_see_the_request_log(automation: Automation) -> None:
    editor = somebody(*EDITOR)
    make(editor, automation)
    send(automation, {"n": "secretive"})

    assert "secretive" not in card(editor, automation)
    assert "those who may see the request log" in card(editor, automation)
    assert arrivals(editor, automation).status_code == 204


# --- samples -----------------------------------------------------------------------------------


def keep(client: Client, automation: Automation, request_id: str) -> Any:
    return client.post(f"{url_of(automation)}test-address/keep/", {"request": request_id})


def test_a_request_that_is_kept_gives_names_and_values(
    admin: Client, automation: Automation
) -> None:
    make(admin, automation)
    send(automation, {"customer": {"email": "ada@example.com"}, "lines": [{"sku": "A1"}]})
    row = RequestLog.objects.get()
    names = f"{url_of(automation)}names/?card=answer"
    assert "webhook.body.customer.email" not in admin.get(names).content.decode()

    kept = keep(admin, automation, row.pk)

    assert RequestLog.objects.get().is_kept
    assert f'<option value="{row.pk}" selected>' in kept.content.decode()
    assert json.loads(kept["HX-Trigger-After-Settle"]) == {"au-sample-chosen": row.pk}
    found = admin.get(f"{names}&sample={row.pk}").json()
    for groups, key in ((found["groups"], "names"), (found["fields"], "fields")):
        paths = [each["path"] for group in groups for each in group[key]]
        assert {"webhook.body.customer.email", "webhook.body.lines[0].sku"} <= set(paths)
    shown = admin.post(
        f"{url_of(automation)}value/",
        {"source": "{{ webhook.body.customer.email }}", "card": "answer", "sample": row.pk},
    )
    assert "ada@example.com" in shown.content.decode()
    assert "Kept as a sample" in arrivals(admin, automation).content.decode()


def test_without_a_choice_the_newest_kept_request_is_taken(
    admin: Client, automation: Automation
) -> None:
    make(admin, automation)
    send(automation, {"first": 1})
    keep(admin, automation, RequestLog.objects.get().pk)

    found = admin.get(f"{url_of(automation)}names/?card=answer").content.decode()

    assert "webhook.body.first" in found


def test_requests_of_other_automations_are_none_of_its_samples(
    admin: Client, automation: Automation
) -> None:
    other = create_automation(name="Other", draft=automation.draft)
    for each in (automation, other):
        make(admin, each)
    publish(automation=other)
    set_state(automation=other, state=AutomationState.ACTIVE)
    path = endpoint_of(other).path
    Client().post(path, '{"foreign": 1}', content_type="application/json")
    theirs = RequestLog.objects.get()

    assert keep(admin, automation, theirs.pk).status_code == 404
    assert not RequestLog.objects.get().is_kept
    event = Event.objects.get(type="webhook.received")
    assert event.pk not in admin.get(f"{url_of(automation)}change/").content.decode()


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        ((*EDITOR, "view_requestlog"), 403),
        ((*EDITOR, "change_inboundendpoint"), 403),
        ((*EDITOR, "view_requestlog", "change_inboundendpoint"), 200),
    ],
)
def test_who_may_keep_a_request_in_the_log_may_do_it_here(
    permissions: tuple[str, ...], status: int, automation: Automation
) -> None:
    client = somebody(*permissions)
    make(client, automation)
    send(automation, {"n": 1})

    assert keep(client, automation, RequestLog.objects.get().pk).status_code == status
    assert ("Use as sample" in card(client, automation)) is False
    assert RequestLog.objects.get().is_kept is (status == 200)


@pytest.mark.parametrize("request_id", ["", "nothing", "req_00000000000000000000000000", "\0"])
def test_a_request_that_is_not_there_is_not_kept(
    request_id: str, admin: Client, automation: Automation
) -> None:
    make(admin, automation)
    assert keep(admin, automation, request_id).status_code == 404


def test_deleting_says_what_goes_and_what_stays(admin: Client, automation: Automation) -> None:
    url = f"{url_of(automation)}delete/"
    assert "Its addresses end at once" not in admin.get(url).content.decode()
    endpoint_for_draft(automation.pk, automation.name)
    html = admin.get(url).content.decode()
    assert "Delete Orders?" in html
    assert "Its addresses end at once" in html
    assert admin.post(url, {"post": "yes"}).status_code == 302
    assert not Automation.objects.exists()
    assert not InboundEndpoint.objects.exists()


def test_who_may_not_delete_is_refused(automation: Automation) -> None:
    assert somebody(*EDITOR).get(f"{url_of(automation)}delete/").status_code == 403
