"""Requests of steps: what is sent, what is read from the answer, and what of it is stored."""

import json
from typing import Any

import pytest
from django.utils import timezone

from automations.models import Run
from records.models import Record
from tests.automations.making import (
    end_job,
    make_automation,
    make_lead,
    make_leads,
    run_of,
    run_once,
    step,
    step_of,
    work,
)
from webhooks.models import JobStatus, WebhookJob
from webhooks.services import cancel_job

pytestmark = pytest.mark.django_db

URL = "https://api.example.com/leads"
TAKES_ID = {"response_schema": [{"name": "id", "pointer": "/id"}]}
TAKES_END = {"response_schema": [{"name": "id", "pointer": "/-"}]}
TEXT = {"response": "text"}
FIRST_3 = "The answer was larger than what is kept; these are its first 3 characters."
NO_NUMBER = {"name": "n", "type": "number", "value": "x"}
ODD = "\N{REPLACEMENT CHARACTER}"


def lead() -> Record:
    return Record.objects.get(object__slug="leads")


def job() -> WebhookJob:
    return WebhookJob.objects.get()


def answered(run: Run, **values: Any) -> Run:
    """The run after its job has ended with this answer."""
    end_job(job(), **values)
    work()
    run.refresh_from_db()
    return run


def stores_amount(value: str) -> dict[str, Any]:
    return {"store": [{"field": "amount", "value": value}]}


# --- what is sent ---


def test_the_default_body_has_exactly_these_keys() -> None:
    run = run_once(step("webhook", url=URL))
    assert (run.status, run.waiting_job) == ("waiting", job())
    assert (job().method, job().url) == ("POST", URL)
    body = json.loads(job().body)
    assert list(body) == ["event", "automation_id", "automation_name", "timestamp", "record"]
    assert (body["event"], body["automation_id"]) == ("automation.executed", run.automation_id)
    assert list(body["record"]) == ["id", "object_id", "data"]
    assert body["record"]["object_id"] == "obj_def_leads"


def test_a_job_knows_the_run_and_the_step_that_asked_for_it() -> None:
    run = run_once(step("webhook", "tell", url=URL, name_="Tell them"))
    assert (job().run_id, job().step_path, job().depth) == (run.pk, "tell", 1)
    assert job().webhook_name == "Welcome · Tell them"
    assert job().event_id == run.event_id
    assert step_of(run, "tell").job == job()


def test_every_part_of_a_request_is_an_expression() -> None:
    run_once(
        step(
            "webhook",
            method="PUT",
            url="https://api.example.com/{id}",
            path_params=[{"name": "id", "value": "{{ record.name }}"}],
            query_params=[{"name": "q", "value": "{{ record.amount }}"}],
            headers={"X-Lead": "{{ record.name | upper }}"},
            body_kind="json",
            body='{"amount": "{{ record.amount }}", "auth": "{{ secrets.key }}"}',
            retry_delays_s=[5],
            timeout_s=7,
            success_statuses="200",
            halt_statuses="404",
        ),
        record={"amount": 12},
        checked=False,
    )
    assert (job().method, job().url) == ("PUT", "https://api.example.com/Ada?q=12")
    assert ["X-Lead", "ADA"] in job().headers
    assert json.loads(job().shown_body) == {"amount": 12, "auth": "{{ secrets.key }}"}
    assert (job().max_attempts, job().timeout_s) == (2, 7)
    assert job().policy == {"delays_s": [5], "success": "200", "halt": "404"}


def test_secrets_are_in_no_row_of_the_run() -> None:
    run = run_once(
        step("webhook", url=URL, headers={"Authorization": "Bearer {{ secrets.api_key }}"}),
        checked=False,
    )
    assert ["Authorization", "Bearer {{ secrets.api_key }}"] in step_of(run).input["headers"]
    assert "secret~api_key~" in str(job().headers)


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"headers": {"X-Id": "{{ record.nmae }}"}}, "headers/X-Id", "Leads has no field `nmae`; did you mean `name`?"),
        ({"body_kind": "json", "body": '{"a": "{{ 1 / 0 }}"}'}, "body", "can't divide by zero"),
        ({"body_kind": "json", "body": '{"a": 1,\n b}'}, "body", "line 2: not valid JSON"),
        ({"url": "https://x.example/{{ nope }}"}, "url", "unknown name `nope`"),
        ({"url": "ftp://x.example/"}, "url", "Only `http://` and `https://` can be called"),
        ({"body_kind": "rows", "body_rows": [NO_NUMBER]}, "body_rows/n", "`x` is no number."),
    ],
)  # fmt: skip
def test_a_request_that_can_not_be_made_names_the_field(
    config: dict[str, Any], field: str, words: str
) -> None:
    run = run_once(step("webhook", **{"url": URL, **config}), checked=False)
    assert run.status == "failed"
    assert words in run.reason
    assert step_of(run).error["field"] == field
    assert not WebhookJob.objects.exists()


