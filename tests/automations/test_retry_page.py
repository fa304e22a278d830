"""The pages before runs are retried: what they say, what they do, who may."""

import html
import json
import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from automations.models import Run, RunStatus
from automations.services import publish, save_draft
from tests.automations.making import end_job, run_once, step, work
from tests.records.making import make_user
from webhooks.models import WebhookJob
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db

URL = "https://api.example.com/hook"
CALL = step("webhook", "call", url=URL, name_="Call the CRM")
BROKEN = step("set_variables", "broken", variables={"a": "{{ record.name / 2 }}"}, name_="Halve")
END = step("set_variables", "end", variables={"done": True}, name_="Say so")


@pytest.fixture
def client() -> Client:
    return client_of("root", is_superuser=True)


def client_of(name, *codenames, **flags) -> Client:
    user = make_user(name, is_staff=True, **flags)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def failed_run(*steps, **values) -> Run:
    """It called, and failed at the second of three steps."""
    run = run_once(*(steps or (CALL, BROKEN, END)), **values)
    for job in WebhookJob.objects.filter(status="pending"):
        end_job(job)
    work()
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    return run


def publish_mended(run: Run) -> None:
    draft = run.automation.published.document
    draft["steps"][1]["config"]["variables"]["a"] = "{{ record.name }}"
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation, note="Names are not halved")


def retry(run: Run) -> str:
    return reverse("admin:automations_run_retry", args=[run.pk])


def many() -> str:
    return reverse("admin:automations_run_retry_many")


def text_of(response) -> str:
    text = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    text = re.sub(r'<span class="material-symbols-outlined.*?</span>', " ", text)
    return " ".join(re.sub(r"<[^>]*>", " ", text).replace("&#x27;", "'").split())


def lines_of(response) -> list[str]:
    """The steps of the plan, each in one line."""
    items = re.findall(r'<li class="retry-step.*?</li>', response.content.decode(), flags=re.DOTALL)
    return [text_of(type("R", (), {"content": item.encode()})) for item in items]


# --- one run ----------------------------------------------------------------------------------


def test_it_says_what_is_left_out_what_failed_and_what_runs(client):
    response = client.get(retry(failed_run()))
    done, failed, rest = lines_of(response)
    assert "Call the CRM" in done
    assert "Already happened – left out" in done
    assert "Begins here" in failed
    assert "Failed – is tried again" in failed
    assert "Say so" in rest
    assert "Will run" in rest
    assert "1 step left out" in text_of(response)
    assert "outside" not in done


def test_from_the_start_it_warns_of_what_is_noticed_a_second_time(client):
    response = client.get(retry(failed_run()), {"begin": "start"})
    assert "Noticed outside a second time" in lines_of(response)[0]
    assert "1 of them is noticed outside a second time" in text_of(response)


def test_another_choice_sends_back_the_form_alone(client):
    run = failed_run()
    response = client.post(
        retry(run), {"begin": "start", "on": "same"}, headers={"HX-Request": "true"}
    )
    text = response.content.decode()
    assert text.lstrip().startswith("<form")
    assert "Runs again" in text or "runs again" in text
    assert Run.objects.count() == 1


def test_confirmed_it_makes_the_new_run_and_leads_there(client):
    run = failed_run()
    response = client.post(
        retry(run), {"begin": "failed_step", "on": "same", "confirmed": "1"}, follow=True
    )
    fresh = run.retries.get()
    assert response.redirect_chain == [
        (reverse("admin:automations_run_change", args=[fresh.pk]), 302)
    ]
    assert (fresh.started_by.username, fresh.version_id) == ("root", run.version_id)
    assert "The run is tried again" in text_of(response)


def test_on_the_current_version_with_its_note(client):
    run = failed_run()
    publish_mended(run)
    text = text_of(client.get(retry(run)))
    assert "Version 2" in text
    assert "Names are not halved" in text
    client.post(retry(run), {"begin": "failed_step", "on": "current", "confirmed": "1"})
    work()
    assert run.retries.get().status == RunStatus.SUCCEEDED


