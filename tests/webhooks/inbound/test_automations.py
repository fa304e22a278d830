"""A request at an automation's address is stored, sets off one run, and is answered at once."""

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from automations.models import Run
from records.dispatch import events_dispatched
from records.ids import new_id
from records.models import Event, Upload
from tests.automations.making import step, step_of, work
from tests.webhooks.inbound.making import make_endpoint, make_listener, send
from webhooks.inbound import storing
from webhooks.inbound.endpoints import close_endpoint, endpoint_for_automation
from webhooks.models import InboundEndpoint, RequestLog

pytestmark = pytest.mark.django_db


def remember(**variables):
    return step("set_variables", "s1", variables=variables)


def test_a_request_sets_off_a_run_that_sees_it(client):
    _, endpoint = make_listener(
        remember(
            name="{{ webhook.body.name }}",
            size="{{ webhook.query.size }}",
            agent="{{ webhook.headers['user-agent'] }}",
            method="{{ webhook.method }}",
            raw="{{ webhook.raw }}",
        )
    )
    answer = send(
        client, endpoint, {"name": "Ada"}, query="?size=3", headers={"user-agent": "Shop"}
    )
    assert answer.status_code == 202
    run = Run.objects.get()
    assert answer.json()["run"] == run.pk
    work()
    run.refresh_from_db()
    assert run.variables["vars"] == {
        "name": "Ada",
        "size": "3",
        "agent": "Shop",
        "method": "POST",
        "raw": '{"name": "Ada"}',
    }


def test_everything_is_there_before_the_answer(client):
    automation, endpoint = make_listener(remember(a=1))
    answer = send(client, endpoint)
    event, row, run = Event.objects.get(), RequestLog.objects.get(), Run.objects.get()
    assert event.dispatched_at is not None
    assert (event.type, event.target, event.subject_id) == (
        "webhook.received",
        automation.pk,
        endpoint.pk,
    )
    assert event.actor_label == "Webhook “Orders”"
    assert (run.event_id, run.status) == (event.pk, "pending")
    assert (row.event_id, row.run_id, row.endpoint_id) == (event.pk, run.pk, endpoint.pk)
    assert (row.status_code, row.response_body) == (202, answer.content.decode())
    assert (row.request_body, row.direction, row.error_kind) == ('{"n": 1}', "in", "")


def test_no_other_automation_hears_of_it(client):
    _, endpoint = make_listener(remember(a=1))
    make_listener(remember(b=1))
    send(client, endpoint)
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("content_type", "body", "seen"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("application/x-www-form-urlencoded", b"a=1&a=2&b=", {"a": ["1", "2"], "b": ""}),
        ("text/plain", b"hello", "hello"),
        ("application/xml", b"<a>1</a>", "<a>1</a>"),
        ("", b"[1]", [1]),
        ("application/json", b"", None),
        ("image/png", b"\x89PNG\0", None),
    ],
)
def test_what_bodies_become(client, content_type, body, seen):
    _, endpoint = make_listener(remember(body="{{ webhook.body }}"))
    assert send(client, endpoint, body=body, content_type=content_type).status_code == 202
    work()
    assert Run.objects.get().variables["vars"] == {"body": seen}