# --- what comes back ---


def test_later_steps_use_the_answer() -> None:
    data = {"status": "{{ steps.lookup.response.data.id }}", "amount": "{{ steps.lookup.status }}"}
    run = run_once(
        step("webhook", "lookup", url=URL),
        step("update_record", "s2", data=data),
    )
    run = answered(run, status_code=201, body='{"data": {"id": "EXT-1"}}')
    assert run.status == "succeeded", run.reason
    assert (lead().data["status"], lead().data["amount"]) == ("EXT-1", 201)
    output = step_of(run, "lookup").output
    assert output["headers"] == {"content-type": "application/json"}
    assert output["job"] == job().pk


def test_values_are_taken_by_pointers_and_stored_in_fields() -> None:
    run = run_once(
        step(
            "webhook",
            url=URL,
            response_schema=[
                {"name": "externalId", "pointer": "/data/externalId"},
                {"name": "sku", "pointer": "/items/0/sku"},
                {"name": "odd", "pointer": "/a~1b"},
            ],
            store=[
                {"field": "status", "value": "externalId"},
                {"field": "amount", "value": "{{ answer.status + 1 }}"},
                {"field": "tags", "value": "{{ [response.sku, response.odd] }}"},
            ],
        )
    )
    run = answered(
        run, body='{"data": {"externalId": "E1"}, "items": [{"sku": "W"}], "a/b": 1, "more": 2}'
    )
    assert run.status == "succeeded", run.reason
    assert step_of(run).output["response"] == {"externalId": "E1", "sku": "W", "odd": 1}
    data = lead().data
    assert (data["status"], data["amount"], data["tags"]) == ("E1", 201, ["W", 1])
    assert {each["field"] for each in step_of(run).changes} == {"status", "amount", "tags"}


