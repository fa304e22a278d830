"""Senders that mean harm: no 500, and nothing is stored that breaks a page of the admin afterwards."""

import gzip
import json
from urllib.parse import quote

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automations.models import Run
from records.models import Event, Record, Upload
from tests.automations.making import step, work
from tests.records.making import make_object
from tests.webhooks.hostile import gzip_bomb
from tests.webhooks.inbound.making import make_form, make_listener
from webhooks.inbound import logbook
from webhooks.models import InboundEndpoint, RequestLog

pytestmark = pytest.mark.django_db

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def parts(*contents: str) -> bytes:
    return b"".join(b"--x\r\n" + each.encode() + b"\r\n" for each in contents) + b"--x--\r\n"


def a_file(name: str, content: str = "x") -> str:
    return f'Content-Disposition: form-data; name="cv"; filename="{name}"\r\n\r\n{content}'


def a_field(name: str, value: str = "x") -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'


# (content type, body, further headers, query); what a server hands on: bytes of the wire, read as Latin-1.
HOSTILE = {
    "NUL in JSON": (JSON, b'{"name": "a\\u0000b", "\\u0000": 1}', {}, ""),
    "NUL in bytes": (JSON, b'{"name": "\0"}', {}, ""),
    "halves of characters": (JSON, b'{"name": "\\ud800", "\\udfff": ["\\udc00\\ud800"]}', {}, ""),
    "no UTF-8": (JSON, b'{"name": "\xff\xfe"}', {}, ""),
    "encoded surrogates": (JSON, b'{"name": "\xed\xa0\x80"}', {}, ""),
    "overlong UTF-8": ("text/plain", b"\xc0\xaf\xc0\x80", {}, ""),
    "UTF-16": (JSON, '{"name": "\U0001f682"}'.encode("utf-16"), {}, ""),
    "half a UTF-16 character": (JSON, b"\xff\xfe\x3d\xd8", {}, ""),
    "deep arrays": (JSON, b"[" * 100_000, {}, ""),
    "deep objects": (JSON, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, {}, ""),
    "as deep as may be": (JSON, b"[" * 32 + b"]" * 32, {}, ""),
    "keys that come twice": (JSON, b'{"name": "a", "name": {"name": 1, "name": 2}}', {}, ""),
    "NaN": (JSON, b'{"name": NaN}', {}, ""),
    "Infinity": (JSON, b"[Infinity, -Infinity]", {}, ""),
    "beyond a float": (JSON, b'{"name": 1e400, "amount": -1e999}', {}, ""),
    "a huge integer": (JSON, b"9" * 5_000, {}, ""),
    "an integer as long as may be": (JSON, b'{"amount": %s}' % (b"9" * 100), {}, ""),
    "many items": (JSON, json.dumps([0] * 20_000).encode(), {}, ""),
    "many keys": (JSON, json.dumps({str(n): n for n in range(9_000)}).encode(), {}, ""),
    "a key of a megabyte": (JSON, json.dumps({"k" * 900_000: 1}).encode(), {}, ""),
    "keys of Python": (JSON, b'{"__class__": 1, "__proto__": {"x": 1}, "items": [], "": 0}', {}, ""),
    "a template": (JSON, b'{"name": "{{ 7 * 7 }}{% raise %}{{ secrets.hub }}"}', {}, ""),
    "markup": (JSON, b'{"name": "<script>alert(1)</script>", "<b>": "\\"onerror=x"}', {}, ""),
    "the wrong direction": (JSON, '{"name": "\u202egnp.exe\u200b\ufeff"}'.encode(), {}, ""),
    "no JSON": (JSON, b"\x80\x02}q\0.", {}, ""),
    "XML that expands": (
        "application/xml",
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', {}, "",
    ),
    "a gzip bomb": (JSON, gzip_bomb(50), {"content-encoding": "gzip"}, ""),
    "gzip in gzip": (JSON, gzip.compress(gzip.compress(b"{}")), {"content-encoding": "gzip"}, ""),
    "gzip twice": (JSON, gzip.compress(gzip.compress(b"{}")), {"content-encoding": "gzip, gzip"}, ""),
    "gzip without an end": (JSON, gzip.compress(b"{}")[:-3], {"content-encoding": "gzip"}, ""),
    "many gzip members": (JSON, gzip.compress(b"") * 5_000, {"content-encoding": "gzip"}, ""),
    "multipart without a boundary": ("multipart/form-data", parts(a_field("name")), {}, ""),
    "another boundary": ("multipart/form-data; boundary=y", parts(a_field("name")), {}, ""),
    "a boundary of line breaks": ('multipart/form-data; boundary="\r\n"', b"--\r\n", {}, ""),
    "a boundary of a thousand": (f"multipart/form-data; boundary={'x' * 1000}", b"--x", {}, ""),
    "10,000 parts": (MULTIPART, parts(*[a_field("name")] * 10_000), {}, ""),
    "10,000 boundaries": (MULTIPART, b"--x\r\n" * 10_000, {}, ""),
    "parts without an end": (MULTIPART, b"--x\r\nContent-Disposition: form-data", {}, ""),
    "a part without a name": (MULTIPART, parts("Content-Disposition: form-data\r\n\r\nx"), {}, ""),
    "files up the tree": (MULTIPART, parts(a_field("name"), a_file("../../../etc/passwd")), {}, ""),
    "files with NUL": (MULTIPART, parts(a_field("name"), a_file("a\0b.txt", "\0\1")), {}, ""),
    "a file of Windows": (MULTIPART, parts(a_field("name"), a_file("C:\\..\\con.txt")), {}, ""),
    "a file called nothing": (MULTIPART, parts(a_field("name"), a_file("..")), {}, ""),
    "a file with a long name": (MULTIPART, parts(a_field("name"), a_file("x" * 5_000)), {}, ""),
    "a file of line breaks": (
        MULTIPART, parts(a_field("name"), a_file("a%0d%0aX-A: 1.txt\u2028")), {}, "",
    ),
    "a file and a field of one name": (MULTIPART, parts(a_field("cv"), a_file("a"), a_file("b")), {}, ""),
    "a field of NUL": (MULTIPART, parts(a_field("na\0me", "\0")), {}, ""),
    "a part of another charset": (
        MULTIPART,
        parts('Content-Disposition: form-data; name="name"\r\nContent-Type: a/b; charset=x\r\n\r\nx'),
        {}, "",
    ),
    "a form of NUL": (FORM, b"name=%00&%00=%ff&=&&==", {}, ""),
    "a form of a million fields": (FORM, b"a&" * 500_000, {}, ""),
    "an unknown charset": ("text/plain; charset=\x01", b"x", {}, ""),
    "a charset of Python": ("text/plain; charset=unicode_escape", b"\\ud800", {}, ""),
    "a charset that unpacks": ("text/plain; charset=zlib_codec", b"x", {}, ""),
    "no content type": ("\xff/\xff; =;;", b"x", {}, ""),
    "a long content type": ("a/" + "b" * 5_000, b"x", {}, ""),
    "headers of Latin-1": (JSON, b"{}", {"x-strange": "\xff\xfe\x80", "user-agent": "\xf0\x9f\x9a\x82"}, ""),
    "headers of NUL": (JSON, b"{}", {"webhook-id": "\0", "x-a": "a\0b"}, ""),
    "a delivery of a megabyte": (JSON, b"{}", {"webhook-id": "x" * 1_000_000}, ""),
    "the id of another job": (JSON, b"{}", {"webhook-id": "job_" + "0" * 26}, ""),
    "a depth that is none": (JSON, b"{}", {"signalbox-depth": "\u0663, -1, 1e9, 9999999999999999999"}, ""),
    "many headers": (JSON, b"{}", {f"x-{n}": "v" for n in range(3_000)}, ""),
    "an origin": (JSON, b"{}", {"origin": "http://[::1"}, ""),
    "markup in headers": (JSON, b"{}", {"user-agent": "<script>alert(1)</script>"}, ""),
    "a query of NUL": (JSON, b"{}", {}, "%00=%00&%ff=%fe&a=\xff\0"),
    "a query of markup": (JSON, b"{}", {}, quote("<script>") + "=<script>"),
    "a query of many": (JSON, b"{}", {}, "a&" * 1_001),
    "a long query": (JSON, b"{}", {}, "a=" + "x" * 20_000),
    "a length that lies": (JSON, b"{}", {"content-length": "999"}, ""),
    "a length that is no number": (JSON, b"{}", {"content-length": "\xb2"}, ""),
    "a length below nothing": (JSON, b"{}", {"content-length": "-5"}, ""),
    "a length of many digits": (JSON, b"{}", {"content-length": "9" * 5_000}, ""),
    "chunks that nobody ends": (JSON, b"2\r\n{", {"transfer-encoding": "chunked"}, ""),
}  # fmt: skip


