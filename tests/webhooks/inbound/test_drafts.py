"""The test address tries the draft: nothing is changed or sent, and everybody can see what would have been."""

import pytest

from automations.models import Run
from records.models import Event
from tests.automations.making import step
from tests.webhooks.inbound.making import make_endpoint, make_listener, send
from webhooks.models import RequestLog, WebhookJob

pytestmark = pytest.mark.django_db


def path_of(endpoint):
    return "/api" + endpoint.test_url.partition("/api")[2]


def test_the_draft_is_tried_and_nothing_is_done(client):
    automation, endpoint = make_listener(step("set_variables", "s1", variables={"a": 1}))
    automation.draft["steps"] = [
        step("webhook", "call", url="https://api.example.com/{{ webhook.body.n }}"),
        step("respond", "answer", status=200, body="{{ webhook.body.n }}"),
    ]
    automation.save()
    answer = send(client, endpoint, {"n": 5}, path=path_of(endpoint))
    assert answer.status_code == 200
    tried = answer.json()
    assert [each["step"] for each in tried["steps"]] == ["call", "answer"]
    assert tried["answer"]["body"] == "5"
    assert not Run.objects.exists()
    assert not Event.objects.exists()
    assert not WebhookJob.objects.exists()
    row = RequestLog.objects.get()
    assert (row.endpoint, row.response_body) == (endpoint, answer.content.decode())


def test_it_can_be_tried_before_anything_is_switched_on(client):
    _, endpoint = make_listener(step("stop", "s"), is_active=False)
    assert send(client, endpoint, path=path_of(endpoint)).status_code == 200


def test_a_draft_with_mistakes_tells_them(client):
    automation, endpoint = make_listener(step("stop", "s"))
    automation.draft["steps"] = [{"id": "x", "type": "no such step", "config": {}}]
    automation.save()
    told = send(client, endpoint, path=path_of(endpoint)).json()
    assert told["status"] == "mistakes"
    assert told["mistakes"]


def test_an_automation_that_is_gone_has_no_draft(client):
    assert send(client, e := make_endpoint(), path=path_of(e)).json()["status"] == "none"


def test_the_test_address_asks_for_the_same_proof(client):
    _, endpoint = make_listener(step("stop", "s"), scheme="bearer")
    assert send(client, endpoint, path=path_of(endpoint)).status_code == 401