def test_a_step_that_is_gone_is_refused_before_it_is_tried(client):
    run = failed_run()
    draft = run.automation.published.document
    del draft["steps"][1]
    save_draft(automation=run.automation, draft=draft)
    publish(automation=run.automation)
    response = client.get(retry(run), {"on": "current"})
    assert "has no step “broken”" in text_of(response)
    assert b'name="confirmed"' not in response.content


def test_the_failed_step_can_be_changed_for_this_once(client):
    run = failed_run()
    config = json.dumps({"variables": {"a": "by hand"}})
    client.post(retry(run), {"confirmed": "1", "config": config, "original": "{}"})
    work()
    fresh = run.retries.get()
    assert (fresh.status, fresh.variables["vars"]["a"]) == (RunStatus.SUCCEEDED, "by hand")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "no JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        ("[1]", "an object: { … }"),
        ("[" * 100_000, "no JSON"),
        ('{"variables": {"Not a name": 1}}', "The changed step has a mistake"),
        ('{"variables": {"a": "{{ record.nmae }}"}}', "no field nmae ; did you mean name"),
    ],
)
def test_a_mistake_in_the_changed_step_is_told_and_what_was_typed_stays(client, config, words):
    run = failed_run()
    response = client.post(retry(run), {"confirmed": "1", "config": config})
    assert response.status_code == 200
    text = text_of(response).replace("&quot;", '"')
    assert words in text
    assert not run.retries.exists()


def test_what_was_typed_outlives_the_choice_of_another_version(client):
    run = failed_run()
    publish_mended(run)
    head = {"HX-Request": "true"}
    shown = json.dumps({"variables": {"a": "{{ record.name / 2 }}"}})
    values = {"on": "current", "shown_on": "same", "view": "json"}
    untouched = client.post(retry(run), {**values, "config": shown}, headers=head)
    assert "{{ record.name }}" in untouched.content.decode()
    typed = client.post(retry(run), {**values, "config": '{"mine": 1}'}, headers=head)
    assert "&quot;mine&quot;: 1" in typed.content.decode()


# --- the form of the failed step ---------------------------------------------------------------

VARIABLES = {
    "shown_on": "same",
    "view": "form",
    "c-variables-sent": "1",
    "c-variables-name": ["a"],
    "c-variables-type": ["text"],
}


def test_the_failed_step_has_the_form_of_its_kind(client):
    page = client.get(retry(failed_run())).content.decode()
    assert 'name="c-variables-value"' in page
    assert "{{ record.name / 2 }}" in page
    assert 'name="config"' not in page
    as_json = client.get(retry(Run.objects.get()), {"view": "json"}).content.decode()
    assert 'name="config"' in as_json
    assert 'name="c-variables-value"' not in as_json


def test_what_the_form_says_is_done_and_kept(client):
    run = failed_run()
    client.post(retry(run), {**VARIABLES, "c-variables-value": ["by hand"], "confirmed": "1"})
    work()
    fresh = run.retries.get()
    assert (fresh.status, fresh.variables["vars"]["a"]) == (RunStatus.SUCCEEDED, "by hand")
    [change] = fresh.edited["changes"]
    assert (fresh.edited["by"], change["field"]) == ("root", "variables")


def test_a_form_that_was_left_as_it_was_changes_nothing(client):
    run = failed_run()
    values = {**VARIABLES, "c-variables-value": ["{{ record.name / 2 }}"], "confirmed": "1"}
    client.post(retry(run), values)
    assert run.retries.get().edited is None


def test_what_was_typed_in_the_form_is_there_as_json_and_back(client):
    run = failed_run()
    typed = {**VARIABLES, "c-variables-value": ["mine"]}
    as_json = client.post(retry(run), {**typed, "view": "json"}).content.decode()
    assert "&quot;mine&quot;" in as_json
    config = '{"variables": {"a": "yours"}}'
    values = {"shown_on": "same", "view": "form", "config": config}
    assert "yours</textarea>" in client.post(retry(run), values).content.decode()


def test_json_that_can_t_be_read_stays_json(client):
    values = {"shown_on": "same", "view": "form", "config": "{"}
    page = client.post(retry(failed_run()), values)
    assert b'name="config"' in page.content
    assert "no JSON" in text_of(page)


