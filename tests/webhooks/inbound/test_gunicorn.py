"""The whole way through a real gunicorn: broken bytes end in a 4xx, and a burst loses nothing."""

import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from tests.waiting import wait_until
from tests.webhooks.hostile import gzip_bomb

_PREPARE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from records.ids import new_id
from records.models import User
from webhooks.inbound.endpoints import endpoint_for_automation
User.objects.create_superuser("admin", password="for this test only")
print(endpoint_for_automation(new_id("auto"), "Orders").path)
"""
_LOOK = """
import django
django.setup()
from django.test import Client
from records.models import User
from webhooks.models import RequestLog
client = Client(HTTP_HOST="localhost")
client.force_login(User.objects.get())
pages = [f"{pk}/change/" for pk in RequestLog.objects.values_list("pk", flat=True)[:60]]
for page in ["", "?q=script", *pages]:
    answer = client.get(f"/admin/webhooks/requestlog/{page}")
    assert answer.status_code == 200, page
    assert "<script>" not in answer.content.decode().partition("content-main")[2].partition("</main>")[0]
print(len(pages))
"""


def environment_of(database, **values):
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "false",
        "HTTPS_ONLY": "false",
        "SECRET_KEY": "for this test only, " * 4,
        "ENV_FILE": os.devnull,
        "LOG_LEVEL": "ERROR",
        "VAR_DIR": str(database.parent),
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": settings.REDIS_URL,
        **values,
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """(port, path, database) of an installation of its own, with its defaults."""
    folder = tmp_path_factory.mktemp("site")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = folder / "site.sqlite3"
    environment = environment_of(database, PORT=str(port))
    prepared = subprocess.run(
        [sys.executable, "-c", _PREPARE],
        cwd=settings.BASE_DIR, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "config.wsgi"],
        cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def answers():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    wait_until(answers, what="gunicorn")
    yield port, prepared.stdout.split()[-1], database
    process.terminate()
    process.wait(20)


def exchange(port, data):
    """Bytes as they are; the status that comes back, 0 for none."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sender:
        sender.sendall(data)
        sender.shutdown(socket.SHUT_WR)
        answer = sender.recv(64)
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else 0


def request(path, *headers, body=b"", method="POST"):
    head = [f"{method} {path} HTTP/1.1".encode(), b"Host: 127.0.0.1", *headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def with_length(path, body, *headers):
    return request(path, *headers, b"Content-Length: %d" % len(body), body=body)


def in_chunks(body):
    pieces = [body[start : start + 60_000] for start in range(0, len(body), 60_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])


JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
BOMB = in_chunks(gzip_bomb(20))


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([JSON, b"Content-Length: 2"], b"{}", 202),
        ([JSON, CHUNKED], b"2\r\n{}\r\n0\r\n\r\n", 202),
        ([JSON, b"Content-Length: 9"], b"{}", 400),
        ([JSON, CHUNKED], b"zz\r\n{}\r\n0\r\n\r\n", 400),
        ([JSON, CHUNKED], b"2\r\n{", 400),
        ([JSON, b"Content-Length: 99999999999"], b"{}", 413),
        ([b"Content-Type: \xff\xfe", b"Content-Length: 2"], b"{}", 400),
        ([b"X-Strange: \xf0\x9f\x9a\x82 \xe9", b"Content-Length: 0"], b"", 202),
        ([b"webhook-id: \xff\xff", b"Content-Length: 0"], b"", 202),
        ([b"Content-Encoding: gzip", b"Content-Length: 2"], b"{}", 400),
        ([b"Content-Length: x"], b"{}", 400),
        ([b"Content-Length: 1", b"Content-Length: 2"], b"{}", 400),
        ([b"Content-Length: -1"], b"{}", 400),
        ([JSON, CHUNKED, b"Content-Length: 2"], b"2\r\n{}\r\n0\r\n\r\n", 400),
        ([JSON, CHUNKED], b"\xff\xfe\0\0" * 50, 400),
        ([JSON, CHUNKED], b"-2\r\n{}\r\n0\r\n\r\n", 400),
        ([JSON, CHUNKED], b"fffffffffffffffffff\r\n{}\r\n", 400),
        ([JSON, CHUNKED], b"2;" + b"x" * 9_000 + b"\r\n{}\r\n0\r\n\r\n", 202),
        ([JSON, b"Transfer-Encoding: gzip"], b"{}", 400),
        ([JSON, b"Content-Encoding: gzip", CHUNKED], BOMB, 413),
        ([b"Content-Type: text/plain; charset=\0", b"Content-Length: 1"], b"x", 400),
        ([b"X-A: a\0b", b"Content-Length: 0"], b"", 400),
        ([b"X-A", b"Content-Length: 0"], b"", 400),
        ([b"X\xff: a", b"Content-Length: 0"], b"", 400),
        ([b"X-A: 1", b"x-a: 2", b"X-A: 3", b"Content-Length: 0"], b"", 202),
        ([b"Webhook-Id: 1", b"webhook-id: 2", b"Content-Length: 0"], b"", 202),
        ([b"X-%d: v" % n for n in range(500)], b"", 431),
        ([b"X-A: " + b"v" * 20_000], b"", 431),
    ],
)
def test_broken_bytes_are_told_what_is_wrong(site, headers, body, status):
    port, path, _ = site
    assert exchange(port, request(path, *headers, body=body)) == status
    assert exchange(port, with_length(path, b"{}", JSON)) == 202


