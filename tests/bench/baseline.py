"""What is compared with: a bare loop of threads over one `requests.Session`, with nothing else to do."""

import queue
import threading
import time

import requests
from requests.adapters import HTTPAdapter

THREADS = 16


def bare_rate(url: str, headers: dict[str, str], body: bytes, count: int) -> float:
    """Requests per second."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
    tasks: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    for number in [*range(count), *[None] * THREADS]:
        tasks.put(number)

    def loop() -> None:
        while tasks.get() is not None:
            session.post(url, data=body, headers=headers, timeout=30).content  # noqa: B018

    threads = [threading.Thread(target=loop) for _ in range(THREADS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (time.perf_counter() - started)
