"""The page on which an automation is tried: who may, what it shows, and switching on."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from automations.builder.saving import stamp_of
from automations.models import Automation, Run
from automations.services import create_automation, set_state
from records.models import Comment, Event, ObjectDefinition, Record, User
from records.permissions import permission_codename
from tests.automations.making import (
    ON_CREATED,
    make_automation,
    make_company,
    make_lead,
    make_leads,
    step,
    work,
)
from tests.records.making import make_user
from webhooks.models import Direction, EndpointKind, InboundEndpoint, RequestLog

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}
RICH = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 9}]}
ON_HOOK = {"type": "webhook", "config": {}}


def draft_of(*steps: dict[str, Any], **parts: Any) -> Automation:
    draft = {"trigger": ON_CREATED, "conditions": None, "settings": {}, **parts}
    return create_automation(name="Draft", draft={**draft, "steps": list(steps)})


def url(automation: Automation, page: str = "test") -> str:
    return reverse(f"admin:automations_automation_{page}", args=[automation.pk])


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root() -> Client:
    return logged_in(make_user("root", is_superuser=True, is_staff=True))


def staff(*codenames: str, sees: str = "leads") -> Client:
    """Somebody with these permissions on automations, who may see the records of some objects."""
    user = make_user("staff", is_staff=True)
    names = [
        permission_codename("view", each)
        for each in ObjectDefinition.objects.filter(slug__in=sees.split())
    ]
    user.user_permissions.set(Permission.objects.filter(codename__in=[*codenames, *names]))
    return logged_in(user)


def try_it(client: Client, automation: Automation, **values: str) -> str:
    response = client.post(url(automation, "test_try"), values, **HTMX)
    assert response.status_code == 200
    return response.content.decode()


def look_back(client: Client, automation: Automation, **values: str) -> str:
    response = client.post(url(automation, "test_backtest"), values or {"days": "7"}, **HTMX)
    assert response.status_code == 200
    return response.content.decode()


# --- the page ---


def test_the_page_has_the_tabs_and_all_three_parts(root: Client) -> None:
    make_leads()
    lead = make_lead(name="Ada Lovelace")
    page = root.get(url(draft_of(step("add_comment", body="x")))).content.decode()
    for words in ("Try the draft", "Look back", "Switch on", "Ada Lovelace", lead.pk):
        assert words in page
    assert 'aria-current="page"' in page


@pytest.mark.parametrize(
    "trigger",
    [
        {"type": "event", "config": {"event": "user.created", "object": ""}},
        {"type": "event", "config": {"event": "comment.created", "object": "leads"}},
        {"type": "event", "config": {"event": "record.deleted", "object": "leads"}},
        {"type": "event", "config": {"event": "record.quarantined", "object": "leads"}},
        {"type": "event", "config": {"event": "task.completed", "object": "leads"}},
        {"type": "stage_changed", "config": {"object": "leads"}},
        {"type": "field_changed", "config": {"object": "leads", "fields": ["stage"]}},
        {"type": "schedule", "config": {"every": 5, "unit": "minutes"}},
        {"type": "due", "config": {"object": "leads", "field": "last_contacted_at"}},
        {"type": "manual", "config": {}},
        {"type": "manual", "config": {"object": "leads"}},
        ON_HOOK,
    ],
)
@pytest.mark.parametrize("is_empty", [True, False])
def test_every_trigger_can_be_tried_and_looked_back_on(
    root: Client, trigger: dict[str, Any], is_empty: bool
) -> None:
    make_leads()
    if not is_empty:
        make_lead()
    automation = draft_of(
        step("set_variables", variables=[{"name": "x", "value": "{{ event.name }}"}]),
        trigger=trigger,
    )
    assert root.get(url(automation)).status_code == 200
    assert "Would succeed" in try_it(root, automation, sample="sample", body="{}")
    page = look_back(root, automation)
    assert "Would have fired" in page or "Nothing of the kind" in page


def test_a_draft_without_a_trigger_says_what_to_do_first(root: Client) -> None:
    automation = create_automation(name="New")
    automation.draft["trigger"] = {"type": "", "config": {}}
    automation.save()
    assert "Choose what triggers it first" in root.get(url(automation)).content.decode()


def test_mistakes_lead_to_their_cards(root: Client) -> None:
    make_leads()
    automation = draft_of(step("update_record", "fix_me", data={"stauts": "x"}))
    page = root.get(url(automation)).content.decode()
    assert "?open=fix_me#au-body-fix_me" in page
    assert "did you mean" in page
    assert "did you mean" in try_it(root, automation, sample="sample")
    builder = root.get(f"{url(automation, 'change')}?open=fix_me")
    assert 'id="au-body-fix_me" data-body>' in builder.content.decode()


# --- trying ---


def test_a_try_looks_like_a_run_and_leaves_nothing(root: Client) -> None:
    make_leads()
    lead = make_lead()
    automation = draft_of(
        step("update_record", data={"status": "tried"}), step("add_comment", "c", body="x")
    )
    events = Event.objects.count()
    trial = try_it(root, automation, sample=lead.pk)
    assert "Dry run: nothing was saved or sent" in trial
    assert "tried</td>" in trial
    lead.refresh_from_db()
    assert "status" not in lead.data or lead.data["status"] is None
    assert (Event.objects.count(), Comment.objects.count(), Run.objects.count()) == (events, 0, 0)


def test_without_scripts_the_whole_page_comes_back(root: Client) -> None:
    make_leads()
    automation = draft_of(step("add_comment", body="x"))
    response = root.post(url(automation, "test_try"), {"sample": "sample"})
    page = response.content.decode()
    assert "Switch on" in page
    assert "Would succeed" in page
    page = root.post(url(automation, "test_backtest"), {"days": "30"}).content.decode()
    assert "Switch on" in page


def test_conditions_that_say_no_can_be_overruled(root: Client) -> None:
    make_leads()
    lead = make_lead(amount=1)
    automation = draft_of(step("add_comment", body="x"), conditions=RICH)
    assert "Would not fire" in try_it(root, automation, sample=lead.pk)
    forced = try_it(root, automation, sample=lead.pk, anyway="on")
    assert "It would not have fired" in forced
    assert "Would succeed" in forced


def test_what_it_would_set_off_is_linked(root: Client) -> None:
    make_leads()
    other = make_automation(
        step("add_comment", body="x"),
        trigger={"type": "stage_changed", "config": {"object": "leads"}},
        name="Celebrate",
    )
    automation = draft_of(step("move_stage", stage="won"))
    trial = try_it(root, automation, sample=make_lead().pk)
    assert "Would also set off" in trial
    assert url(other, "change") in trial


def test_a_record_that_was_made_and_unmade_is_not_linked(root: Client) -> None:
    make_leads()
    automation = draft_of(step("create_record", object="companies", data={"name": "New"}))
    trial = try_it(root, automation, sample=make_lead().pk)
    assert ">New" in trial
    assert "/records/record/" not in trial


def test_a_long_loop_is_cut_on_the_page(root: Client) -> None:
    make_leads()
    each = step("set_variables", "v", variables=[{"name": "x", "value": "{{ item }}"}])
    automation = draft_of(
        step("for_each", "l", list="{{ record.tags }}", limit=400, steps=[each]),
        step("move_stage", "s2", stage="won"),
    )
    lead = make_lead(tags=list(range(400)))
    trial = try_it(root, automation, sample=lead.pk)
    assert "300 of its 402 steps are shown" in trial
    assert "Not reached" not in trial


def test_a_request_can_be_written(root: Client) -> None:
    automation = draft_of(
        step(
            "set_variables",
            variables=[{"name": "x", "value": "{{ webhook.body.name }}-{{ webhook.query.id }}"}],
        ),
        trigger=ON_HOOK,
    )
    written = {"method": "POST", "query": "id=7", "headers": "Content-Type: application/json"}
    trial = try_it(root, automation, sample="sample", body='{"name": "Ada"}', **written)
    assert "Ada-7" in trial


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"body": "{", "headers": "Content-Type: application/json"}, "JSON"),
        ({"body": "{}", "headers": "nonsense"}, "“nonsense” is no header"),
    ],
)
def test_a_request_that_can_not_be_read_says_why(
    root: Client, values: dict[str, str], words: str
) -> None:
    automation = draft_of(
        step("set_variables", variables=[{"name": "x", "value": "1"}]), trigger=ON_HOOK
    )
    assert words in try_it(root, automation, sample="sample", method="POST", query="", **values)


def test_a_kept_request_can_be_taken(root: Client) -> None:
    automation = draft_of(
        step("set_variables", variables=[{"name": "x", "value": "{{ webhook.body.name }}"}]),
        trigger=ON_HOOK,
    )
    endpoint = InboundEndpoint.objects.create(
        name="In", kind=EndpointKind.AUTOMATION, automation_id=automation.pk
    )
    kept = RequestLog.objects.create(
        direction=Direction.IN,
        endpoint=endpoint,
        is_kept=True,
        name="A good one",
        method="POST",
        url="http://x/api?y=1",
        request_headers=[["Content-Type", "application/json"]],
        request_body='{"name": "Kept"}',
        started_at=automation.created_at,
    )
    assert "A good one" in root.get(url(automation)).content.decode()
    assert "Kept" in try_it(root, automation, sample=kept.pk)


def test_records_are_searched_by_name(root: Client) -> None:
    make_leads()
    make_lead(name="Ada")
    make_lead(name="Grace")
    automation = draft_of(step("add_comment", body="x"))
    found = root.get(url(automation, "test_samples"), {"query": "grace"}, **HTMX).content.decode()
    assert "Grace" in found
    assert "Ada" not in found


@pytest.mark.parametrize(
    "sample", ["", "nonsense", "rec_nonsense", "evt_01h455vb4pex5vsknk084sn02q", "tick_x", "\0"]
)
def test_whatever_is_chosen_there_is_an_answer(root: Client, sample: str) -> None:
    make_leads()
    for trigger in (ON_CREATED, ON_HOOK, {"type": "schedule", "config": {"every": 1}}):
        automation = draft_of(
            step("set_variables", variables=[{"name": "x", "value": "1"}]), trigger=trigger
        )
        assert "Would succeed" in try_it(root, automation, sample=sample)
        assert root.get(url(automation), {"sample": sample}).status_code == 200
        assert root.get(url(automation, "test_why"), {"sample": sample}).status_code == 200


# --- looking back ---


def test_the_look_back_counts_and_explains(root: Client) -> None:
    make_leads()
    make_lead(name="Poor", amount=1)
    make_lead(name="Rich", amount=100)
    automation = draft_of(step("add_comment", body="x"), conditions=RICH)
    page = look_back(root, automation)
    assert "Amount is greater than 9" in page
    assert "Poor" in page
    key = re.search(r"sample=(evt_\w+)", page)
    assert key
    why = root.get(url(automation, "test_why"), {"sample": key[1]}, **HTMX).content.decode()
    assert "runs-finding" in why
    assert f"?sample={key[1]}" in why
    assert (
        f'value="{key[1]}" checked'
        in root.get(url(automation), {"sample": key[1]}).content.decode()
    )


def test_a_look_back_goes_on_from_slice_to_slice(
    root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automations.backtests.SLICE", 1)
    make_leads()
    make_lead()
    make_lead()
    automation = draft_of(step("add_comment", body="x"))
    page, slices = look_back(root, automation), 1
    while state := re.search(r'name="state" value="([^"]+)"', page):
        page, slices = look_back(root, automation, state=state[1]), slices + 1
        assert slices < 10
    assert "Looked at 2 events" in page


def test_a_look_back_ends_when_the_draft_has_changed(
    root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automations.backtests.SLICE", 1)
    make_leads()
    make_lead()
    automation = draft_of(step("add_comment", body="x"))
    state = re.search(r'name="state" value="([^"]+)"', look_back(root, automation))
    assert state
    automation.draft["conditions"] = RICH
    automation.save()
    assert "Begin again" in look_back(root, automation, state=state[1])
    assert "Begin again" in look_back(root, automation, state="nonsense")


# --- switching on ---


def switch(client: Client, automation: Automation, state: str, **values: str) -> str:
    values = {"state": state, "stamp": stamp_of(automation.draft), **values}
    response = client.post(url(automation, "test_switch"), values, follow=True)
    assert response.status_code == 200
    automation.refresh_from_db()
    return response.content.decode()


@pytest.mark.parametrize("state", ["test", "active"])
def test_it_is_published_and_switched_on(root: Client, state: str) -> None:
    make_leads()
    automation = draft_of(step("add_comment", body="x"))
    page = switch(root, automation, state)
    assert "Version 1 is published." in page
    assert automation.state == state
    assert automation.published is not None
    assert automation.published.document == automation.draft
    assert "Version 1 is published." not in switch(root, automation, "active")
    assert automation.versions.count() == 1


def test_nothing_is_switched_on_with_mistakes_or_another_draft(root: Client) -> None:
    make_leads()
    automation = draft_of(step("update_record", data={"stauts": "x"}))
    assert "Not switched on" in switch(root, automation, "active")
    assert automation.state == "draft"
    automation = draft_of(step("add_comment", body="x"))
    assert "in the meantime" in switch(root, automation, "active", stamp="old")
    assert (automation.state, automation.published) == ("draft", None)
    assert root.post(url(automation, "test_switch"), {"state": "paused"}).status_code == 404


def test_what_test_mode_would_have_sent_is_listed(root: Client) -> None:
    make_leads()
    automation = make_automation(
        step("webhook", url="https://example.com/hook", method="POST"), state="test"
    )
    make_lead(name="Ada")
    work()
    page = root.get(url(automation)).content.decode()
    assert "Would have sent POST https://example.com/hook; nothing was sent." in page
    assert reverse("admin:automations_run_change", args=[Run.objects.get().pk]) in page
    set_state(automation=automation, state="active")


# --- permissions ---

PAGES = ("test_samples", "test_try", "test_backtest", "test_why", "test_switch")


def ask(client: Client, automation: Automation, page: str) -> int:
    if page in ("test_samples", "test_why"):
        return client.get(url(automation, page)).status_code
    return client.post(url(automation, page), {"state": "active"}).status_code


def test_who_may_only_see_sees_no_forms(root: Client) -> None:
    make_leads()
    automation = draft_of(step("add_comment", body="x"))
    client = staff("view_automation")
    page = client.get(url(automation)).content.decode()
    assert "Who may change this automation can try it here." in page
    assert "te-go" not in page
    assert {ask(client, automation, each) for each in PAGES} == {403}


def test_who_may_not_see_the_records_tries_nothing() -> None:
    make_leads()
    make_lead(name="Hidden lead")
    automation = draft_of(step("add_comment", body="x"))
    client = staff("change_automation", "view_automation", sees="companies")
    page = client.get(url(automation)).content.decode()
    assert "which you may not see" in page
    assert "Hidden lead" not in page
    assert {ask(client, automation, each) for each in PAGES[:-1]} == {403}


def test_strangers_get_nothing() -> None:
    make_leads()
    automation = draft_of(step("add_comment", body="x"))
    assert staff(sees="leads").get(url(automation)).status_code == 403
    assert {ask(Client(), automation, each) for each in PAGES} == {302}


def test_changes_of_records_that_may_not_be_seen_are_not_shown() -> None:
    make_leads()
    acme = make_company(city="Secretville")
    lead = make_lead(company=acme.pk)
    automation = draft_of(step("update_record", record="company", data={"city": "Othertown"}))
    client = staff("change_automation", "view_automation", sees="leads")
    trial = try_it(client, automation, sample=lead.pk)
    assert "Would succeed" in trial
    assert "linked records that you may not see" in trial
    assert "Secretville" not in trial
    assert "Othertown" not in trial
    assert Record.objects.get(pk=acme.pk).data["city"] == "Secretville"


def test_changes_of_other_records_that_may_not_be_seen_are_not_shown() -> None:
    make_leads()
    acme = make_company(city="Secretville")
    automation = draft_of(step("update_record", record=acme.pk, data={"city": "Othertown"}))
    client = staff("change_automation", "view_automation", sees="leads")
    trial = try_it(client, automation, sample=make_lead().pk)
    assert "you may not see the records that it changes" in trial
    assert "Secretville" not in trial
    assert "Othertown" not in trial


@pytest.mark.parametrize(
    "text", ["{{ record.company.city }}", "{% set c = record['company'] %}{{ c.city }}"]
)
def test_values_behind_links_that_may_not_be_seen_are_not_shown(text: str) -> None:
    make_leads()
    lead = make_lead(company=make_company(city="Secretville").pk)
    conditions = {"match": "all", "rules": [{"field": "company.city", "operator": "is_not_empty"}]}
    automation = create_automation(name="Draft")
    automation.draft = {
        "trigger": ON_CREATED,
        "conditions": conditions,
        "steps": [
            step("add_comment", body=text),
            step("stop", "s2", status="failed", message=text),
        ],
        "settings": {},
    }
    automation.save()
    client = staff("change_automation", "view_automation", sees="leads")
    for page in (
        try_it(client, automation, sample=lead.pk),
        look_back(client, automation),
        client.get(url(automation, "test_why"), {"sample": lead.pk}).content.decode(),
    ):
        assert "Secretville" not in page
