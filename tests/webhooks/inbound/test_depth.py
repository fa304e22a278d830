"""What we send says how many of our requests lie behind it; what comes back with that is cut in the end."""

import pytest

from records.events import make_event
from tests.automations.making import step, work
from tests.webhooks.inbound.making import make_listener, send
from tests.webhooks.making import make_job
from webhooks.intake.loops import MAX_DEPTH
from webhooks.models import RequestLog, Webhook, WebhookJob
from webhooks.outbound import outbound_request
from webhooks.subscriptions import jobs_for, webhooks_for

pytestmark = pytest.mark.django_db


def depth_sent(job):
    return [value for name, value in outbound_request(job).headers if name == "signalbox-depth"]


@pytest.mark.parametrize(("depth", "sent"), [(0, "1"), (1, "1"), (7, "7")])
def test_a_request_carries_its_depth_and_nobody_else_sets_it(depth, sent):
    job = make_job(depth=depth, headers=[["Signalbox-Depth", "0"]])
    headers = [(name.lower(), value) for name, value in outbound_request(job).headers]
    assert [value for name, value in headers if name == "signalbox-depth"] == [sent]


def test_the_job_of_a_webhook_is_one_deeper_than_its_event():
    webhook = Webhook(name="W", event="task.created", method="POST", url="https://a.example/")
    event = make_event("task.created", depth=3)
    (job,) = jobs_for([event], [webhook])
    assert job.depth == 4


def test_a_loop_through_another_system_ends(client):
    """It answers each of our requests with one to us, and passes the header on."""
    _, endpoint = make_listener(
        step("webhook", "s1", url="https://other.example/"),
        settings={"max_depth": 50},
    )
    depth, rounds = "0", 0
    while True:
        answer = send(client, endpoint, headers={"signalbox-depth": depth})
        if answer.status_code != 202:
            break
        rounds += 1
        work()
        (depth,) = depth_sent(WebhookJob.objects.order_by("-pk")[0])
    assert (answer.status_code, rounds) == (508, MAX_DEPTH)
    assert RequestLog.objects.order_by("-pk")[0].error_kind == "loop"


def test_what_is_meant_for_one_automation_is_no_webhooks_matter(django_assert_num_queries):
    event = make_event("webhook.received", target="auto_x")
    with django_assert_num_queries(0):
        assert webhooks_for([event]) == []