@pytest.mark.parametrize("query", [b"?%", b"?%ff=%00", b"?a=b;c", b"?" + b"&" * 900, b"?\xff"])
def test_any_query_is_taken_or_refused(site, query):
    port, path, _ = site
    status = exchange(
        port, b"POST " + path.encode() + query + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    )
    assert status in (202, 400, 413)


def test_of_a_burst_nothing_is_lost(site):
    port, path, database = site

    def deliver(number):
        body = json.dumps({"burst": number}).encode()
        return exchange(port, with_length(path, body, JSON, b"webhook-id: burst-%d" % number))

    with ThreadPoolExecutor(16) as callers:
        statuses = list(callers.map(deliver, range(200)))
    assert statuses == [202] * 200
    with sqlite3.connect(database) as connection:
        stored = connection.execute(
            "SELECT count(*) FROM records_event WHERE after LIKE '%burst%'"
        ).fetchone()
    assert stored == (200,)


@pytest.mark.parametrize(
    "line",
    [b"POST", b"POST  HTTP/1.1", b"\0", b"POST /\xff HTTP/9.9", b"POST " + b"/x" * 9_000 + b" HTTP/1.1",
     b"PO\0ST / HTTP/1.1",
     b"POST /api/webhooks/form/%00%ff/../x HTTP/1.1"],
)  # fmt: skip
def test_any_request_line_is_refused(site, line):
    port, path, _ = site
    assert 400 <= exchange(port, line + b"\r\nHost: 127.0.0.1\r\n\r\n") < 500
    assert exchange(port, with_length(path, b"{}", JSON)) == 202


def test_who_leaves_in_the_middle_harms_nobody(site):
    port, path, _ = site
    for end in (10, 60, 120):
        whole = with_length(path, b'{"n": 1}' * 20, JSON)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sender:
            sender.sendall(whole[:end])
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert exchange(port, with_length(path, b"{}", JSON)) == 202


def test_the_page_of_everything_that_was_stored_opens(site):
    """Also of what the tests above have left."""
    port, path, database = site
    exchange(port, with_length(path + "?a=<script>", b"\xff\0", b"X-A: \xff<script>"))
    looked = subprocess.run(
        [sys.executable, "-c", _LOOK],
        # In development pages need no static files that were collected.
        cwd=settings.BASE_DIR, env=environment_of(database, DEBUG="true"),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert int(looked.stdout) >= 1
