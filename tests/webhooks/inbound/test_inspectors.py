"""What reaches an inspector is recorded, whatever it is, and never ends in a 500 of ours."""

import http.client
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webhooks.inbound import inspectors
from webhooks.inbound.inspectors import clear_requests
from webhooks.models import InboundEndpoint, RequestLog
from webhooks.views import inspector as view

MAX_BODY_BYTES = 1024 * 1024


@pytest.fixture
def endpoint(db):
    return InboundEndpoint.objects.create(name="Inspector")


def address(endpoint, rest=""):
    return f"/api/webhooks/inspector/{endpoint.token}{rest}"


def only_row():
    return RequestLog.objects.get()


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "VERSION-CONTROL"]
)
def test_any_method_is_recorded_and_answered(client, endpoint, method):
    response = client.generic(
        method, address(endpoint, "?urgency=low"), b'{"a": 1}', "application/json"
    )
    assert (response.status_code, response.json()) == (200, {"ok": True})
    row = only_row()
    assert (row.direction, row.method, row.endpoint) == ("in", method[:10], endpoint)
    assert (row.url, row.request_body) == (address(endpoint, "?urgency=low"), '{"a": 1}')
    assert ["Content-Type", "application/json"] in row.request_headers
    assert (row.status_code, row.response_body, row.remote_address) == (
        200,
        '{"ok": true}',
        "127.0.0.1",
    )


def test_an_unknown_address_is_404_and_records_nothing(client, endpoint):
    assert client.post("/api/webhooks/inspector/nobody").status_code == 404
    assert not RequestLog.objects.exists()


def test_head_is_answered_without_a_body(client, endpoint):
    response = client.head(address(endpoint))
    assert (response.status_code, response.content) == (200, b"")
    assert only_row().method == "HEAD"


def test_options_tells_a_browser_that_it_may_send(client, endpoint):
    response = client.options(address(endpoint))
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (204, "*")
    assert only_row().status_code == 204


@pytest.mark.parametrize(
    ("status", "body", "answered", "content", "kind"),
    [
        (500, '{"error": 1}', 500, b'{"error": 1}', "application/json"),
        (429, "slow down", 429, b"slow down", "text/plain; charset=utf-8"),
        (204, "never sent", 204, b"", "text/plain; charset=utf-8"),
        (304, "never sent", 304, b"", "text/plain; charset=utf-8"),
        (42, "", 200, b"", "text/plain; charset=utf-8"),
        (999, "", 200, b"", "text/plain; charset=utf-8"),
    ],
)
def test_it_answers_as_it_is_told(client, endpoint, status, body, answered, content, kind):
    InboundEndpoint.objects.update(answer_status=status, answer_body=body)
    response = client.post(address(endpoint))
    assert (response.status_code, response.content, response["Content-Type"]) == (
        answered,
        content,
        kind,
    )
    assert (only_row().status_code, only_row().response_body) == (answered, content.decode())


def test_a_wanted_500_is_not_logged_as_an_error_of_ours(client, endpoint, caplog):
    InboundEndpoint.objects.update(answer_status=500)
    client.post(address(endpoint))
    assert not caplog.records


def test_markup_is_never_answered_as_a_page(client, endpoint):
    InboundEndpoint.objects.update(answer_body="<script>alert(1)</script>")
    response = client.get(address(endpoint))
    assert response["Content-Type"].startswith("text/plain")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_largest_body_is_kept_whole(client, endpoint):
    assert client.post(address(endpoint), b"x" * MAX_BODY_BYTES, "text/plain").status_code == 200
    assert (len(only_row().request_body), only_row().request_truncated) == (MAX_BODY_BYTES, False)


def test_a_larger_body_is_refused_before_it_is_read(rf, endpoint):
    class Unread:
        def read(self, size=-1):
            raise AssertionError("the body was asked for")

    request = rf.post(address(endpoint))
    request.META["CONTENT_LENGTH"] = str(MAX_BODY_BYTES + 1)
    request._stream = Unread()
    assert view(request, endpoint.token).status_code == 413
    row = only_row()
    assert (row.status_code, row.request_truncated, row.request_body) == (413, True, "")