@pytest.mark.parametrize(
    ("config", "answer", "field", "words"),
    [
        (TAKES_ID, {"body": "<html>"}, "response", "nothing can be taken from it; it begins: <html>"),
        (TAKES_ID, {"body": '{"id": NaN}'}, "response", "is no JSON"),
        (TAKES_ID, {"body": '{"x": 1}'}, "response_schema/id", "The answer has nothing at /id"),
        (TAKES_END, {"body": "[1]"}, "response_schema/id", "The answer has nothing at /-"),
        (TAKES_ID, {"body": ""}, "response_schema/id", "The answer has nothing at /id"),
        ({}, {"body": '{"a": 1', "truncated": True}, "response", "larger than what is kept of one (7 characters)"),
        (stores_amount("{{ response.x }}"), {"body": '{"x": "much"}'}, "store/amount", "amount: Enter a number"),
        (stores_amount("{{ response.y }}"), {"body": '{"x": 1}'}, "store/amount", "`response` has no `y`"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_as_expected_fails_the_step_in_words(
    config: dict[str, Any], answer: dict[str, Any], field: str, words: str
) -> None:
    run = run_once(step("webhook", url=URL, **config))
    run = answered(run, **answer)
    assert run.status == "failed"
    assert words in run.reason
    assert step_of(run).error["field"] == field


@pytest.mark.parametrize(
    ("config", "answer", "response", "note"),
    [
        ({}, {"body": "<html>"}, "<html>", "The answer is no JSON; it is taken as text."),
        ({}, {"body": ""}, None, "Status 200"),
        ({}, {"body": "[1, 2]"}, [1, 2], "Status 200"),
        (TEXT, {"body": '{"a": 1}'}, '{"a": 1}', "Status 200"),
        (TEXT, {"body": "abc", "truncated": True}, "abc", FIRST_3),
        ({}, {"body": '["\\ud800", "\\u0000", 1e999]'}, [ODD, ODD, "inf"], "Status 200"),
    ],
)  # fmt: skip
def test_answers_of_all_kinds_are_read(
    config: dict[str, Any], answer: dict[str, Any], response: Any, note: str
) -> None:
    run = answered(run_once(step("webhook", url=URL, **config)), **answer)
    assert run.status == "succeeded", run.reason
    assert step_of(run).output["response"] == response
    assert step_of(run).note == note


def test_an_answer_too_large_to_keep_says_what_to_do() -> None:
    run = answered(run_once(step("webhook", url=URL)), body=json.dumps(["x" * 100] * 1000))
    assert run.status == "succeeded"
    assert "The answer is larger than 64 KiB, so later steps do not see it." in step_of(run).note


def test_a_failed_job_fails_the_step_and_says_how_often_it_was_tried() -> None:
    run = run_once(step("webhook", url=URL))
    job_row = job()
    job_row.attempts = 2
    job_row.save()
    run = answered(run, status_code=500)
    assert run.reason == "s1: The receiver answered 500. It was tried 3 times."
    assert step_of(run).error["kind"] == "status"


def test_no_answer_fails_the_step_with_the_transports_words() -> None:
    run = answered(
        run_once(step("webhook", url=URL)),
        status_code=None, error_kind="timeout", error="No answer within 30 s.",
    )  # fmt: skip
    assert "No answer within 30 s." in run.reason
    assert step_of(run).error["kind"] == "timeout"


def test_a_status_that_halts_ends_the_run_as_halted() -> None:
    run = run_once(
        step("webhook", url=URL, halt_statuses="409"),
        step("update_record", "s2", data={"status": "x"}),
    )
    run = answered(run, status_code=409, body="already there")
    assert (run.status, run.reason) == ("halted", "Status 409 halts the run.")
    assert step_of(run).output == {"status": 409, "response": "already there"}
    assert lead().data["status"] is None


def test_a_cancelled_job_fails_the_step() -> None:
    run = run_once(step("webhook", url=URL))
    cancel_job(job=job(), actor=None)
    work()
    run.refresh_from_db()
    assert "The job was cancelled by a person." in run.reason


def test_a_deleted_job_fails_the_step() -> None:
    from automations.claims import wake_orphans

    run = run_once(step("webhook", url=URL))
    WebhookJob.objects.all().delete()
    wake_orphans(timezone.now())
    work()
    run.refresh_from_db()
    assert "The job was deleted before it had ended." in run.reason


def test_nobody_waits_for_an_answer_that_is_not_wanted() -> None:
    run = run_once(
        step("webhook", url=URL, wait=False), step("set_variables", "s2", variables={"a": 1})
    )
    assert run.status == "succeeded"
    assert job().status == JobStatus.PENDING
    assert step_of(run).job == job()
    assert step_of(run).output == {"job": job().pk}


def test_many_runs_that_wait_are_woken_together() -> None:
    make_leads()
    automation = make_automation(step("webhook", url=URL))
    for name in ("a", "b", "c"):
        make_lead(name=name)
    work()
    for each in WebhookJob.objects.all():
        end_job(each, body=json.dumps({"for": each.record_id}))
    work()
    runs = Run.objects.filter(automation=automation)
    assert {run.status for run in runs} == {"succeeded"}
    for run in runs:
        assert step_of(run).output["response"] == {"for": run.record_id}


# --- tests ---


def test_a_test_sends_nothing_and_takes_the_sample_for_the_answer() -> None:
    run = run_once(
        step(
            "webhook",
            url=URL,
            response_schema=[{"name": "id", "pointer": "/id"}],
            store=[{"field": "status", "value": "id"}],
            sample_response='{"id": "S1"}',
        ),
        state="test",
    )
    assert run.status == "succeeded", run.reason
    assert not WebhookJob.objects.exists()
    assert step_of(run).note == f"Would have sent POST {URL}; nothing was sent."
    assert step_of(run).input["url"] == URL
    assert step_of(run).output["response"] == {"id": "S1"}
    assert lead().data["status"] == "S1"


# --- pings ---


def test_a_ping_has_no_body() -> None:
    run = run_once(step("ping", url="https://up.example.com/{{ record.name }}"))
    assert (job().method, job().url, job().body) == ("GET", "https://up.example.com/Ada", "")
    run = answered(run, body="pong")
    assert (run.status, step_of(run).output["response"]) == ("succeeded", "pong")


def test_a_ping_by_post_has_no_body_either() -> None:
    run = run_once(step("ping", url=URL, method="POST", wait=False))
    assert run.status == "succeeded"
    assert (job().method, job().body) == ("POST", "")


def test_a_ping_that_is_not_answered_fails() -> None:
    run = answered(run_once(step("ping", url=URL)), status_code=503)
    assert "The receiver answered 503." in run.reason


def test_the_run_of_a_failed_step_can_be_found_by_its_job() -> None:
    run = answered(run_once(step("webhook", url=URL)), status_code=500)
    assert run_of(run.automation).pk == job().run_id
