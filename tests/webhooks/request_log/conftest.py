"""Somebody who may do nothing yet, and a log with one of each kind."""

import pytest
from django.contrib.auth.models import Permission

from records.ids import new_id
from records.models import User
from tests.webhooks.inbound.making import make_endpoint, make_form
from tests.webhooks.jobs_at_hand import a_job, a_person, a_webhook
from tests.webhooks.requests_at_hand import arrived, sent
from webhooks.models import InboundEndpoint


@pytest.fixture
def staff(client):
    """A member of staff who may do nothing; `may(...)` gives permissions."""
    user = User.objects.create_user("staff", is_staff=True)
    client.force_login(user)

    def may(*codenames):
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))

    return may


@pytest.fixture
def log():
    """One of each kind, with every outcome."""
    webhook = a_webhook()
    endpoint = make_endpoint()
    inspector = InboundEndpoint.objects.create(name="Inspector")
    refused = {"status_code": 401, "error_kind": "unverified", "error": "The signature is wrong."}
    return {
        "ok": sent(a_job(webhook=webhook), actor=a_person("ada", last_name="Lovelace")),
        "not found": sent(a_job(webhook=webhook), status_code=404, method="PUT"),
        "broken": sent(
            a_job(run_id=new_id("run"), step_path="s1"), status_code=503, duration_ms=1500
        ),
        "silent": sent(
            remote_address="[2001:db8::1]:443",
            status_code=None,
            error_kind="dns",
            error="No address for `x.invalid`.",
        ),
        "hooked": arrived(endpoint, remote_address="192.0.2.7", request_body='{"name": "Ada"}'),
        "rejected": arrived(endpoint, **refused),
        "inspected": arrived(inspector, is_kept=True, name="An order"),
        "form": arrived(make_form(), response_body='{"record": "rec_1"}', duration_ms=100),
    }
