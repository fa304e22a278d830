import io
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError

import pytest
from django.conf import settings

from config import supervisor as room
from config.supervisor import Child, Supervisor, read_procfile
from tests.waiting import wait_until

PROCFILE = """
redis: python -m config.redis_server
web: gunicorn --config 'python:config.gunicorn' config.wsgi
worker: python manage.py worker
"""


def shell(name: str, script: str) -> Child:
    return Child(name, ["/bin/sh", "-c", script])


@pytest.fixture
def run() -> Iterator[Callable[..., tuple[Supervisor, io.StringIO]]]:
    """Run children under a supervisor in a thread; they are shut down after the test."""
    running: list[tuple[Supervisor, threading.Thread]] = []

    def start(*children: Child) -> tuple[Supervisor, io.StringIO]:
        out = io.StringIO()
        supervisor = Supervisor(out)

        def work() -> None:
            supervisor.run(children)
            supervisor.shut_down(list(children))

        thread = threading.Thread(target=work)
        thread.start()
        running.append((supervisor, thread))
        return supervisor, out

    yield start
    for supervisor, thread in running:
        supervisor.stop()
        thread.join(15)
        assert not thread.is_alive()


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody has collected yet does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# --- the Procfile ----------------------------------------------------------------------------


def test_the_procfile_becomes_children() -> None:
    children = list(read_procfile(PROCFILE, own_redis=True, workers=1))

    assert [child.name for child in children] == ["redis", "web", "worker"]
    assert children[1].command == ["gunicorn", "--config", "python:config.gunicorn", "config.wsgi"]


def test_an_own_redis_is_not_started_when_there_is_another() -> None:
    children = read_procfile(PROCFILE, own_redis=False, workers=1)

    assert [child.name for child in children] == ["web", "worker"]


def test_there_are_as_many_workers_as_wanted() -> None:
    children = read_procfile(PROCFILE, own_redis=True, workers=2)

    assert [child.name for child in children] == ["redis", "web", "worker.1", "worker.2"]


# --- keeping children ------------------------------------------------------------------------


def test_what_a_child_says_is_printed_with_its_name(run: Callable) -> None:
    _, out = run(shell("web", "echo hello; printf 'no newline'; exec sleep 60"))

    wait_until(lambda: "hello" in out.getvalue())

    assert out.getvalue() == "web     | hello\n"


def test_a_child_that_was_killed_starts_again(
    run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    child = shell("worker", "echo begun; exec sleep 60")
    child.pause_s = 0.01
    _, out = run(child)
    wait_until(lambda: "begun" in out.getvalue())

    os.kill(child.process.pid, signal.SIGKILL)

    wait_until(lambda: out.getvalue().count("begun") == 2)
    assert "worker ended with SIGKILL; it starts again in" in out.getvalue()


def test_a_child_that_keeps_failing_is_started_ever_more_slowly(run: Callable) -> None:
    child = shell("web", "exit 3")
    child.pause_s = 0.01
    _, out = run(child)

    wait_until(lambda: out.getvalue().count("ended with exit code 3") >= 3)

    assert "again in 0.02 s" in out.getvalue()
    assert "again in 0.04 s" in out.getvalue()
    assert "again in 0.08 s" in out.getvalue()


def test_what_a_killed_child_left_running_is_cleared_away(run: Callable, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = shell("web", f"sleep 60 & echo $! > {note}.new; mv {note}.new {note}; wait")
    run(child)
    wait_until(note.exists)
    grandchild = int(note.read_text())
    assert is_alive(grandchild)

    os.kill(child.process.pid, signal.SIGKILL)

    wait_until(lambda: not is_alive(grandchild), what="The grandchild's end")


def test_stopping_lets_children_end_in_good_order(run: Callable) -> None:
    supervisor, out = run(
        shell("redis", "trap 'echo redis ends; exit' TERM; echo up; while :; do sleep .05; done"),
        shell(
            "web", "trap 'sleep .3; echo web ends; exit' TERM; echo up; while :; do sleep .05; done"
        ),
    )
    wait_until(lambda: out.getvalue().count("up") == 2)

    supervisor.stop()

    wait_until(lambda: "redis ends" in out.getvalue())
    assert out.getvalue().index("web ends") < out.getvalue().index("redis ends")


def test_a_child_that_does_not_stop_is_killed(
    run: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "GRACE_S", 0.2)
    child = shell("web", "trap '' TERM; echo up; while :; do sleep .05; done")
    supervisor, out = run(child)
    wait_until(lambda: "up" in out.getvalue())
    pid = child.process.pid

    supervisor.stop()

    wait_until(lambda: not is_alive(pid))
    assert "web did not stop; it is killed" in out.getvalue()


# --- the whole house -------------------------------------------------------------------------


class House:
    """`python -m config.supervisor` with a folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.log = folder / "log"
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "DEBUG", "LOG_LEVEL", "MEDIA_ROOT"}
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor"],
                cwd=settings.BASE_DIR,
                env={
                    **environment,
                    "DJANGO_SETTINGS_MODULE": "config.settings",
                    "VAR_DIR": str(folder / "var"),
                    "PORT": str(self.port),
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.status == 200
        except (URLError, OSError):
            return False

    def processes(self) -> dict[int, str]:
        """All processes that have this house's folder in their environment, or work in it: their command lines.

        (Redis writes over its own environment, and works in the folder.)
        """
        mark = f"VAR_DIR={self.folder}/var".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                at_home = (folder / "cwd").readlink().is_relative_to(self.folder)
                if at_home or mark in (folder / "environ").read_bytes():
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if line:  # not a zombie
                        found[int(folder.name)] = line
        return found

    def pid_of(self, what: str) -> int:
        return next((pid for pid, line in self.processes().items() if what in line), 0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    for pid in house.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    house.process.wait()


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"DEBUG": "false"}, "SECRET_KEY is not set."),
        ({"PORT": "taken"}, "is taken. Choose another: PORT=8001 make run"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_a_line(
    tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "config.supervisor"],
            cwd=settings.BASE_DIR,
            env={
                "PATH": os.environ["PATH"],
                "ENV_FILE": os.devnull,
                "VAR_DIR": str(tmp_path),
                **{name: value.replace("taken", port) for name, value in environment.items()},
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.faults
def test_make_run_survives_kills_and_leaves_nothing_behind(house: House) -> None:
    wait_until(house.serves, what="The first page", timeout_s=60)
    assert "Log in as admin or demo, password: demo" in house.log.read_text()

    for what in ("manage.py worker", "redis-server", "config.gunicorn"):
        killed = house.pid_of(what)
        assert killed
        os.kill(killed, signal.SIGKILL)
        wait_until(
            lambda what=what, killed=killed: house.pid_of(what) not in (0, killed), what=what
        )
    wait_until(house.serves, what="The page after the kills")

    house.process.send_signal(signal.SIGINT)

    assert house.process.wait(15) == 0
    assert house.processes() == {}


@pytest.mark.faults
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_make_run_ends_all_of_it(house: House, signum: signal.Signals) -> None:
    wait_until(house.serves, what="The first page", timeout_s=60)

    house.process.send_signal(signum)

    house.process.wait(15)
    wait_until(lambda: not house.processes(), what="The end of all processes")
