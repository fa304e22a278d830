"""A copied command sends what was sent, whatever characters it has."""

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from webhooks.curl import curl_command

NASTY = """it's "quoted" $HOME `id` $(id) \\n !! & | ; # é 日本 \t
second line's end\\"""


def arguments(command: str) -> list[str]:
    """What bash makes of the command."""
    script = "curl() { printf '%s\\0' curl \"$@\"; }; " + command
    result = subprocess.run(["bash"], input=script.encode(), capture_output=True, check=True)
    return result.stdout.decode().split("\0")[:-1]


def test_headers_url_and_body_survive_the_shell() -> None:
    command = curl_command(
        method="POST",
        url="https://example.com/a?b='c'&d=$e",
        headers=[("X-Note", "it's $HOME"), ("Content-Type", "application/json")],
        body=NASTY,
    )

    assert arguments(command) == [
        "curl", "--globoff", "--request", "POST", "https://example.com/a?b='c'&d=$e",
        "--header", "X-Note: it's $HOME", "--header", "Content-Type: application/json",
        "--data-binary", NASTY,
    ]  # fmt: skip


@pytest.mark.parametrize("text", [NASTY, "'", "''", "\\", "\n\n", "-", "--data", "a" * 99_000])
def test_bash_reads_the_body_as_it_is(text: str) -> None:
    command = curl_command(method="POST", url="https://example.com/", headers=[], body=text)
    assert arguments(command)[-1] == text


def test_no_body_sends_no_data() -> None:
    command = curl_command(method="GET", url="https://example.com/", headers=[])

    assert arguments(command) == ["curl", "--globoff", "--request", "GET", "https://example.com/"]


def test_a_body_that_begins_with_an_at_sign_is_no_file_name() -> None:
    command = curl_command(
        method="POST", url="https://example.com/", headers=[], body="@/etc/passwd"
    )

    assert arguments(command)[-2:] == ["--data-raw", "@/etc/passwd"]


def test_a_client_certificate_is_a_file_of_its_name() -> None:
    command = curl_command(
        method="GET", url="https://example.com/", headers=[], certificate="partner_cert"
    )

    assert arguments(command)[-2:] == ["--cert", "./partner_cert.pem"]


def test_an_empty_header_is_sent_empty() -> None:
    command = curl_command(method="GET", url="https://example.com/", headers=[("X-Empty", "")])

    assert arguments(command)[-1] == "X-Empty;"


def test_a_body_without_content_type_gets_none_from_curl() -> None:
    command = curl_command(method="POST", url="https://example.com/", headers=[], body="x")

    assert "Content-Type:" in arguments(command)


class _Recorder(http.server.BaseHTTPRequestHandler):
    seen: list[tuple[str, str, dict[str, str], bytes]]

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path, dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    do_PUT = _take  # noqa: N815  (the name that http.server looks for)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    seen: list[Any] = []
    handler = type("Handler", (_Recorder,), {"seen": seen})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("body", [NASTY, "@not-a-file", "x" * 150_000])
def test_curl_really_sends_the_same_request(receiver: tuple[str, list[Any]], body: str) -> None:
    origin, seen = receiver
    command = curl_command(
        method="PUT",
        url=f"{origin}/list[0]/{{a}}?q=it's",
        headers=[("X-Note", 'it\'s "$HOME"'), ("X-Empty", "")],
        body=body,
    )

    script = f"{command} --silent --noproxy '*'"
    subprocess.run(["bash"], input=script.encode(), check=True, timeout=20)

    method, path, headers, received = seen[0]
    assert (method, path, received) == ("PUT", "/list[0]/{a}?q=it's", body.encode())
    assert headers["X-Note"] == 'it\'s "$HOME"'
    assert headers["X-Empty"] == ""
    assert "Content-Type" not in headers
