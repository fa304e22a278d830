"""A delivery is taken once, however often it arrives."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connections
from django.test import Client
from django.utils import timezone

from automations.models import Run
from records.models import Event
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_endpoint, make_listener, send
from webhooks.inbound.deliveries import forget_old_deliveries
from webhooks.models import Arrival, RequestLog

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return make_listener(step("set_variables", "s1", variables={"a": 1}))[1]


def test_a_repeat_gets_the_first_answer_and_starts_nothing(client, endpoint):
    first = send(client, endpoint, headers={"webhook-id": "msg_1"})
    again = send(client, endpoint, headers={"webhook-id": "msg_1"})
    assert (again.status_code, again.content) == (202, first.content)
    assert Run.objects.count() == Event.objects.count() == 1
    row = RequestLog.objects.first()
    assert (row.error_kind, row.run_id) == ("repeat", Run.objects.get().pk)


@pytest.mark.parametrize("headers", [{}, {"webhook-id": ""}, {"webhook-id": "é"}])
def test_without_an_id_every_request_is_new(client, endpoint, headers):
    for _ in range(2):
        send(client, endpoint, headers=headers)
    assert Run.objects.count() == 2


def test_another_id_or_endpoint_is_another_delivery(client, endpoint):
    send(client, endpoint, headers={"webhook-id": "1"})
    send(client, endpoint, headers={"webhook-id": "2"})
    assert send(client, make_endpoint(), headers={"webhook-id": "1"}).status_code == 202
    assert (Run.objects.count(), Event.objects.count()) == (2, 3)


def test_the_same_id_with_another_body_is_refused_and_logged(client, endpoint):
    send(client, endpoint, {"a": 1}, headers={"webhook-id": "1"})
    answer = send(client, endpoint, {"a": 2}, headers={"webhook-id": "1"})
    assert answer.status_code == 409
    assert "another body" in answer.json()["error"]
    assert RequestLog.objects.first().error_kind == "duplicate"
    assert Run.objects.count() == 1


def test_outside_of_the_window_it_is_new(client, endpoint):
    endpoint.duplicate_window_s = 60
    endpoint.save()
    headers = {"webhook-id": "1"}
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        send(client, endpoint, headers=headers)
        clock.shift(timedelta(seconds=59))
        send(client, endpoint, headers=headers)
        assert Run.objects.count() == 1
        clock.shift(timedelta(seconds=2))
        send(client, endpoint, {"other": "body"}, headers=headers)
        assert Run.objects.count() == 2
        answer = send(client, endpoint, {"other": "body"}, headers=headers)
        assert answer.json()["run"] == Run.objects.order_by("-pk")[0].pk
        assert Run.objects.count() == 2


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("webhook.body.id", 1),
        ("webhook.body.id ~ webhook.query.n", 2),
        ("webhook.body.missing", 2),
        ("webhook.headers['x-id']", 2),
        ("webhook.body.nothing", 2),
    ],
)
def test_an_expression_can_name_a_delivery(client, endpoint, expression, runs):
    endpoint.duplicate_key = expression
    endpoint.save()
    for number in range(2):
        send(client, endpoint, {"id": 7, "nothing": None}, query=f"?n={number}")
    assert Run.objects.count() == runs


def test_one_and_the_text_one_are_two_deliveries(client, endpoint):
    endpoint.duplicate_key = "webhook.query.n"
    endpoint.save()
    send(client, endpoint, query="?n=1")
    endpoint.duplicate_key = "webhook.body.n"
    endpoint.save()
    send(client, endpoint)
    assert Run.objects.count() == 2


def test_what_failed_to_be_stored_is_new_when_it_comes_again(client, endpoint, monkeypatch):
    from webhooks.inbound import storing

    headers = {"webhook-id": "1"}

    def fail(*args, **kwargs):
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(storing, "log_row", fail)
        assert send(client, endpoint, headers=headers).status_code == 503
    assert not Arrival.objects.exists()
    assert send(client, endpoint, headers=headers).status_code == 202


def test_old_ones_are_forgotten(client, endpoint):
    send(client, endpoint, headers={"webhook-id": "1"})
    Arrival.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    send(client, endpoint, headers={"webhook-id": "2"})
    assert forget_old_deliveries() == 1
    assert Arrival.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_taken(endpoint):
    answers = []

    def deliver():
        answers.append(send(Client(), endpoint, headers={"webhook-id": "1"}))
        connections.close_all()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [202] * 8
    assert len({answer.json()["run"] for answer in answers}) == 1
    assert Run.objects.count() == Event.objects.count() == 1
    work()
