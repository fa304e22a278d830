"""The cards of the builder: their forms, what they keep, mistakes and warnings at them."""

import json
import re
from html import unescape

import pytest
from django.test import Client

from automations.builder.saving import stamp_of
from automations.document.checking import check_document
from automations.models import Automation
from automations.services import create_automation
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from tests.automations.builder.at_hand import ON_LEADS, Post, state_of, url_of
from tests.automations.builder.sending import untouched
from tests.automations.making import make_lead, make_leads, step

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", sorted(ACTIONS))
def test_every_kind_of_step_has_a_form_and_keeps_what_it_says(
    kind: str, edit: Post, admin: Client, automation: Automation
) -> None:
    added = edit("add", type=kind, block="", place="0")
    assert added.status_code == 200
    step_id = automation.draft["steps"][0]["id"]

    form = admin.get(f"{url_of(automation)}card/", {"card": step_id})

    assert form.status_code == 200
    html = form.content.decode()
    assert "<form" in html
    before = automation.draft
    assert edit("step", **untouched(html)).status_code == 200
    assert check_document(automation.draft) == check_document(before)


@pytest.mark.parametrize("kind", sorted(TRIGGERS))
def test_every_kind_of_trigger_has_a_form(kind: str, edit: Post, automation: Automation) -> None:
    response = edit("trigger-type", type=kind, open="trigger")

    assert response.status_code == 200
    assert automation.draft["trigger"]["type"] == kind
    form = response.content.decode().partition('data-card="conditions"')[0]
    assert edit("trigger", **untouched(form)).status_code == 200
    assert automation.draft["trigger"]["type"] == kind


def test_a_form_says_what_a_step_is_told(edit: Post, automation: Automation) -> None:
    edit("add", type="webhook", block="", place="1")
    edit(
        "step",
        **{
            "card": "webhook",
            "name": "Tell Slack",
            "c-url": "https://slack.test/{record.id}",
            "c-headers-sent": "1",
            "c-headers-name": ["X-One", ""],
            "c-headers-value": ["{{ record.name }}", ""],
            "c-response_schema-sent": "1",
            "c-store-sent": "1",
            "c-response_schema-pointer": ["ts", "/data/id"],
            "c-response_schema-name": ["", ""],
            "c-response_schema-store": ["status", ""],
            "c-retry_delays_s": "10 s, 1 min",
            "c-timeout_s": "12",
        },
    )

    sent = automation.draft["steps"][1]
    assert sent["name"] == "Tell Slack"
    assert sent["config"] == {
        "url": "https://slack.test/{record.id}",
        "headers": [{"name": "X-One", "value": "{{ record.name }}"}],
        "response_schema": [
            {"name": "ts", "pointer": "/ts"},
            {"name": "id", "pointer": "/data/id"},
        ],
        "store": [{"field": "status", "value": "ts"}],
        "retry_delays_s": [10, 60],
        "timeout_s": 12,
    }
    assert check_document(automation.draft) == []


def test_what_can_not_be_read_is_kept_with_its_mistake(edit: Post, automation: Automation) -> None:
    edit("add", type="webhook", block="", place="1")
    response = edit("step", **{"card": "webhook", "c-url": "https://x.test", "c-timeout_s": "soon"})

    assert automation.draft["steps"][1]["config"]["timeout_s"] == "soon"
    [mistake] = state_of(response.content.decode())["mistakes"]
    assert (mistake["card"], mistake["field"]) == ("webhook", "c-timeout_s")


def test_a_removed_step_can_be_brought_back(edit: Post, automation: Automation) -> None:
    before = automation.draft
    response = edit("remove", card="end")
    assert automation.draft["steps"] == []

    values = re.search(r'data-edit="restore" data-values="([^"]*)"', response.content.decode())
    assert values
    edit("restore", **json.loads(unescape(values[1])))

    assert automation.draft == before


def test_a_removed_case_can_be_brought_back(edit: Post, automation: Automation) -> None:
    edit("add", type="branch", block="", place="0")
    edit("add", type="stop", block="branch/0", place="0")
    before = automation.draft
    response = edit("remove-case", card="branch", case="0")

    values = re.search(r'data-edit="restore-case" data-values="([^"]*)"', response.content.decode())
    assert values
    edit("restore-case", **json.loads(unescape(values[1])))

    assert automation.draft == before


@pytest.mark.parametrize(
    "step", ["", "{}", "[]", '{"id": "x"}', '{"id": "A!", "type": "stop"}', "null"]
)
def test_nonsense_does_not_become_a_step(step: str, edit: Post, automation: Automation) -> None:
    before = automation.draft

    assert edit("restore", step=step, block="", place="0").status_code == 422
    assert automation.draft == before


def test_the_object_decides_what_can_be_chosen(edit: Post) -> None:
    response = edit(
        "trigger", **{"c-event": "record.created", "c-object": "companies"}, open="conditions"
    )

    assert "HX-Reswap" not in response.headers, "the cards are drawn anew"
    assert "Created" in response.content.decode()


