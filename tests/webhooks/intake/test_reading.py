"""A body is read within bounds of size and time, and whatever is wrong with it is said in words."""

import contextlib
import gzip
import http.client
import io
import socket
import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.waiting import wait_until
from webhooks.intake.reading import gunzip, read_body
from webhooks.intake.refusals import (
    LengthRequired,
    Malformed,
    Refusal,
    TooLarge,
    TooSlow,
    UnsupportedMedia,
)


class Wire(io.RawIOBase):
    """A server's input that tells how much of it was read, and breaks where it is told to."""

    def __init__(self, data, error=None):
        self._stream = io.BytesIO(data)
        self._error = error
        self.was_read = 0

    def read(self, size=-1):
        piece = self._stream.read(size)
        if not piece and self._error:
            raise self._error
        self.was_read += len(piece)
        return piece


def request_of(data=b"", *, length=None, error=None, **meta):
    wire = Wire(data, error)
    environ = RequestFactory()._base_environ(REQUEST_METHOD="POST", **meta)
    environ["wsgi.input"] = wire
    environ["CONTENT_LENGTH"] = str(len(data)) if length is None else length
    return WSGIRequest(environ), wire


def chunked(data=b"", error=None):
    more = {"wsgi.input_terminated": True}
    return request_of(data, length="", error=error, HTTP_TRANSFER_ENCODING="Chunked", **more)


def read(request, max_bytes=1000, deadline_s=5):
    return read_body(request, max_bytes=max_bytes, deadline_s=deadline_s)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_a_body_is_read_whole(size):
    assert read(request_of(b"x" * size)[0]) == b"x" * size
    assert read(chunked(b"x" * size)[0]) == b"x" * size


def test_a_body_of_several_pieces_is_read_whole():
    data = bytes(range(256)) * 1024
    assert read(request_of(data)[0], max_bytes=len(data)) == data
    assert read(chunked(data)[0], max_bytes=len(data)) == data


def test_what_is_announced_too_large_is_not_read_at_all():
    request, wire = request_of(b"x" * 1001)
    with pytest.raises(TooLarge, match="more than 1000 bytes"):
        read(request)
    assert wire.was_read == 0


def test_of_what_is_not_announced_no_more_is_read_than_must_be():
    request, wire = chunked(b"x" * 1_000_000)
    with pytest.raises(TooLarge):
        read(request)
    assert wire.was_read == 1001


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣", "1 2", "+5"])
def test_a_length_that_is_no_number_is_refused(length):
    with pytest.raises(Malformed, match="Content-Length"):
        read(request_of(b"x", length=length)[0])


def test_a_length_of_thousands_of_digits_is_too_large():
    with pytest.raises(TooLarge):
        read(request_of(b"x", length="9" * 10_000)[0])


@pytest.mark.parametrize(
    "request_",
    [
        request_of(b"half", length="8")[0],
        request_of(b"half", length="8", error=ConnectionResetError())[0],
        chunked(b"half", error=OSError("no more data"))[0],
        chunked(b"half", error=RuntimeError("a bad trailer"))[0],
    ],
    ids=["short", "reset", "no last chunk", "bad trailer"],
)
def test_a_body_that_ends_early_is_refused(request_):
    with pytest.raises(Malformed, match="ended before it was complete"):
        read(request_)


def test_a_chunked_body_needs_a_server_that_can_read_it():
    with pytest.raises(LengthRequired, match="Content-Length"):
        read(request_of(length="", HTTP_TRANSFER_ENCODING="chunked")[0])


def test_without_a_socket_time_is_looked_at_between_the_pieces(monkeypatch):
    request, wire = request_of(b"x" * 200_000)
    original = wire.read
    monkeypatch.setattr(wire, "read", lambda size=-1: (time.sleep(0.02), original(size))[1])
    request._stream._read = wire.read
    with pytest.raises(TooSlow, match=r"within 0\.01 seconds"):
        read(request, max_bytes=200_000, deadline_s=0.01)
    assert wire.was_read < 200_000


# --- compressed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP ", "identity, gzip"])
def test_gzip_is_unpacked(encoding):
    request, _ = request_of(gzip.compress(b"hello"), HTTP_CONTENT_ENCODING=encoding)
    assert read(request) == b"hello"


@pytest.mark.parametrize("encoding", ["", "identity", " , "])
def test_what_is_not_packed_stays(encoding):
    assert read(request_of(b"hello", HTTP_CONTENT_ENCODING=encoding)[0]) == b"hello"


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "gzip, br", "\0"])
def test_other_encodings_are_refused_before_anything_is_read(encoding):
    request, wire = request_of(b"hello", HTTP_CONTENT_ENCODING=encoding)
    with pytest.raises(UnsupportedMedia) as refused:
        read(request)
    assert refused.value.headers == {"Accept-Encoding": "gzip, identity"}
    assert wire.was_read == 0


def test_a_gzip_body_may_have_a_few_members():
    assert gunzip(gzip.compress(b"a") + gzip.compress(b"b"), max_bytes=2) == b"ab"
    with pytest.raises(Malformed, match="more than 16 members"):
        gunzip(gzip.compress(b"") * 50_000, max_bytes=10)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no gzip", "is not, or was damaged"),
        (zlib.compress(b"x"), "is not, or was damaged"),
        (gzip.compress(b"x" * 99)[:-9], "ended before"),
        (gzip.compress(b"x")[:-8] + b"\0" * 8, "damaged"),
        (gzip.compress(b"x") + b"more", "damaged"),
        (b"\x1f\x8b", "ended before"),
    ],
)
def test_damaged_gzip_is_refused(body, words):
    with pytest.raises(Malformed, match=words):
        gunzip(body, max_bytes=1000)


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
def test_the_limit_is_that_of_the_unpacked_body(size, fits):
    packed = gzip.compress(b"x" * size)
    if fits:
        assert gunzip(packed, max_bytes=1000) == b"x" * size
    else:
        with pytest.raises(TooLarge, match="unpacked"):
            gunzip(packed, max_bytes=1000)


