"""A receiver that repeats all that it is sent, in every way it can think of."""

import base64
import html
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, quote_plus, unquote

KEPT = 64 * 1024


class Echo(BaseHTTPRequestHandler):
    """The last step of the path says how: /as-it-is, /json, /base64, /cut, /garbage, …"""

    protocol_version = "HTTP/1.1"
    seen: list[str] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        head = f"{self.command} {self.path}\n" + "".join(
            f"{name}: {value}\n" for name, value in self.headers.items()
        )
        text = head + "\n" + body.decode("utf-8", "replace")
        self.seen.append(text)
        how = self.path.partition("?")[0].rstrip("/").rpartition("/")[2]
        if how == "garbage":  # no HTTP: an error quotes how it begins
            self.wfile.write(self.headers.get("X-First", "garbage").encode() + b" and more\r\n\r\n")
            self.close_connection = True
            return
        status, answer = self._answer(how, text, body)
        self._send(status, answer, self.headers.get("X-First", ""))

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, how: str, text: str, body: bytes) -> tuple[int, bytes]:
        ways = {
            "json": lambda: json.dumps({"request": text}),
            "json-twice": lambda: json.dumps({"request": json.dumps({"data": text})}),
            "quoted": lambda: quote(text, safe=""),
            "plus": lambda: quote_plus(text),
            "html": lambda: html.escape(text),
            "hex": lambda: text.encode().hex(),
            "base64": lambda: base64.b64encode(text.encode()).decode(),
            "base64-lines": lambda: "\n".join(
                base64.b64encode(line.encode()).decode() for line in text.splitlines()
            ),
            "base64-url": lambda: base64.urlsafe_b64encode(text.encode()).decode(),
            "decoded": lambda: unquote(text),
            "python": lambda: repr({"headers": list(self.headers.items()), "body": body}),
        }
        if how == "cut":  # where the answer is cut off, the value is in half
            value = self.headers.get("X-First", "")
            return 200, b"." * (KEPT - len(value) // 2 - 3) + value.encode() + b"." * 5000
        if how in ways:
            return 200, ways[how]().encode()
        return (500 if how == "fails" else 200), text.encode()

    def _send(self, status: int, answer: bytes, echo: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        if echo.isascii():
            self.send_header("X-Echo", echo)
            self.send_header("X-Echo-Base64", base64.b64encode(echo.encode()).decode())
        if status == 200 and self.path.startswith("/moved"):
            self.send_header("Location", f"ftp://elsewhere.invalid/{quote(echo, safe='')}")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def echo_server() -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it has been sent so far."""
    Echo.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Echo.seen
    finally:
        server.shutdown()
        server.server_close()
