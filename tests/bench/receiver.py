"""A receiver for the benchmarks, a process of its own: as quick as Python can be, or with a delay.

`python -m tests.bench.receiver [DELAY_MS]` prints its port. It notes when each `webhook-id` first arrived, on the
clock that all processes of a machine share (CLOCK_MONOTONIC). `GET /arrivals` tells and forgets them.
"""

import asyncio
import json
import sys
import time

_ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
)
_arrivals: dict[str, float] = {}


class Receiver(asyncio.Protocol):
    """Just enough HTTP/1.1: keep-alive, Content-Length bodies, no pipelining."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        headers = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        length = int(headers.get(b"content-length", b"0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._answer(head, headers)

    def _answer(self, head: bytes, headers: dict[bytes, bytes]) -> None:
        if head.startswith(b"GET /arrivals"):
            body = json.dumps(_arrivals).encode()
            _arrivals.clear()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            return
        name = headers.get(b"webhook-id", b"").decode()
        _arrivals.setdefault(name, time.monotonic())
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._transport.write, _ANSWER)
        else:
            self._transport.write(_ANSWER)


async def main(delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Receiver(delay_s), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  (the parent reads it)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0))
