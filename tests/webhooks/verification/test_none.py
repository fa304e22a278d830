"""No verification: everything is accepted, and told apart by its id where it has one."""

import pytest

from tests.webhooks.verification.arriving import accepts, arriving, judged


@pytest.mark.parametrize(
    ("headers", "body"), [({}, b""), ({"Authorization": "Bearer x"}, b"\x00\xff")]
)
def test_anything_is_accepted(headers, body):
    assert accepts("none", arriving(headers, body))


def test_the_id_of_a_delivery_is_known():
    assert judged("none", arriving({"Webhook-Id": "job_1"})).delivery_id == "job_1"
