"""The pages of inspectors."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from records.ids import new_id
from records.models import User
from tests.webhooks.making import make_job
from webhooks.admin import arrivals
from webhooks.models import InboundEndpoint, RequestLog

pytestmark = pytest.mark.django_db

SENSIBLE = {"name": "Inspector", "answer_body": "{}"}


@pytest.fixture
def endpoint():
    return InboundEndpoint.objects.create(name="Inspector")


@pytest.fixture
def staff(client):
    """A member of staff who may do nothing; `may(...)` gives permissions."""
    user = User.objects.create_user("staff", is_staff=True)
    client.force_login(user)

    def may(*codenames):
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))

    return may


def arrive(endpoint, *, job=None, body="hello", headers=(), **values):
    sent = [["Webhook-Id", job.pk]] if job else []
    defaults = {
        "direction": "in",
        "method": "POST",
        "url": f"/api/webhooks/inspector/{endpoint.token}",
        "request_headers": [*sent, *map(list, headers)],
        "request_body": body,
        "status_code": 200,
        "started_at": timezone.now(),
    }
    return RequestLog.objects.create(endpoint=endpoint, **{**defaults, **values})


def page(name, *args):
    return reverse(f"admin:webhooks_{name}", args=args)


def change(endpoint):
    return page("inboundendpoint_change", endpoint.pk)


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


# --- inspectors ------------------------------------------------------------------------------


def test_the_page_shows_address_example_and_what_arrived(admin_client, endpoint):
    arrive(endpoint, body='{"a": 1}', headers=[("X-Test", "<b>bold</b>")])
    text = text_of(admin_client.get(change(endpoint)))
    assert endpoint.url in text
    assert "curl" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "json-key" in text


def test_a_request_of_one_of_our_jobs_links_to_it(admin_client, endpoint):
    job = make_job()
    arrive(endpoint, job=job)
    arrive(endpoint, headers=[("webhook-id", new_id("job"))])
    arrive(endpoint, headers=[("webhook-id", "<script>")])
    text = text_of(admin_client.get(change(endpoint)))
    assert text.count("/admin/webhooks/webhookjob/job_") == 1
    assert page("webhookjob_change", job.pk) in text


def test_without_permission_for_jobs_there_is_no_link(client, staff, endpoint):
    staff("view_inboundendpoint")
    job = make_job()
    arrive(endpoint, job=job)
    text = text_of(client.get(change(endpoint)))
    assert str(job) in text
    assert page("webhookjob_change", job.pk) not in text
    assert "Clear" not in text


def test_only_what_is_new_is_sent_to_the_page(admin_client, endpoint):
    old = arrive(endpoint, body="the old one")
    url = page("inboundendpoint_arrivals", endpoint.pk)
    assert admin_client.get(url, {"after": old.pk}).status_code == 204
    new = arrive(endpoint, body="the new one")
    text = text_of(admin_client.get(url, {"after": old.pk}))
    assert new.pk in text
    assert old.pk not in text


def test_a_page_with_nothing_on_it_gets_everything(admin_client, endpoint):
    url = page("inboundendpoint_arrivals", endpoint.pk)
    assert admin_client.get(url).status_code == 204
    row = arrive(endpoint)
    response = admin_client.get(url)
    assert row.pk in text_of(response)
    assert response["HX-Reswap"] == "innerHTML"


def test_more_than_a_page_at_once_leaves_no_gap(admin_client, endpoint, monkeypatch):
    monkeypatch.setattr(arrivals, "PAGE_SIZE", 2)
    rows = [arrive(endpoint) for _ in range(5)]
    url = page("inboundendpoint_arrivals", endpoint.pk)
    response = admin_client.get(url, {"after": rows[0].pk})
    assert response["HX-Reswap"] == "innerHTML"
    assert f"before={rows[3].pk}" in text_of(response)
    older = text_of(admin_client.get(url, {"before": rows[3].pk}))
    assert [row.pk in older for row in rows] == [False, True, True, False, False]


@pytest.mark.parametrize("name", ["after", "before"])
def test_an_id_that_is_none_does_no_harm(admin_client, endpoint, name):
    arrive(endpoint)
    url = page("inboundendpoint_arrivals", endpoint.pk)
    assert admin_client.get(url, {name: "req_'; drop table"}).status_code == 200


def test_of_a_large_body_only_the_beginning_is_shown(admin_client, endpoint, monkeypatch):
    monkeypatch.setattr(arrivals, "MAX_SHOWN", 100)
    arrive(endpoint, body="x" * 100 + "the end")
    text = text_of(admin_client.get(change(endpoint)))
    assert "the end" not in text
    assert "Only the beginning" in text


def test_clearing_confirms_how_many(admin_client, endpoint):
    other = InboundEndpoint.objects.create(name="Other")
    for each in (endpoint, endpoint, other):
        arrive(each)
    response = admin_client.post(page("inboundendpoint_clear", endpoint.pk), follow=True)
    assert "2 requests cleared." in text_of(response)
    assert RequestLog.objects.get().endpoint == other


def test_clearing_takes_a_post_and_permission(client, staff, endpoint):
    arrive(endpoint)
    staff("view_inboundendpoint")
    url = page("inboundendpoint_clear", endpoint.pk)
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 403
    assert RequestLog.objects.exists()


@pytest.mark.parametrize("name", ["change", "arrivals"])
def test_without_permission_nothing_is_shown(client, staff, endpoint, name):
    assert client.get(page(f"inboundendpoint_{name}", endpoint.pk)).status_code == 403


def test_an_inspector_that_is_not_there_is_404(admin_client):
    missing = new_id("in")
    assert admin_client.get(page("inboundendpoint_arrivals", missing)).status_code == 404
    assert admin_client.post(page("inboundendpoint_clear", missing)).status_code == 404


@pytest.mark.parametrize(
    ("status", "is_saved"), [(200, True), (503, True), (599, True), (100, False), (700, False)]
)
def test_it_answers_with_a_status_that_can_be_sent(admin_client, endpoint, status, is_saved):
    response = admin_client.post(change(endpoint), {**SENSIBLE, "answer_status": status})
    endpoint.refresh_from_db()
    assert (endpoint.answer_status == status) is is_saved or status == 200
    assert response.status_code == (302 if is_saved else 200)


def test_a_new_one_has_an_address_nobody_can_guess(admin_client):
    admin_client.post(page("inboundendpoint_add"), {**SENSIBLE, "answer_status": 200})
    token = InboundEndpoint.objects.get().token
    assert len(token) >= 26


def test_the_list_takes_the_same_queries_for_many(
    admin_client, django_assert_num_queries, endpoint
):
    count = queries_of(admin_client, page("inboundendpoint_changelist"))
    for number in range(5):
        arrive(InboundEndpoint.objects.create(name=str(number)))
    assert queries_of(admin_client, page("inboundendpoint_changelist")) == count


def test_the_page_takes_the_same_queries_for_many(admin_client, endpoint):
    arrive(endpoint, job=make_job())
    count = queries_of(admin_client, change(endpoint))
    for _ in range(10):
        arrive(endpoint, job=make_job())
    assert queries_of(admin_client, change(endpoint)) == count


def queries_of(client, url):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)  # what is asked once and remembered
    with CaptureQueriesContext(connection) as queries:
        text_of(client.get(url))
    assert not any("COUNT(*)" in query["sql"] and "requestlog" in query["sql"] for query in queries)
    return len(queries)