@pytest.fixture
def paths(settings, tmp_path):
    """Of an endpoint of each kind."""
    settings.MEDIA_ROOT = tmp_path / "media"
    fields = (
        {"slug": "name"}, {"slug": "amount", "kind": "number"}, {"slug": "cv", "kind": "file"},
        {"slug": "extra", "kind": "json"},
    )  # fmt: skip
    leads = make_object("leads", *fields, stages="new")
    form = make_form(object=leads, duplicate_key="webhook.body.name")
    keep = step("set_variables", "s1", variables={"all": "{{ webhook }}"})
    _, endpoint = make_listener(keep)
    endpoint.per_minute = endpoint.per_address_per_minute = None
    endpoint.save()
    return {
        "automation": endpoint.path,
        "test": "/api" + endpoint.test_url.partition("/api")[2],
        "form": form.path,
        "inspector": InboundEndpoint.objects.create(name="Inspector").path,
    }


def answer_to(client, path, content_type, body, headers, query, method="POST"):
    meta = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    if "content-length" in headers:
        meta["CONTENT_LENGTH"] = meta.pop("HTTP_CONTENT_LENGTH")
    meta["QUERY_STRING"] = query
    return client.generic(method, path, body, content_type, **meta)


def open_every_page(admin_client):
    """Of everything that is stored."""
    pages = [
        reverse("admin:webhooks_requestlog_changelist"),
        reverse("admin:webhooks_requestlog_changelist") + "?q=name",
    ]
    for name, model in (
        ("webhooks_requestlog", RequestLog),
        ("webhooks_inboundendpoint", InboundEndpoint),
        ("records_event", Event),
        ("records_record", Record),
        ("automations_run", Run),
    ):
        pages += [
            reverse(f"admin:{name}_change", args=[pk])
            for pk in model.objects.values_list("pk", flat=True)
        ]
    for url in pages:
        response = admin_client.get(url, follow=True)
        assert response.status_code == 200, url
        text = response.content.decode()
        assert "<script>alert(1)" not in text
        assert "\0" not in text


