"""Whatever arrives, at whatever endpoint: an answer, and never a 500."""

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.automations.making import step
from tests.records.making import make_object
from tests.webhooks.inbound.making import make_form, make_listener
from webhooks import views
from webhooks.inbound import logbook
from webhooks.models import RequestLog
from webhooks.secret_services import create_secret
from webhooks.verification import SCHEMES

HEADERS = (
    "webhook-id", "webhook-signature", "webhook-timestamp", "authorization", "origin", "accept", "cookie",
    "x-hub-signature-256", "stripe-signature", "x-slack-signature", "x-slack-request-timestamp", "x-signature",
    "content-encoding", "transfer-encoding", "signalbox-depth",
)  # fmt: skip
CONTENT_TYPES = (
    "application/json", "application/x-www-form-urlencoded", "text/plain; charset=latin-1", "application/xml",
    "multipart/form-data; boundary=x", "text/x; charset=nonsense", "",
)  # fmt: skip
BODIES = (
    b'{"a": "\\ud800\\u0000"}', b'{"a": 1e400}', b"[" * 900, b'{"name": {"id": [1]}}', b"name=%00&name=%ff",
    b'--x\r\nContent-Disposition: form-data; name="cv"; filename="\xff\0"\r\n\r\n\0\r\n--x--',
    b"\xff\xfe{\0}\0", b"1" * 300, b'"\\udfff"', b"-0", b"NaN",
)  # fmt: skip
header_names = st.sampled_from(HEADERS) | st.text(
    "abcdefghijklmnopqrstuvwxyz-0123456789", min_size=1, max_size=40
)
# What a server hands on: bytes of the wire, read as Latin-1.
wire_text = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))
content_types = st.sampled_from(CONTENT_TYPES)
bodies = st.binary(max_size=400) | st.sampled_from(BODIES)


@pytest.mark.django_db
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=bodies,
    headers=st.dictionaries(header_names, wire_text, max_size=8),
    query=wire_text,
    method=st.sampled_from(["POST", "GET", "OPTIONS"]) | st.text(min_size=1, max_size=30),
    content_type=content_types | wire_text,
    scheme=st.sampled_from([*SCHEMES, "none", "none", "none", "none", "none", "none"]),
    is_form=st.booleans(),
    length=st.none() | wire_text,
)
def test_never_a_500(
    endpoints, body, headers, query, method, content_type, scheme, is_form, length
):
    endpoint = endpoints[is_form]
    endpoint.scheme = scheme
    endpoint.save()
    logbook._buckets.clear()
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    request = RequestFactory().generic(method, endpoint.path, body, "text/plain", **meta)
    request.META |= {"QUERY_STRING": query, "CONTENT_TYPE": content_type}
    if length is not None:
        request.META["CONTENT_LENGTH"] = length
    view = views.form if is_form else views.automation
    response = view(request, endpoint.path.rpartition("/")[2])
    assert response.status_code in (
        *(200, 201, 202, 204, 400, 401, 403, 405, 408, 409, 411, 413, 415, 422, 429, 508),
    )
    row = RequestLog.objects.order_by("-pk").first()
    if row is not None:
        stored = repr([row.url, row.request_headers, row.request_body, row.method, row.error])
        assert "\\x00" not in stored


@pytest.fixture
def endpoints(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    create_secret(name="hub", kind="text", value="a-secret-of-some-length-0123456789")
    leads = make_object("leads", {"slug": "name"}, {"slug": "cv", "kind": "file"}, stages="new")
    own = {"scheme_secrets": {"key": "hub"}, "per_minute": None, "per_address_per_minute": None}
    form = make_form(object=leads, honeypot_field="website", duplicate_key="webhook.body", **own)
    set_ = step("set_variables", "s1", variables={"a": "{{ webhook.body }}"})
    return {True: form, False: make_listener(set_, **own)[1]}
