"""Another system that calls us: `python -m tests.bench.caller URL COUNT CONNECTIONS [PER_SECOND]`.

As quick as it is answered, or at a steady rate. Prints JSON: rate, milliseconds per call, and how often which status.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from urllib.parse import urlsplit


class Caller:
    def __init__(self, url: str, count: int, per_second: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path
        self._count, self._per_second = count, per_second
        self._next = 0
        self.calls_ms: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def run(self, connections: int) -> float:
        """Seconds for all calls."""
        self._began_at = time.perf_counter()
        await asyncio.gather(*(self._connection() for _ in range(connections)))
        return time.perf_counter() - self._began_at

    async def _connection(self) -> None:
        reader = writer = None
        while self._next < self._count:
            number, self._next = self._next, self._next + 1
            due = self._began_at + number / self._per_second if self._per_second else 0.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            began_at = max(due, 0.0) or time.perf_counter()
            if writer is None or reader is None:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            writer.write(self._request(number))
            status, stays = await self._answer(reader)
            self.calls_ms.append((time.perf_counter() - began_at) * 1000)
            self.statuses[status] += 1
            if not stays:
                writer.close()
                reader = writer = None

    def _request(self, number: int) -> bytes:
        body = json.dumps(
            {
                "id": f"order-{number}",
                "email": "jane@example.com",
                "amount": number,
                "items": [{"sku": "A-1", "count": 2}],
            }
        ).encode()
        head = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bool]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        await reader.readexactly(int(headers.get("content-length", "0")))
        return int(lines[0].split(" ")[1]), headers.get("connection") != "close"


def main() -> None:
    url, count, connections, *rest = sys.argv[1:]
    caller = Caller(url, int(count), float(rest[0]) if rest else 0.0)
    seconds = asyncio.run(caller.run(int(connections)))
    told = {"rate": int(count) / seconds, "calls_ms": caller.calls_ms, "statuses": caller.statuses}
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
