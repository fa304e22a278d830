"""A webhook that is edited, switched off or deleted while its jobs fly: what was promised before is kept."""

from collections import Counter

import pytest

from tests.faults.conftest import Spawn, Traffic
from tests.waiting import wait_until
from webhooks.models import RequestLog, Webhook, WebhookJob

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

RECORDS = 150


def test_jobs_end_well_whatever_happens_to_their_webhooks(
    traffic: Traffic, spawn_sound: Spawn
) -> None:
    """Few senders and a slow receiver: most jobs are still pending when the webhooks change."""
    traffic.receiver_is(delay_ms=100)
    edited, off = traffic.webhooks
    deleted = Webhook.objects.create(name="third", event="record.created", url=edited.url)
    Webhook.objects.update(event="record.created", url=f"{traffic.receiver.url}?delay_ms=100")
    traffic.create(RECORDS)
    spawn_sound(DELIVERY_CONCURRENCY="40")
    wait_until(lambda: len(traffic.receiver.arrivals()) > 30)
    assert WebhookJob.objects.filter(status="sending").exists()

    edited.refresh_from_db()
    edited.name, edited.url, edited.retry_delays_s = "Edited", "http://127.0.0.1:1/", []
    edited.save()
    Webhook.objects.filter(pk=off.pk).update(is_active=False)
    deleted.delete()
    wait_until(
        lambda: WebhookJob.objects.filter(status="succeeded").count() == 3 * RECORDS,
        what="The end of all jobs",
    )

    arrived = Counter(each["job_id"] for each in traffic.receiver.arrivals())
    assert arrived == dict.fromkeys(WebhookJob.objects.values_list("pk", flat=True), 1)
    assert set(WebhookJob.objects.values_list("attempts", flat=True)) == {1}
    assert RequestLog.objects.count() == 3 * RECORDS
    assert WebhookJob.objects.filter(webhook=None, webhook_name="third").count() == RECORDS
    assert not RequestLog.objects.filter(url__contains=":1/").exists()


def test_what_happens_after_a_webhook_was_switched_off_makes_no_job(
    traffic: Traffic, spawn_sound: Spawn
) -> None:
    spawn_sound()
    traffic.create(3)
    traffic.check()
    Webhook.objects.update(is_active=False)
    record = traffic.records[0]
    traffic.create(3)
    for late in traffic.records[3:]:
        del traffic.saved["record.created", late.pk]
    traffic.check()
    assert WebhookJob.objects.filter(record=record).count() == 1
