"""The form of the failed step before a retry: what it shows, reads and keeps, and for whom."""

import html
import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from automations.models import Run, RunStatus
from tests.automations.making import work
from tests.automations.test_retry_page import client_of, failed_run, retry, text_of
from webhooks.secret_services import create_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return client_of("root", is_superuser=True)


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