def test_a_bomb_does_not_go_off():
    packer = zlib.compressobj(9, wbits=31)
    megabyte = bytes(1024 * 1024)
    bomb = b"".join(packer.compress(megabyte) for _ in range(200)) + packer.flush()
    assert len(bomb) < 1024 * 1024
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            read(request_of(bomb, HTTP_CONTENT_ENCODING="gzip")[0], max_bytes=1024 * 1024)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


@hypothesis_settings(deadline=None)
@given(
    st.one_of(st.binary(), st.binary().map(gzip.compress)),
    st.one_of(st.none(), st.text(), st.integers().map(str)),
    st.sampled_from(["", "gzip", "identity", "br"]),
    st.booleans(),
)
def test_fuzzed_requests_are_read_or_refused(data, length, encoding, is_chunked):
    request, _ = request_of(data, length=length, HTTP_CONTENT_ENCODING=encoding)
    if is_chunked:
        request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    with contextlib.suppress(Refusal):
        assert len(read(request, max_bytes=50)) <= 50


# --- over a real gunicorn ------------------------------------------------------------------------

_APPLICATION = """
import django
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"])
django.setup()
from config import web_worker
from django.core.handlers.wsgi import WSGIRequest
from webhooks.intake.reading import read_body
from webhooks.intake.refusals import Refusal

web_worker.HEADERS_WITHIN_S = 0.5
web_worker.BODY_WITHIN_S = 1.0

def application(environ, start_response):
    try:
        if environ["PATH_INFO"] == "/page":
            answer = environ["wsgi.input"].read()
        else:
            answer = read_body(WSGIRequest(environ), max_bytes=200_000, deadline_s=0.5)
        status = "200 OK"
    except Refusal as refused:
        answer, status = refused.words.encode(), f"{refused.status} {refused.kind}"
    size = str(len(answer)).encode()
    start_response(status, [("Content-Length", str(len(size)))])
    return [size]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One process with two threads, as `config.gunicorn` runs them, and less patience."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "patient_app.py").write_text(_APPLICATION)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        f"--bind=127.0.0.1:{port}",
        "--threads=2",
        f"--pythonpath={settings.BASE_DIR},{folder}",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "--worker-class=config.web_worker.PatientWorker",
         "--preload", "--no-control-socket", "patient_app"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def answers():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    wait_until(answers, what="gunicorn")
    yield port
    process.terminate()
    process.wait(20)


def status_of(port, data=b"{}", path="/", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", path, data, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def drip(port, head, each=b"x", every_s=0.05, for_s=5):
    """Send a head and then a byte now and then, until there is an answer or an end; it, and the seconds it took."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=every_s) as sender:
        sender.sendall(head)
        while time.monotonic() - began < for_s:
            try:
                answer = sender.recv(4096)
            except TimeoutError:
                sender.sendall(each)
            except ConnectionError:
                answer = b""
                break
            else:
                break
        else:
            pytest.fail("The sender was not cut off.")
    return answer, time.monotonic() - began


def test_over_the_wire_bodies_come_through(server):
    assert status_of(server, b"x" * 200_000) == 200
    assert status_of(server, (b"x" * 1000 for _ in range(200))) == 200
    assert status_of(server, b"x" * 200_001) == 413
    assert status_of(server, (b"x" * 1000 for _ in range(201))) == 413


@pytest.mark.parametrize(
    ("head", "each"),
    [
        (b"Content-Length: 5000\r\n\r\n", b"x"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n5000\r\n", b"x"),
        (b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"x"),
        (b"Content-Length: 5000\r\n\r\n", b""),
    ],
    ids=["length", "chunks", "one chunk", "trailer", "silence"],
)
def test_a_body_that_drips_is_cut_off_and_answered(server, head, each):
    answer, seconds = drip(server, b"POST / HTTP/1.1\r\nHost: x\r\n" + head, each)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert seconds < 3


def test_headers_that_drip_are_cut_off_and_threads_serve_others(server):
    answer, seconds = drip(server, b"POST / HTTP/1.1\r\nX-Slow: ")
    assert not answer.startswith(b"HTTP/1.1 200")
    assert seconds < 3


def test_a_page_is_not_kept_waiting_for_ever_either(server):
    _, seconds = drip(server, b"POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
    assert seconds < 4


def test_more_dripping_senders_than_threads_hold_up_the_others_only_for_a_while(server):
    senders = [socket.create_connection(("127.0.0.1", server)) for _ in range(4)]
    try:
        for sender in senders:
            sender.sendall(b"POST / HTTP/1.1\r\nX-Slow: ")
        assert status_of(server) == 200
    finally:
        for sender in senders:
            sender.close()


def test_a_connection_serves_again_and_again(server):
    connection = http.client.HTTPConnection("127.0.0.1", server, timeout=20)
    for _ in range(3):
        connection.request("POST", "/", b"{}")
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        time.sleep(0.6)  # longer than there is patience for headers
    connection.close()


def test_a_broken_chunk_is_refused(server):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for broken in (b"zz\r\n", b"1\r\nxx\r\n", b"0\r\nbad trailer\n\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server), timeout=20) as sender:
            sender.sendall(head + broken)
            assert sender.recv(4096).startswith(b"HTTP/1.1 400 ")
