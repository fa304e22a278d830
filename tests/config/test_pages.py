from typing import Any

import pytest
from django.test import Client
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.headers import ADMIN_POLICY, PAGE_POLICY
from tests.records.making import make_user


def test_healthz_answers_without_database_or_redis(client: Client) -> None:
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.content == b"ok\n"


def test_our_own_pages_run_scripts_from_our_own_files_only(client: Client) -> None:
    assert client.get("/healthz").headers["Content-Security-Policy"] == PAGE_POLICY
    assert "unsafe-inline" not in PAGE_POLICY.partition("script-src")[2]


@pytest.mark.django_db
def test_the_admin_may_evaluate_expressions(admin_client: Client) -> None:
    policy = admin_client.get("/admin/").headers["Content-Security-Policy"]

    assert policy == ADMIN_POLICY
    assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
def test_the_engine_is_shown_to_superusers_only(client: Client, admin_client: Client) -> None:
    assert client.get("/admin/django-rq/").status_code == 302
    assert admin_client.get("/admin/django-rq/").status_code == 200
    client.force_login(make_user(is_staff=True))
    assert client.get("/admin/django-rq/").status_code == 403
    assert client.post("/admin/django-rq/queues/0/empty/", {"post": "yes"}).status_code == 403
    # Nor is there a second way to the same pages.
    assert client.get("/admin/django_rq/dashboard/").status_code == 404


@pytest.mark.django_db
def test_the_engines_numbers_are_for_staff_only(client: Client) -> None:
    response = client.get("/admin/django-rq/stats.json")

    assert b"queues" not in response.content


@pytest.mark.django_db
def test_without_redis_the_engines_pages_say_so(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(*args: Any, **kwargs: Any) -> Any:
        raise RedisTimeoutError("Timeout reading from socket")

    monkeypatch.setattr("django_rq.stats_views.get_statistics", no_answer)
    response = admin_client.get("/admin/django-rq/", follow=True)

    assert response.redirect_chain == [("/admin/", 302)]
    assert b"Redis does not answer (Timeout reading from socket)" in response.content


def test_a_browser_that_guesses_the_icon_finds_it(client: Client) -> None:
    response = client.get("/favicon.ico")

    assert response.status_code == 302
    assert response.headers["Location"].endswith("signalbox/favicon.svg")
