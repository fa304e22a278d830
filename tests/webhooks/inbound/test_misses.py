"""Addresses at which there is nothing cost little, and who tries many of them has to wait."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.queues import bell_redis
from records.ids import new_id
from tests.webhooks.inbound.making import make_endpoint, send
from webhooks.inbound import misses
from webhooks.intake import limiter
from webhooks.models import RequestLog

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _count_anew():
    keys = bell_redis().keys("signalbox:rate:miss*")
    if keys:
        bell_redis().delete(*keys)
    limiter._own.clear()


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(misses, "MISSES_PER_MINUTE", 2)


@pytest.mark.parametrize(
    "path",
    [
        f"automation/{new_id('auto')}-nowhere",
        "automation/nowhere",
        "test/nowhere",
        "form/nowhere",
        "inspector/nowhere",
        "status/nowhere",
        "no-such-kind/nowhere",
        "automation/",
        "inspector/" + "x" * 500,
        "inspector/%00",
        "inspector/%ff",
    ],
)
def test_whatever_is_no_address_is_told_so_in_json(client, path):
    answer = client.get(f"/api/webhooks/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert "Perhaps a part of it is missing" in answer.json()["error"]
    assert not RequestLog.objects.exists()


def test_an_address_with_a_slash_behind_it_is_another_one(client):
    endpoint = make_endpoint()
    assert send(client, endpoint, path=f"{endpoint.path}/").status_code == 404


def test_who_misses_too_often_has_to_wait_and_nobody_else(client, few):
    def miss(address):
        return client.get("/api/webhooks/inspector/nowhere", REMOTE_ADDR=address)

    assert [miss("192.0.2.1").status_code for _ in range(3)] == [404, 404, 429]
    refused = miss("192.0.2.1")
    assert 1 <= int(refused["Retry-After"]) <= 30
    assert "at which there is nothing" in refused.json()["error"]
    assert miss("192.0.2.2").status_code == 404
    assert not RequestLog.objects.exists()


def test_misses_of_all_kinds_count_together(client, few):
    kinds = ("form", "status", "test", "automation", "no-such-kind")
    answers = [client.get(f"/api/webhooks/{kind}/x").status_code for kind in kinds]
    assert answers == [404, 404, 429, 429, 429]


def test_an_endpoint_that_is_there_never_pays_for_misses(client, few, monkeypatch):
    endpoint = make_endpoint()
    for _ in range(3):
        client.get("/api/webhooks/inspector/nowhere")
    assert send(client, endpoint).status_code == 202
    monkeypatch.setattr("webhooks.views.miss", None)
    assert send(client, endpoint).status_code == 202


def test_a_miss_costs_one_query_at_most(client):
    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            client.get("/api/webhooks/inspector/nowhere")
    assert len(queries) <= 1
