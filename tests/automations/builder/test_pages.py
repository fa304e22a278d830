"""The builder's pages: what they show, who may change what, and how edits of two people meet."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from automations.builder.saving import stamp_of
from automations.document.checking import check_document
from automations.models import Automation, AutomationState
from automations.services import create_automation, publish
from automations.steps import ACTIONS
from automations.triggers import TRIGGERS
from records.models import User
from tests.automations.builder.sending import untouched
from tests.automations.making import make_lead, make_leads, step
from tests.records.making import make_user
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db

ON_LEADS = {"type": "event", "config": {"event": "record.created", "object": "leads"}}
Post = Callable[..., Any]


@pytest.fixture
def automation() -> Automation:
    make_leads()
    stop = step("stop", "end", outcome="succeeded")
    return create_automation(name="Welcome", draft={"trigger": ON_LEADS, "steps": [stop]})


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def edit(admin: Client, automation: Automation) -> Post:
    """Send an edit as the page does."""

    def send(what: str, **values: Any) -> Any:
        automation.refresh_from_db()
        data = {"stamp": stamp_of(automation.draft), **values}
        response = admin.post(f"{url_of(automation)}edit/{what}/", data)
        automation.refresh_from_db()
        return response

    return send


def url_of(automation: Automation) -> str:
    return f"/admin/automations/automation/{automation.pk}/"


def state_of(html: str) -> dict[str, Any]:
    found = re.search(r'id="au-state" hidden data-json="([^"]*)"', html)
    assert found
    state: dict[str, Any] = json.loads(unescape(found[1]))
    return state


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


def test_the_second_of_two_people_is_told_and_overwrites_nothing(
    admin: Client, edit: Post, automation: Automation
) -> None:
    seen = stamp_of(automation.draft)
    edit("toggle", card="end")
    mine = automation.draft

    late = admin.post(f"{url_of(automation)}edit/remove/", {"stamp": seen, "card": "end"})

    assert late.status_code == 409
    assert "Somebody else has changed this automation" in late.content.decode()
    automation.refresh_from_db()
    assert automation.draft == mine


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


def test_publishing_is_refused_while_there_are_mistakes(
    admin: Client, edit: Post, automation: Automation
) -> None:
    edit("add", type="send_email", block="", place="0")
    asked = admin.get(f"{url_of(automation)}publishing/").content.decode()
    admin.post(f"{url_of(automation)}publish/", {"stamp": stamp_of(automation.draft)})

    assert "to mend first" in asked
    automation.refresh_from_db()
    assert automation.published is None


def test_publishing_takes_a_note_and_switches_it_on(admin: Client, automation: Automation) -> None:
    values = {"stamp": stamp_of(automation.draft), "note": "First", "state": "active"}
    admin.post(f"{url_of(automation)}publish/", values)

    automation.refresh_from_db()
    assert automation.state == AutomationState.ACTIVE
    assert automation.published is not None
    assert (automation.published.number, automation.published.note) == (1, "First")


def test_only_what_was_seen_is_published(admin: Client, edit: Post, automation: Automation) -> None:
    seen = stamp_of(automation.draft)
    edit("toggle", card="end")

    answer = admin.post(f"{url_of(automation)}publish/", {"stamp": seen}, follow=True)

    assert "nothing was published" in answer.content.decode()
    automation.refresh_from_db()
    assert automation.published is None


def test_versions_are_compared_and_rolled_back(
    admin: Client, edit: Post, automation: Automation
) -> None:
    publish(automation=automation)
    first = automation.draft
    edit("toggle", card="end")
    publish(automation=automation)

    page = admin.get(f"{url_of(automation)}versions/", {"from": "1", "to": "2"}).content.decode()
    admin.post(f"{url_of(automation)}roll-back/", {"number": "1"})

    assert "Switched off" in page
    automation.refresh_from_db()
    assert automation.draft == first
    assert automation.published is not None
    assert automation.published.number == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Line"),
        ("[]", "begins with {"),
        ('{"trigger": {"type": "event"}, "steps": [{"id": "UP", "type": "stop"}]}', "/steps/0"),
        ('{"steps": 5}', "/steps"),
    ],
)
def test_json_with_mistakes_is_refused_with_the_place(
    text: str, words: str, admin: Client, automation: Automation
) -> None:
    before = automation.draft
    values = {"document": text, "stamp": stamp_of(automation.draft)}
    answer = admin.post(f"{url_of(automation)}json/", values)

    assert words in unescape(answer.content.decode())
    automation.refresh_from_db()
    assert automation.draft == before


def test_an_export_is_imported_as_a_new_automation(admin: Client, automation: Automation) -> None:
    exported = admin.get(f"{url_of(automation)}export/")
    answer = admin.post(
        "/admin/automations/automation/add/", {"document": exported.content.decode()}
    )

    assert answer.status_code == 302
    copy = Automation.objects.exclude(pk=automation.pk).get()
    assert copy.draft["steps"] == automation.draft["steps"]
    assert copy.state == AutomationState.DRAFT


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


def test_who_may_only_look_changes_nothing(client: Client, automation: Automation) -> None:
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_automation"))
    client.force_login(viewer)
    values = {"stamp": stamp_of(automation.draft), "card": "end"}

    page = client.get(f"{url_of(automation)}change/")
    card = client.get(f"{url_of(automation)}card/", {"card": "end"})
    refused = [
        client.post(f"{url_of(automation)}{part}/", values).status_code
        for part in ("edit/remove", "details", "publish", "state", "roll-back", "json", "duplicate")
    ]

    assert page.status_code == 200
    assert "data-edit=" not in page.content.decode()
    assert '<fieldset class="au-fieldset" disabled>' in card.content.decode()
    assert refused == [403] * 7


def test_strangers_see_nothing(client: Client, automation: Automation) -> None:
    client.force_login(make_user("stranger", is_staff=True))

    for part in ("change", "card", "names", "versions", "json", "export", "publishing"):
        assert client.get(f"{url_of(automation)}{part}/").status_code == 403


def test_secrets_are_shown_by_name_only(admin: Client, edit: Post, automation: Automation) -> None:
    create_secret(name="api_key", kind="text", value="s3cr3t-value")
    edit("add", type="webhook", block="", place="0")
    names = admin.get(f"{url_of(automation)}names/", {"card": "webhook"}).content.decode()
    values = {"source": "{{ secrets.api_key }}", "mode": "text", "card": "webhook"}
    value = admin.post(f"{url_of(automation)}value/", values).content.decode()

    assert "secrets.api_key" in names
    assert "put in when it is sent" in value
    assert "s3cr3t" not in names + value


@pytest.mark.parametrize("path", ["nonsense", "auto_00000000000000000000000000", "auto_%2500"])
def test_what_is_no_automation_is_not_found(path: str, admin: Client) -> None:
    assert admin.get(f"/admin/automations/automation/{path}/json/").status_code == 404


def test_the_list_shows_state_trigger_and_last_run(admin: Client, automation: Automation) -> None:
    page = admin.get("/admin/automations/automation/").content.decode()

    assert "Welcome" in page
    assert "Not published" in page
    assert "Never ran" in page


def test_the_list_asks_as_much_for_one_as_for_many(
    admin: Client, automation: Automation, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        create_automation(name=f"Number {number}", draft=automation.draft)

    with django_assert_max_num_queries(25):
        admin.get("/admin/automations/automation/")


def test_actions_of_the_list(admin: Client, automation: Automation) -> None:
    other = create_automation(name="Unpublished", draft=automation.draft)
    publish(automation=automation)

    def act(action: str) -> str:
        values = {"action": action, "_selected_action": [automation.pk, other.pk]}
        answer = admin.post("/admin/automations/automation/", values, follow=True)
        return answer.content.decode(errors="replace")

    told = act("activate")
    assert "1 automation activated" in told
    assert "Unpublished" in told
    automation.refresh_from_db()
    assert automation.state == AutomationState.ACTIVE
    act("pause")
    automation.refresh_from_db()
    assert automation.state == AutomationState.PAUSED
    act("duplicate")
    assert Automation.objects.filter(name="Welcome (copy)", state="draft").exists()
    assert "welcome-" in act("export")


# --- warnings ----------------------------------------------------------------------------------


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
