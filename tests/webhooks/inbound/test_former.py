"""The request log outlives the endpoints that it is about."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from automations.services import create_automation, delete_automation, set_state
from tests.automations.making import step
from tests.webhooks.inbound.making import (
    ON_WEBHOOK,
    make_endpoint,
    make_form,
    make_listener,
    send,
)
from tests.webhooks.requests_at_hand import arrived, page, queries_of, text_of
from webhooks.inbound.endpoints import endpoint_for_draft
from webhooks.logqueries import LogQuery
from webhooks.models import Arrival, FormerEndpoint, InboundEndpoint, RequestLog
from webhooks.requestlog import page_of

pytestmark = pytest.mark.django_db


def delete(admin_client, endpoint):
    url = reverse("admin:webhooks_inboundendpoint_delete", args=[endpoint.pk])
    return admin_client.post(url, {"post": "yes"})


def path_of_test(endpoint):
    return "/api" + endpoint.test_url.partition("/api")[2]


@pytest.fixture
def gone(admin_client):
    """(the row of a form's request, the id of the form, which was deleted)."""
    form = make_form()
    row = arrived(form)
    assert delete(admin_client, form).status_code == 302
    assert not InboundEndpoint.objects.exists()
    return row, str(row.endpoint_id)


def test_requests_stay_and_still_name_their_endpoint(admin_client, gone):
    row, _ = gone
    for url in (page("changelist"), page("change", row.pk)):
        text = text_of(admin_client.get(url))
        assert "Contact (deleted)" in text
        assert f"/admin/webhooks/inboundendpoint/{row.endpoint_id}" not in text


def test_requests_are_found_by_an_endpoint_that_was_deleted(admin_client, gone):
    row, endpoint_id = gone
    arrived(make_endpoint())
    for query in (LogQuery(endpoint_id=endpoint_id), LogQuery(kind="form")):
        assert [each.pk for each in page_of(query).rows] == [row.pk]
    text = text_of(admin_client.get(page("changelist"), {"endpoint": endpoint_id}))
    assert page("change", row.pk) in text
    assert f'value="{endpoint_id}" selected>Contact (deleted)' in text


def test_many_endpoints_that_were_deleted_cost_one_query(admin_client, gone):
    count = queries_of(admin_client, page("changelist"))
    for _ in range(3):
        form = make_form()
        arrived(form)
        form.delete()
    assert queries_of(admin_client, page("changelist")) == count


def test_deleting_an_endpoint_does_not_touch_its_requests(admin_client, client):
    form = make_form()
    url = reverse("admin:webhooks_inboundendpoint_delete", args=[form.pk])
    text = text_of(admin_client.get(url))
    assert "What has arrived stays" in text
    for number in range(3):
        arrived(form, url=f"{form.path}?n={number}")
    with CaptureQueriesContext(connection) as queries:
        delete(admin_client, form)
    touched = [each["sql"] for each in queries if "webhooks_requestlog" in each["sql"]]
    assert not [sql for sql in touched if not sql.startswith("SELECT") or "LIMIT" not in sql]
    assert RequestLog.objects.count() == 3


def test_what_was_known_of_its_deliveries_is_forgotten_in_its_time(client):
    endpoint = make_endpoint()
    send(client, endpoint, headers={"webhook-id": "msg_1"})
    endpoint.delete()
    assert Arrival.objects.count() == 1


def test_a_request_whose_endpoint_is_gone_is_not_replayed(admin_client):
    endpoint = make_endpoint()
    row = arrived(endpoint)
    endpoint.delete()
    text = text_of(admin_client.get(page("change", row.pk)))
    assert "Its endpoint was deleted" in text
    assert "Replay as a new event" not in text
    text = text_of(admin_client.post(page("replay", row.pk), follow=True))
    assert "Not replayed: Its endpoint was deleted" in text


def test_the_addresses_of_an_automation_go_with_it_and_the_log_stays(admin_client, client):
    automation, endpoint = make_listener(step("stop", "s"))
    assert send(client, endpoint).status_code == 202
    delete_automation(automation=automation)
    assert not InboundEndpoint.objects.exists()
    assert FormerEndpoint.objects.get().pk == endpoint.pk
    for path in (endpoint.path, path_of_test(endpoint)):
        assert send(client, endpoint, path=path).status_code == 404
    assert "Orders (deleted)" in text_of(admin_client.get(page("changelist")))


def test_the_address_of_an_automation_that_is_switched_off_goes_with_it():
    automation, _ = make_listener(step("stop", "s"))
    set_state(automation=automation, state="paused")
    delete_automation(automation=automation)
    assert not InboundEndpoint.objects.exists()


def test_the_test_address_of_a_draft_goes_with_it(client):
    draft = create_automation(name="Orders", draft={"trigger": ON_WEBHOOK, "steps": []})
    endpoint = endpoint_for_draft(draft.pk, draft.name)
    assert send(client, endpoint, path=path_of_test(endpoint)).status_code == 200
    delete_automation(automation=draft)
    assert not InboundEndpoint.objects.exists()
    assert send(client, endpoint, path=path_of_test(endpoint)).status_code == 404


def test_the_addresses_of_others_stay():
    automation, _ = make_listener(step("stop", "s"))
    others = {make_endpoint().pk, make_form().pk}
    delete_automation(automation=automation)
    assert {each.pk for each in InboundEndpoint.objects.all()} == others
