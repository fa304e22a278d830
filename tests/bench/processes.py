"""The processes a benchmark needs beside itself: receivers and workers."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def receiver(delay_ms: int = 0) -> Iterator[str]:
    """A receiver in a process of its own; its URL."""
    command = [sys.executable, "-m", "tests.bench.receiver", str(delay_ms)]
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/hook"


def arrivals_at(url: str) -> dict[str, float]:
    """When each webhook-id first arrived at a receiver since it was last asked, by time.monotonic()."""
    with urllib.request.urlopen(url.replace("/hook", "/arrivals")) as answer:  # noqa: S310
        arrivals: dict[str, float] = json.load(answer)
        return arrivals


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """One worker process, as in production."""
    with running([sys.executable, "manage.py", "worker"]) as process:
        yield process


@contextmanager
def running(command: list[str], stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=stdout, env=os.environ.copy())
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def memory_mb(pid: int) -> float:
    """Resident memory of a process in MB."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)