@pytest.mark.parametrize("kind", ["automation", "test", "form", "inspector"])
def test_no_500_and_every_page_opens_afterwards(client, admin_client, paths, kind):
    for name, request in HOSTILE.items():
        logbook._buckets.clear()  # it would not keep so many refusals at once
        answer = answer_to(client, paths[kind], *request)
        assert answer.status_code < 500 or answer.status_code == 508, name
    work()
    assert not Run.objects.filter(status="running").exists()
    assert RequestLog.objects.count() >= len(HOSTILE) - 1  # the same delivery twice is refused, too
    open_every_page(admin_client)


def test_files_are_kept_under_names_that_lead_nowhere(client, paths, settings):
    for name in (
        "files up the tree",
        "files with NUL",
        "a file of Windows",
        "a file called nothing",
    ):
        answer_to(client, paths["form"], *HOSTILE[name])
    uploads = list(Upload.objects.all())
    assert uploads
    for upload in uploads:
        assert upload.file.path.startswith(str(settings.MEDIA_ROOT))
        assert not {"/", "\\", "\0"} & set(upload.name)


# What a server hands on of any bytes.
wire = st.binary(max_size=120).map(lambda raw: raw.decode("latin-1"))
text = st.text(max_size=60)
# What becomes JSON of anything that Python can write.
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
bodies = (
    st.binary(max_size=300)
    | values.map(lambda value: json.dumps(value).encode())
    | values.map(lambda value: json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
    | st.lists(st.sampled_from([a_field("name"), a_file("a/../b"), "\0", "--x", "--x--"]), max_size=4)
    .map(lambda contents: parts(*contents))
)  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["automation", "test", "form", "inspector"]),
    body=bodies,
    content_type=st.sampled_from([JSON, FORM, MULTIPART, "text/plain", ""]) | wire,
    headers=st.dictionaries(
        st.sampled_from(
            ["webhook-id", "accept", "origin", "user-agent", "x-a", "content-encoding"]
        ),
        wire,
        max_size=4,
    ),
    query=wire,
)
def test_whatever_arrives_its_page_opens(
    client, admin_client, paths, kind, body, content_type, headers, query
):
    logbook._buckets.clear()
    assert answer_to(client, paths[kind], content_type, body, headers, query).status_code < 500
    row = RequestLog.objects.order_by("-pk").first()
    if row is None:
        return
    assert "\0" not in repr([row.url, row.request_headers, row.request_body, row.error])
    for url in (
        reverse("admin:webhooks_requestlog_change", args=[row.pk]),
        reverse("admin:webhooks_requestlog_changelist"),
    ):
        assert admin_client.get(url).status_code == 200
