"""What every test gets: a real Redis, no way out to the internet, and workers (in process or real ones)."""

import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection
from django.test import TestCase
from redis import Redis
from redis.exceptions import RedisError

from config import queues, redis_server
from records import ids
from tests.settings import RUN_DIR
from tests.waiting import wait_until

# A TypeID's or a UUID's random part.
_RANDOM = re.compile(
    r"[0-9a-hjkmnp-tv-z]{26}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}"
)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """The same tests have to have the same names in every process.

    So what differs from run to run does not name a test: new ids, and compressed bytes, which hold the time.
    """
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return argname
    if isinstance(val, str) and _RANDOM.search(val):
        return _RANDOM.sub("*", val).encode("unicode_escape").decode()
    return None


# --- what a second database has to be tried on --------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only",
        action="store_true",
        help="leave out the tests that know no database: they are the same on every one",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--database-only"):
        return
    chosen = [item for item in items if _knows_a_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _knows_a_database(item)])
    items[:] = chosen


def _knows_a_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    needs = {"db", "transactional_db", "django_db_setup", "live_server"}
    return item.get_closest_marker("django_db") is not None or bool(fixtures & needs)


# --- no internet -----------------------------------------------------------------------------


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = address[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _no_internet() -> Iterator[None]:
    """Sockets may reach this machine only: a test that needs the internet fails instead of being flaky."""

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: socket.socket, address: Any) -> Any:
            if not _is_here(address):
                raise RuntimeError(
                    f"A test tried to reach {address!r}; tests stay on this machine."
                )
            return method(self, address)

        return call

    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        try:
            known = name in (None, "localhost") or bool(ipaddress.ip_address(name))
        except ValueError:
            known = False
        if not known:
            raise socket.gaierror(
                socket.EAI_NONAME, f"Tests do not ask a name server (for {name!r})"
            )
        return real_lookup(host, *args, **kwargs)

    real_lookup = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", lookup)
        yield


# --- time ---


@pytest.fixture(autouse=True)
def _ids_follow_the_clock() -> None:
    """A test that travelled into the future leaves no ids of the future to the next one."""
    ids._last = 0


@pytest.fixture(autouse=True)
def _badges_are_counted_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A count that is kept for some seconds would make the number of queries depend on the time of day."""
    monkeypatch.setattr("config.sidebar._BADGE_TTL_S", 0)


# --- Redis -----------------------------------------------------------------------------------


class RedisProcess:
    """The tests' own Redis server, which a test may stop and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.client = Redis.from_url(settings.REDIS_URL)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is not None:
            return
        line = redis_server.command(socket=self.socket, folder=self.folder, durable=False)
        self._process = subprocess.Popen(line, stdout=subprocess.DEVNULL, start_new_session=True)
        wait_until(self.answers, what="Redis")

    def stop(self) -> None:
        """End it as a crash would; what it knew is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisProcess]:
    server = RedisProcess(RUN_DIR)
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def redis(redis_process: RedisProcess) -> Redis:
    """An empty Redis, whatever the test before did to it."""
    redis_process.start()
    redis_process.client.flushall()
    queues._redis_away_until = 0.0
    return redis_process.client


# --- workers ---------------------------------------------------------------------------------


@pytest.fixture
def drain(db: None, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Answer the bells in this process until none rings: `drain()`, or `drain("events")`.

    Works with `db` as with `transactional_db`. Not for “deliveries”: their bell wakes threads, which see only
    what is committed. That is for `spawn_worker`.
    """

    # Django would close a connection that is within a test's transaction.
    monkeypatch.setattr(queues, "close_old_connections", lambda: None)

    def drain_all(*names: str) -> None:
        names = names or ("events", "runs", "timers", "chores")
        for _ in range(200):
            redis.flushall()
            with TestCase.captureOnCommitCallbacks(execute=True):
                for name in names:
                    if name in queues._on_bell:
                        queues.answer(name)
            queues.sweep()
            if not any(queues.queue_depths()[name] for name in names):
                return
        pytest.fail("The bells do not fall silent: something is due again and again.")

    return drain_all


def database_url() -> str:
    """The DATABASE_URL of the test database, for a process beside the tests."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, password, host = (
        quote(str(database[key]), safe="") for key in ("USER", "PASSWORD", "HOST")
    )
    return f"postgres://{user}:{password}@{host}:{database['PORT'] or 5432}/{database['NAME']}"


class WorkerProcess:
    """A real worker process."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": "config.settings",
                    "DATABASE_URL": database_url(),
                    **environment,
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, timeout_s: float = 10) -> int:
        """Ask it to stop and return its exit code."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        """kill -9: no chance to put anything in order."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def spawn_worker(
    transactional_db: None, redis: Redis, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., WorkerProcess]]:
    """Start real worker processes on the test database: `spawn_worker("deliveries", OUTBOUND_PROXY="…")`.

    `command` replaces `manage.py worker` by something else that calls `run_worker`.
    Returns when the worker listens. What is still running after the test is killed.
    """
    started: list[WorkerProcess] = []

    def spawn(
        *queue_names: str,
        command: Sequence[str] = ("manage.py", "worker"),
        wait: bool = True,
        **environment: str,
    ) -> WorkerProcess:
        log = tmp_path / f"worker-{len(started)}.log"
        worker = WorkerProcess([*command, *queue_names], environment, log)
        started.append(worker)
        if wait:
            wait_until(
                lambda: not worker.is_running() or _listens(redis, worker.pid),
                what="The worker's start",
            )
            if not worker.is_running():
                pytest.fail(f"The worker ended at once:\n{worker.output()}")
        return worker

    yield spawn
    for worker in started:
        if worker.is_running():
            worker.kill()
        request.node.add_report_section("teardown", f"worker {worker.pid}", worker.output())


def _listens(redis: Redis, pid: int) -> bool:
    workers = redis.scan_iter("rq:worker:*", _type="hash")
    return any(redis.hget(key, "pid") == str(pid).encode() for key in workers)
