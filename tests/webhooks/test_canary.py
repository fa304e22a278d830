"""No value of a secret is anywhere: each is a canary, used everywhere, and looked for everywhere.

Real workers send to a receiver that repeats everything; then the whole database, Redis, the logs and the pages
are searched, for the values and for all their usual spellings.
"""

import base64
import html
import json
import logging
import re
import secrets
from io import StringIO
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import NoReverseMatch, reverse

from config.queues import ring
from records.models import User
from tests.waiting import wait_until
from tests.webhooks.echoing import echo_server
from tests.webhooks.hostile import OK, Authority, answering, serving
from tests.webhooks.jobs_at_hand import an_event
from webhooks import vault
from webhooks.models import InboundEndpoint, RequestLog, Secret, Webhook, WebhookJob
from webhooks.secret_services import create_secret, fingerprint, rotate_secret
from webhooks.subscriptions import make_job

WAYS = (
    "as-it-is", "json", "json-twice", "quoted", "plus", "html", "hex", "base64", "base64-lines",
    "base64-url", "decoded", "python", "cut", "garbage", "fails",
)  # fmt: skip


def random_text():
    return secrets.token_hex(12)


def needles_of(value):
    """A value and its usual spellings; of base64, what is sure of it wherever it stands in a longer text."""
    escaped = [json.dumps(value, ensure_ascii=flag)[1:-1] for flag in (True, False)]
    found = {
        value, *escaped, json.dumps(escaped[0])[1:-1], quote(value), quote(value, safe=""),
        quote_plus(value), html.escape(value),
    }  # fmt: skip
    for text in (value, escaped[1]):
        data = text.encode()
        found |= {data.hex(), data.hex().upper()}
        for offset, unsure in ((0, 0), (1, 2), (2, 3)):
            encoded = base64.b64encode(b"\0" * offset + data).decode()
            sure = encoded[unsure : (offset + len(data)) * 8 // 6]
            found |= {sure, sure.translate(str.maketrans("+/", "-_"))}
    # Halves too: what is cut off or quoted in part is also told.
    half = len(value) * 2 // 3
    return {needle for needle in found | {value[:half], value[-half:]} if len(needle) >= 8}


def key_lines(value):
    """The lines of a private key that follows a certificate."""
    _, begin, key = value.partition("-----BEGIN PRIVATE KEY-----\n")
    return [line for line in key.splitlines() if not line.startswith("-")] if begin else []


class Canaries:
    """The secrets, by name, and where they were found."""

    def __init__(self):
        self.values = {}
        self.found = []
        self._needles = {}

    def add(self, name, value="", kind="text"):
        _, generated = create_secret(name=name, value=value, kind=kind)
        self.values[name] = value or generated

    def rotate(self, name):
        _, generated = rotate_secret(secret=Secret.objects.get(name=name))
        self.values[f"{name} (new)"] = generated

    def search(self, where, text):
        """`text` may be bytes."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        match = self._pattern().search(data)
        if match:
            name = self._needles[match.group()]
            self.found.append((where, name, data[max(0, match.start() - 60) : match.end() + 60]))

    def _pattern(self):
        if len(self._needles) == 0:
            for name, value in self.values.items():
                bare = value.removeprefix("whsec_").removeprefix("whsk_")
                # Of a certificate the private key, line by line: the rest is public.
                secret_parts = key_lines(bare) or [bare]
                for part in secret_parts:
                    self._needles |= {needle.encode(): name for needle in needles_of(part)}
            self._regex = re.compile(b"|".join(map(re.escape, self._needles)))
        return self._regex


@pytest.fixture
def canaries(transactional_db, tmp_path):
    vault.forget_keyring()
    kept = Canaries()
    # With its blank, quotes, backslash and letters it has another spelling in each encoding.
    kept.add("token", f"sk_live_{random_text()}")
    kept.add("odd", f'pä"ss\\w/or<d>&+% {random_text()}')
    kept.add("password", f"pass:word/{random_text()}=")
    kept.add("pem", f"-----BEGIN KEY-----\n{random_text()}\n{random_text()}\n-----END KEY-----")
    kept.add("hmac_key", f"It's {random_text()}")
    kept.add("broken_header", f"{random_text()}\r\nX-Injected: 1")
    kept.add("no_address", f"gopher{random_text()}:{random_text()}")
    kept.add("signing", kind="symmetric")
    kept.add("ed", kind="ed25519")
    kept.add("certificate", Authority(tmp_path).issue_pem("client"), kind="cert")
    kept.rotate("signing")
    kept.rotate("ed")
    return kept


def row(name, value, kind="string"):
    return {"name": name, "value": value, "type": kind}


def make_webhooks(url, demanding, canaries):
    """One for each way of using a secret, and of failing with it."""
    canaries.add("address", f"{url}/services/{random_text()}/as-it-is?key={random_text()}")
    canaries.add("dead_address", f"http://127.0.0.1:1/{random_text()}")
    canaries.add("host", f"h{random_text()}")
    headers = [row("X-First", "{{ secrets.token }}"), row("X-Odd", "k={{ secrets.token }};")]
    everywhere = {
        "path_params": [row("id", "{{ secrets.odd }}")],
        "query_params": [row("key", "{{ secrets.token }}")],
        "headers": headers,
        "body_kind": "json",
        "body": json.dumps(
            {"odd": "{{ secrets.odd }}", "pem": "{{ secrets.pem }}", "both": "{{ secrets.token }}!"}
        ),
        "signing_secret": "signing",
    }
    bearer = {"kind": "bearer", "secret": "token"}
    basic = {"kind": "basic", "username": "us er", "secret": "password"}
    hmac = {"kind": "hmac", "header": "X-Sig", "prefix": "sha256=", "secret": "hmac_key"}
    header = {"kind": "header", "header": "X-Api-Key", "prefix": "Key ", "secret": "token"}
    for way in WAYS:
        auth = {"json": bearer, "base64-lines": basic, "hex": header}.get(way, basic)
        yield f"everywhere, {way}", {**everywhere, "url": f"{url}/{{id}}/{way}", "auth": auth}
    text = {
        "body_kind": "text",
        "body": "{{ secrets.pem }} {{ secrets.odd }} {{ secrets.hmac_key }}",
    }
    rows = {
        "body_kind": "rows",
        "body_rows": [row("a", "{{ secrets.odd }}"), row("b", '["{{ secrets.pem }}"]', "json")],
    }
    form = {"headers": [row("Content-Type", "application/x-www-form-urlencoded")]}
    yield "text, hmac", {**text, "url": f"{url}/as-it-is", "auth": hmac}
    yield "form", {**text, **form, "url": f"{url}/as-it-is", "signing_secret": "ed"}
    yield "rows", {**rows, "url": f"{url}/json", "auth": header, "signing_secret": "ed"}
    yield "moved", {"url": f"{url}/moved/json", "headers": headers, "max_redirects": 3}
    yield "address", {**text, "url": "{{ secrets.address }}", "auth": bearer}
    yield (
        "address with more",
        {"url": "{{ secrets.address }}", "query_params": [row("more", "{{ secrets.odd }}")]},
    )
    yield "dead address", {"url": "{{ secrets.dead_address }}", "headers": headers}
    yield "no address", {"url": "{{ secrets.no_address }}"}
    yield "unknown host", {"url": "https://{{ secrets.host }}.invalid/x", "auth": bearer}
    yield "strange host", {"url": "https://{{ secrets.odd }}/x", "auth": bearer}
    yield (
        "header with a line break",
        {"url": f"{url}/json", "headers": [row("X", "{{ secrets.broken_header }}")]},
    )
    yield "not in headers", {"url": f"{url}/json", "headers": [row("X", "{{ secrets.odd }}")]}
    yield (
        "missing",
        {"url": f"{url}/json", "auth": {"kind": "bearer", "secret": "tokn"}, "headers": headers},
    )
    yield "not a text", {"url": f"{url}/json", "body_kind": "text", "body": "{{ secrets.signing }}"}
    yield (
        "worked with",
        {"url": f"{url}/json", "headers": [row("X", "{{ secrets.token | upper }}")]},
    )
    yield (
        "mistaken",
        {"url": f"{url}/{{secrets.token}}", "body_kind": "text", "body": "{{ record.nmae }}"},
    )
    tls = url.replace("http:", "https:")
    yield "certificate, no TLS there", {"url": f"{tls}/json", "client_certificate": "certificate"}
    yield "certificate, http", {"url": f"{url}/json", "client_certificate": "certificate"}
    yield (
        "certificate as text",
        {"url": f"{url}/json", "body_kind": "text", "body": "{{ secrets.certificate }}"},
    )
    yield "certificate as key", {"url": f"{url}/json", "signing_secret": "certificate"}
    yield (
        "certificate, expected",
        {"url": demanding, "client_certificate": "certificate", "signing_secret": "signing"},
    )
    yield "filtered", {"url": f"{url}/json", "filter": "secrets.token == 'x'"}


@pytest.mark.faults
def test_no_value_of_a_secret_is_anywhere(canaries, spawn_worker, redis, client, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    authority = Authority(tmp_path)
    with (
        echo_server() as (url, seen),
        serving(answering(OK), tls=authority.demanding_context("127.0.0.1")) as demanding,
    ):
        jobs = send_all(url, demanding.url, canaries, spawn_worker)
        worker_log = "".join(path.read_text() for path in tmp_path.glob("worker-*.log"))
        # It would be easy to find nothing if nothing had been there.
        received = "".join(seen)
        canaries.search("what was received", received)
        assert len(canaries.found) == 1
        canaries.found.clear()
        assert key_lines(canaries.values["certificate"])
        for name in ("token", "odd", "pem", "hmac_key"):
            assert canaries.values[name] in received, name
        assert (
            base64.b64encode(f"us er:{canaries.values['password']}".encode()).decode() in received
        )
        kinds = set(RequestLog.objects.values_list("error_kind", flat=True))
        assert {"", "connect", "dns", "invalid", "protocol", "secret", "tls"} <= kinds, kinds
        assert "••••" in "".join(RequestLog.objects.values_list("response_body", flat=True))
        visit_pages(canaries, client, jobs)

    search_database(canaries)
    search_redis(canaries, redis)
    canaries.search("the worker's log", worker_log)
    canaries.search("our own log", caplog.text)
    export = StringIO()
    call_command("dumpdata", exclude=["django_rq"], stdout=export)
    canaries.search("an export", export.getvalue())
    assert canaries.found == []


def send_all(url, demanding, canaries, spawn_worker):
    jobs = []
    for name, values in make_webhooks(url, demanding, canaries):
        webhook = Webhook.objects.create(
            name=name, event="record.updated", retry_delays_s=[0], **values
        )
        jobs.append(make_job(webhook, an_event(), "record.updated"))
    for job in jobs:
        job.save()
    spawn_worker("deliveries", LOG_LEVEL="DEBUG", OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8")
    ring("deliveries")
    wait_until(
        lambda: not WebhookJob.objects.filter(status__in=["pending", "sending"]).exists(),
        timeout_s=40,
    )
    return jobs


def visit_pages(canaries, client, jobs):
    """Every page that has to do with secrets, jobs or requests, and forms with mistakes in them."""
    client.force_login(User.objects.create_superuser("boss", password="x"))

    def visit(where, response):
        assert response.status_code in (200, 302), where
        canaries.search(where, response.content)
        canaries.search(f"{where} (headers)", str(response.headers) + str(response.cookies))

    for model in (
        "secret",
        "webhook",
        "webhookjob",
        "requestlog",
        "destination",
        "inboundendpoint",
    ):
        try:
            address = reverse(f"admin:webhooks_{model}_changelist")
        except NoReverseMatch:  # there is no such page yet
            continue
        visit(address, client.get(address))
    for secret in Secret.objects.all():
        for name in ("change", "history", "delete"):
            visit(
                f"{secret} {name}",
                client.get(reverse(f"admin:webhooks_secret_{name}", args=[secret.pk])),
            )
    for log in RequestLog.objects.all():
        visit("request", client.get(reverse("admin:webhooks_requestlog_change", args=[log.pk])))
    for job in jobs:
        address = reverse("admin:webhooks_webhookjob_change", args=[job.pk])
        edit = reverse("admin:webhooks_webhookjob_edit", args=[job.pk])
        visit(f"job {job.webhook_name}", client.get(address))
        visit(
            f"edit {job.webhook_name}",
            client.get(edit, follow=True),
        )
        visit(
            "webhook", client.get(reverse("admin:webhooks_webhook_change", args=[job.webhook_id]))
        )
        visit(
            "preview", client.post(reverse("admin:webhooks_webhook_preview"), form_of(job.webhook))
        )
    visit_inspector(canaries, client)
    refused = {"name": "No Name", "kind": "text", "value": canaries.values["token"]}
    visit("refused form", client.post(reverse("admin:webhooks_secret_add"), refused))
    halved = canaries.values["certificate"][:-200]
    refused = {"name": "half", "kind": "cert", "value": halved}
    visit("refused certificate", client.post(reverse("admin:webhooks_secret_add"), refused))
    signing = Secret.objects.get(name="signing")
    form = {"overlap_h": "24", "value": canaries.values["token"], "seen": fingerprint(signing)}
    visit(
        "refused rotation",
        client.post(reverse("admin:webhooks_secret_rotate", args=[signing.pk]), form, follow=True),
    )


def form_of(webhook):
    """The form of a webhook as its page sends it."""
    form = {
        "webhook_id": webhook.pk,
        "signing_secret": webhook.signing_secret,
        "client_certificate": webhook.client_certificate,
    }
    for name in ("name", "event", "filter", "method", "url", "body_kind", "body", "timeout_s"):
        form[name] = getattr(webhook, name)
    for name in ("path_params", "query_params", "headers", "body_rows"):
        for part in ("name", "value", "type"):
            form[f"{name}-{part}"] = [each.get(part, "string") for each in getattr(webhook, name)]
    return form | {f"auth_{part}": value for part, value in webhook.auth.items()}


def visit_inspector(canaries, client):
    """An inspector is a receiver too, and keeps what arrives."""
    endpoint = InboundEndpoint.objects.create(name="Inspector")
    values = canaries.values
    client.post(
        f"/api/webhooks/inspector/{endpoint.token}?key={quote(values['token'])}&x={quote(values['odd'])}",
        json.dumps({"token": values["token"], "odd": values["odd"], "pem": values["pem"]}),
        content_type="application/json",
        headers={
            "Authorization": f"Bearer {values['token']}",
            "X-Key": values["token"],
            "X-Basic": base64.b64encode(f"u:{values['password']}".encode()).decode(),
        },
    )
    page = client.get(reverse("admin:webhooks_inboundendpoint_change", args=[endpoint.pk]))
    assert "••••" in page.content.decode()
    canaries.search("inspector", page.content)


def search_database(canaries):
    """Every column of every table as text; of SQLite also the files, where what was deleted may linger."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        assert "webhooks_requestlog" in tables
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            for values in cursor.fetchall():
                for value in values:
                    text = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value)
                    canaries.search(f"table {table}", text)
    if connection.vendor == "sqlite":
        name = Path(str(settings.DATABASES["default"]["TEST"]["NAME"]))
        name = Path(str(connection.settings_dict["NAME"])) if not name.exists() else name
        files = list(name.parent.glob(f"{name.name}*"))
        assert files
        for path in files:
            canaries.search(f"file {path.name}", path.read_bytes())


def search_redis(canaries, redis):
    keys = list(redis.scan_iter("*"))
    assert keys
    for key in keys:
        canaries.search("a key of Redis", key)
        kind = redis.type(key).decode()
        read = {
            "string": lambda key: redis.get(key),
            "hash": lambda key: redis.hgetall(key),
            "list": lambda key: redis.lrange(key, 0, -1),
            "set": lambda key: redis.smembers(key),
            "zset": lambda key: redis.zrange(key, 0, -1),
            "stream": lambda key: redis.xrange(key),
        }[kind]
        canaries.search(f"Redis {key!r}", repr(read(key)))