def test_conditions_of_the_editor_are_kept_and_said_in_words(
    edit: Post, automation: Automation
) -> None:
    rules = {
        "match": "all",
        "rules": [{"field": "amount", "operator": "greater_than", "value": 10}],
    }
    response = edit("conditions", **{"c-conditions": json.dumps(rules)})

    assert automation.draft["conditions"] == rules
    assert (
        state_of(response.content.decode())["summaries"]["conditions"]
        == "Amount is greater than 10"
    )
    edit("conditions", **{"c-conditions": '{"match": "all", "rules": []}'})
    assert automation.draft["conditions"] is None


def test_a_mistake_in_a_rule_is_told_at_the_conditions(edit: Post) -> None:
    rules = {"match": "all", "rules": [{"field": "amuont", "operator": "greater_than", "value": 1}]}
    response = edit("conditions", **{"c-conditions": json.dumps(rules)})

    [mistake] = state_of(response.content.decode())["mistakes"]
    assert mistake["field"] == "c-conditions"
    assert "amount" in mistake["message"]


@pytest.mark.parametrize(
    ("source", "mode", "words"),
    [
        ("Hello {{ record.name }}", "text", "Hello Ada"),
        ("{{ record.amount + 1 }}", "text", "number"),
        ("https://x.test/{record.name}", "url", "https://x.test/Ada"),
        ("record.amount > 10", "bare", "true/false"),
        ("{{ record.nmae }}", "text", "<mark>"),
        ("{{ record.name", "text", "<mark>"),
        ("{{ steps.other.response }}", "text", "Known when it runs"),
    ],
)
def test_values_are_shown_for_a_real_record(
    source: str, mode: str, words: str, admin: Client, automation: Automation
) -> None:
    make_lead(amount=12)
    values = {"source": source, "mode": mode, "card": "end"}
    answer = admin.post(f"{url_of(automation)}value/", values)

    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_the_names_of_a_place_come_with_fields_and_operators(
    admin: Client, automation: Automation
) -> None:
    known = admin.get(f"{url_of(automation)}names/", {"card": "end"}).json()

    paths = [name["path"] for group in known["groups"] for name in group["names"]]
    assert {"record.name", "record.owner.email", "run.url"} <= set(paths)
    fields = {field["path"]: field for group in known["fields"] for field in group["fields"]}
    assert fields["amount"]["type"] == "number"
    assert fields["record.company.city"]["label"] == "City"
    assert [value for value, _ in fields["stage"]["choices"]] == ["new", "contacted", "won"]
    assert {"name": "changed", "takes": "none"}.items() <= next(
        one for one in known["operators"] if one["name"] == "changed"
    ).items()


def test_warnings_are_told_at_their_cards_and_keep_nobody_from_publishing(
    edit: Post, admin: Client, automation: Automation
) -> None:
    edit("add", type="webhook", block="", place="0")
    response = edit("step", **{"card": "webhook", "c-url": "https://10.0.0.1/x"})
    page = admin.get(f"{url_of(automation)}change/").content.decode()

    [warning] = state_of(page)["mistakes"]
    assert (warning["card"], warning["field"], warning["is_warning"]) == ("webhook", "c-url", True)
    assert response.status_code == 200
    asked = admin.get(f"{url_of(automation)}publishing/").content.decode()
    assert "it can be published" in asked
    assert 'name="state"' in asked
    admin.post(f"{url_of(automation)}publish/", {"stamp": stamp_of(automation.draft)})
    automation.refresh_from_db()
    assert automation.published is not None


def test_two_steps_with_one_id_are_told_once(admin: Client) -> None:
    steps = [step("stop", "end", outcome="succeeded")] * 2
    make_leads()
    automation = create_automation(name="Twice", draft={"trigger": ON_LEADS})
    automation.draft = {**automation.draft, "steps": steps}
    automation.save()

    page = admin.get(f"{url_of(automation)}change/").content.decode()

    assert [each["message"] for each in state_of(page)["mistakes"]] == [
        "Two steps have the id `end`; each needs its own."
    ]


def test_an_id_that_is_not_written_yet_is_a_mistake(edit: Post, automation: Automation) -> None:
    edit("add", type="delete_record", block="", place="0")

    response = edit("step", **{"card": "delete_record", "c-record": "?", "c-record-id": ""})

    [mistake] = state_of(response.content.decode())["mistakes"]
    assert (mistake["card"], mistake["field"]) == ("delete_record", "c-record")


def test_of_a_record_by_its_id_any_field_may_be_set(
    edit: Post, admin: Client, automation: Automation
) -> None:
    edit("add", type="update_record", block="", place="0")
    chosen = {"card": "update_record", "c-record": "?", "c-record-id": "{{ event.id }}"}
    redrawn = edit("step", **chosen)
    assert "HX-Reswap" not in redrawn
    html = admin.get(f"{url_of(automation)}card/", {"card": "update_record"}).content.decode()
    assert '<option value="city">City</option>' in html
    assert '<option value="amount">Amount</option>' in html

    same = edit("step", **{**chosen, "c-record-id": "{{ run.id }}"})

    assert same["HX-Reswap"] == "none"