def test_a_chunked_body_is_read_from_a_server_that_ends_it(rf, endpoint):
    request = rf.post(address(endpoint))
    request.META |= {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": BytesIO(b"in pieces"),
        "wsgi.input_terminated": True,
    }
    assert view(request, endpoint.token).status_code == 200
    assert only_row().request_body == "in pieces"


def test_a_sender_that_goes_away_is_no_error_of_ours(rf, endpoint):
    class Broken:
        def read(self, size=-1):
            raise OSError("connection reset")

    request = rf.post(address(endpoint), b"12345", "text/plain")
    request._stream = Broken()
    assert view(request, endpoint.token).status_code == 400
    assert only_row().error_kind == "malformed"


def test_bytes_that_are_no_text_are_marked(client, endpoint):
    client.post(address(endpoint), b"a\0b\xff\xfe", "application/octet-stream")
    assert only_row().request_body == "a\ufffdb\ufffd\ufffd"


def test_credentials_are_not_stored(client, endpoint):
    secret = "sk_live_0123456789abcdef"
    client.post(
        address(endpoint, f"?api_key={secret}"),
        headers={"authorization": f"Bearer {secret}", "cookie": f"sid={secret}"},
    )
    row = only_row()
    assert secret not in repr([row.url, row.request_headers])
    assert ["Authorization", "Bearer sk_l•••cdef"] in row.request_headers


def test_only_the_latest_are_kept(client, endpoint, monkeypatch):
    monkeypatch.setattr(inspectors, "KEEP_PER_INSPECTOR", 3)
    other = InboundEndpoint.objects.create(name="Other")
    client.post(address(other), b"other", "text/plain")
    for number in range(5):
        client.post(address(endpoint), str(number).encode(), "text/plain")
    kept = RequestLog.objects.filter(endpoint=endpoint).values_list("request_body", flat=True)
    assert list(kept) == ["4", "3", "2"]
    assert RequestLog.objects.filter(endpoint=other).count() == 1


def test_clearing_says_how_many(client, endpoint):
    other = InboundEndpoint.objects.create(name="Other")
    for each in (endpoint, endpoint, other):
        client.post(address(each))
    assert clear_requests(endpoint) == 2
    assert only_row().endpoint == other


header_names = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=40)
# What a server hands on: bytes of the wire, read as Latin-1.
wire_text = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))


@pytest.mark.django_db
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=400),
    headers=st.dictionaries(header_names, wire_text, max_size=8),
    query=wire_text,
    method=st.text(min_size=1, max_size=30),
    content_type=wire_text,
)
def test_nothing_that_arrives_ends_in_a_500(endpoint, body, headers, query, method, content_type):
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    request = RequestFactory().generic(method, address(endpoint), body, "text/plain", **meta)
    request.META |= {"QUERY_STRING": query, "CONTENT_TYPE": content_type}
    before = RequestLog.objects.count()
    response = view(request, endpoint.token)
    assert response.status_code in (200, 204)
    assert RequestLog.objects.count() == before + 1
    row = RequestLog.objects.order_by("-pk")[0]
    assert "\0" not in repr([row.url, row.request_headers, row.request_body, row.method])


@pytest.mark.django_db(transaction=True)
def test_raw_bytes_over_a_real_connection_are_recorded(live_server):
    endpoint = InboundEndpoint.objects.create(name="Inspector")
    connection = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=10)
    connection.putrequest("POST", address(endpoint, "?q=%ff%00"))
    connection.putheader("X-Strange", b"caf\xe9 \xf0\x9f\x9a\x82")
    connection.putheader("Content-Length", "3")
    connection.endheaders(b"\xc3(\x00")
    assert connection.getresponse().status == 200
    connection.close()
    assert only_row().request_body == "\ufffd(\ufffd"
