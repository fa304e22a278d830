"""A receiver that remembers: `python -m tests.faults.receiver` prints its port and notes every request it got whole.

How it answers is written in the address: `/hook?delay_ms=50&fail=2&status=503` waits, and answers the first two
arrivals of each `webhook-id` with that status. `?hold` answers nothing until `GET /release`.
`GET /arrivals` tells all arrivals so far, in order, on the clock that all processes of a machine share.
"""

import asyncio
import json
import time
from collections import Counter
from urllib.parse import parse_qs, urlsplit

_arrivals: list[dict[str, object]] = []
_times: Counter[str] = Counter()
_released = asyncio.Event()


class Receiver(asyncio.Protocol):
    """Just enough HTTP/1.1: keep-alive, Content-Length bodies, no pipelining."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answers: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._take(lines[0].split(" ")[1], headers)

    def _take(self, address: str, headers: dict[str, str]) -> None:
        url = urlsplit(address)
        if url.path == "/arrivals":
            self._write(200, json.dumps(_arrivals).encode())
        elif url.path == "/release":
            _released.set()
            self._write(200, b"{}")
        else:
            self._note(url.query, headers)

    def _note(self, query: str, headers: dict[str, str]) -> None:
        options = {name: values[0] for name, values in parse_qs(query, True).items()}
        job_id = headers.get("webhook-id", "")
        _times[job_id] += 1
        _arrivals.append({"job_id": job_id, "at": time.monotonic()})
        failing = _times[job_id] <= int(options.get("fail", "0"))
        status = int(options.get("status", "500")) if failing else 200
        task = asyncio.create_task(self._answer(status, options))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, status: int, options: dict[str, str]) -> None:
        if "hold" in options:
            await _released.wait()
        if "delay_ms" in options:
            await asyncio.sleep(int(options["delay_ms"]) / 1000)
        self._write(status, b'{"ok":true}')

    def _write(self, status: int, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (status, len(body))
            + body
        )


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  (the parent reads it)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
