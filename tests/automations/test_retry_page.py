"""The pages before runs are retried: what they say, what they do, who may."""

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