def test_files_are_kept_and_known_by_their_ids(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    _, endpoint = make_listener(remember(file="{{ webhook.body.cv.id }}"))
    body = (
        b'--x\r\nContent-Disposition: form-data; name="cv"; filename="cv.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
    )
    send(client, endpoint, body=body, content_type="multipart/form-data; boundary=x")
    work()
    upload = Upload.objects.get()
    assert Run.objects.get().variables["vars"] == {"file": upload.pk}
    assert (upload.name, upload.file.read()) == ("cv.txt", b"hello")


def test_files_of_a_request_that_is_not_stored_are_removed(client, settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    _, endpoint = make_listener(remember(a=1))

    def fail(*args, **kwargs):
        raise OperationalError("away")

    monkeypatch.setattr(storing, "log_row", fail)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhello\r\n--x--\r\n'
    )
    answer = send(client, endpoint, body=body, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not Upload.objects.exists()


def test_credentials_are_neither_in_the_log_nor_in_the_event(client):
    _, endpoint = make_listener(remember(a=1))
    secret = "sk_live_0123456789abcdef"
    send(client, endpoint, headers={"authorization": f"Bearer {secret}", "cookie": f"sid={secret}"})
    stored = repr(list(RequestLog.objects.values())) + repr(list(Event.objects.values()))
    assert secret not in stored
    assert "Bearer sk_l•••cdef" in stored


@pytest.mark.parametrize("path", ["", "nonsense", "auto_x-", "-", "%00", "auto_x-%ff", "a" * 3000])
def test_an_unknown_address_is_404_and_leaves_nothing(client, path):
    answer = client.post(f"/api/webhooks/automation/{path}", b"{}", "application/json")
    assert answer.status_code == 404
    assert not RequestLog.objects.exists()


def test_the_token_opens_the_address_of_its_own_automation_only(client):
    one, other = make_endpoint(), make_endpoint()
    mixed = f"/api/webhooks/automation/{one.automation_id}-{other.token}"
    assert send(client, one, path=mixed).status_code == 404
    test = f"/api/webhooks/automation/{one.automation_id}-{one.test_token}"
    assert send(client, one, path=test).status_code == 404
    assert send(client, one, path=f"/api/webhooks/form/{one.token}").status_code == 404
    assert send(client, one, path=f"/api/webhooks/inspector/{one.token}").status_code == 404


def test_an_endpoint_is_made_once_for_an_automation(client):
    automation_id = new_id("auto")
    first = endpoint_for_automation(automation_id, "One")
    close_endpoint(automation_id)
    assert send(client, first).status_code == 503
    again = endpoint_for_automation(automation_id, "Two")
    assert (again.pk, again.token, again.name) == (first.pk, first.token, "Two")
    assert send(client, first).status_code == 202
    assert InboundEndpoint.objects.count() == 1


def test_where_reacting_fails_the_request_is_kept_for_a_worker(client, caplog):
    _, endpoint = make_listener(remember(a=1))

    def break_down(sender, events, **kwargs):
        raise DatabaseError("a deadlock")

    events_dispatched.connect(break_down)
    try:
        answer = send(client, endpoint)
    finally:
        events_dispatched.disconnect(break_down)
    assert (answer.status_code, answer.json()["run"]) == (202, None)
    assert not Run.objects.exists()
    work()
    assert Run.objects.get().status == "succeeded"
    status = client.get(_path(answer))
    assert status.json()["run"] == Run.objects.get().pk


def _path(answer):
    return "/api" + answer.json()["status_url"].partition("/api")[2]


def test_a_request_costs_few_statements(client):
    _, endpoint = make_listener(remember(a=1))
    send(client, endpoint)
    with CaptureQueriesContext(connection) as queries:
        send(client, endpoint, headers={"webhook-id": "one"})
    statements = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert len(statements) <= 8, "\n".join(statements)


def test_the_depth_of_a_request_is_that_of_its_event_and_run(client):
    _, endpoint = make_listener(remember(a=1))
    send(client, endpoint, headers={"signalbox-depth": "3"})
    assert (Event.objects.get().depth, Run.objects.get().depth) == (3, 3)


def test_a_loop_through_another_system_is_cut_and_explained(client):
    endpoint = make_endpoint()
    answer = send(client, endpoint, headers={"signalbox-depth": "10"})
    assert answer.status_code == 508
    assert "signalbox-depth" in answer.json()["error"]
    assert RequestLog.objects.get().error_kind == "loop"
    assert not Event.objects.exists()


def test_a_step_of_the_run_is_really_done(client):
    _, endpoint = make_listener(remember(a=1))
    send(client, endpoint)
    work()
    assert step_of(Run.objects.get()).status == "succeeded"