def test_a_mistake_in_the_form_names_its_field(client):
    run = failed_run()
    values = {**VARIABLES, "c-variables-value": ["{{ record.nmae }}"], "confirmed": "1"}
    page = client.post(retry(run), values)
    state = json.loads(
        html.unescape(re.search(r'id="au-state".*?data-json="(.*?)"', page.content.decode())[1])
    )
    [mistake] = state["mistakes"]
    assert (mistake["card"], mistake["field"]) == ("broken", "c-variables")
    assert "did you mean `name`" in mistake["message"]
    assert not run.retries.exists()


def test_the_names_and_what_they_come_to_are_those_of_the_run(client):
    run = failed_run(record={"name": "Grace"})
    names = client.get(
        reverse("admin:automations_run_retry_names", args=[run.pk, "same"]), {"card": "broken"}
    ).json()
    paths = {name["path"] for group in names["groups"] for name in group["names"]}
    assert {"record.name", "steps.call.status"} <= paths
    value = reverse("admin:automations_run_retry_value", args=[run.pk, "same"])
    assert "Grace" in text_of(client.post(value, {"source": "{{ record.name }}"}))
    assert "200" in text_of(client.post(value, {"source": "{{ steps.call.status }}"}))


def test_values_of_secrets_are_never_shown(client):
    create_secret(name="key", value="hunter2")
    run = failed_run()
    value = reverse("admin:automations_run_retry_value", args=[run.pk, "same"])
    answer = client.post(value, {"source": "{{ secrets.key }}"})
    assert "hunter2" not in answer.content.decode()
    assert "put in when it is sent" in text_of(answer)


@pytest.mark.parametrize(
    ("what", "on", "status"),
    [("names", "same", 200), ("names", "other", 404), ("value", "current", 200)],
)
def test_what_is_asked_for_a_form_is_for_those_who_see_the_automation(client, what, on, status):
    run = failed_run()
    address = reverse(f"admin:automations_run_retry_{what}", args=[run.pk, on])
    ask = "get" if what == "names" else "post"
    assert getattr(client, ask)(address).status_code == status
    stranger = client_of("ada", "change_run", "view_run")
    assert getattr(stranger, ask)(address).status_code == 403


def test_the_run_s_page_says_who_changed_what_from_what_to_what(client):
    run = failed_run()
    client.post(retry(run), {**VARIABLES, "c-variables-value": ["by hand"], "confirmed": "1"})
    work()
    page = text_of(client.get(reverse("admin:automations_run_change", args=[run.retries.get().pk])))
    assert "Changed for this retry by root" in page
    assert "{{ record.name / 2 }}" in page
    assert "by hand" in page


def test_who_may_not_see_the_automation_does_not_see_what_is_written_in_it():
    run = failed_run()
    client = client_of("ada", "change_run", "view_run")
    page = client.get(retry(run)).content
    assert b'name="config"' not in page
    assert b'name="c-variables-value"' not in page


def test_only_who_may_change_runs_may_retry():
    run = failed_run()
    client = client_of("ada", "view_run")
    assert client.get(retry(run)).status_code == 403
    assert client.post(retry(run), {"confirmed": "1"}).status_code == 403
    assert client.post(many(), {"ids": [run.pk]}).status_code == 403
    history = client.get(reverse("admin:automations_run_changelist"))
    assert b"jobs-tick" not in history.content
    assert not run.retries.exists()


def test_an_open_run_leads_back_with_words(client):
    run = run_once(step("wait", "w", duration=1, unit="hours"))
    response = client.get(retry(run), follow=True)
    assert "has not ended yet" in text_of(response)


@pytest.mark.parametrize("pk", ["run_nonsense", "x", "run_01jdsy0000000000000000000z"])
def test_no_such_run_leads_to_the_history(client, pk):
    response = client.get(reverse("admin:automations_run_retry", args=[pk]), follow=True)
    assert "There is no run" in text_of(response)


def test_a_quarantined_record_is_released_with_the_retry_if_wanted(client):
    run = failed_run(settings={"on_failure": {"quarantine": True}})
    assert "waits until it is released" in text_of(client.get(retry(run)))
    client.post(retry(run), {"confirmed": "1", "release": "1"})
    run.record.refresh_from_db()
    assert run.record.quarantined_at is None
