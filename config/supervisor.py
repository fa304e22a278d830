"""`python -m config.supervisor`, the heart of `make run`: prepares the database, then runs the Procfile.

One terminal shows everything. A process that ends is started again; Ctrl-C, SIGTERM or the terminal's closing
stops them all in good order, and nothing stays behind, not even when this process is killed with -9.
"""

import ctypes
import fcntl
import os
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR: Final = Path(__file__).resolve().parent.parent

# Workers end within three seconds and gunicorn lets requests finish; after this, patience ends.
GRACE_S: Final = 10.0
# A process that fails again and again is started ever more slowly; one that lasted starts afresh at once.
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 10.0
LASTED_S: Final = 10.0
_POLL_S: Final = 0.1
# Started first and stopped last, because the others use it.
DOORBELL: Final = "redis"
_COLOURS: Final = (36, 32, 35, 33, 34)
_PR_SET_PDEATHSIG: Final = 1


@dataclass
class Child:
    """One line of the Procfile and the process it currently is."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    rest_of_line: bytes = b""
    colour: int = 0


@dataclass
class Supervisor:
    """Runs children until `stop` is called, which a signal does."""

    out: TextIO
    width: int = 8
    stopping: bool = False
    impatient: bool = False
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Once: in good order. Again: at once."""
        self.impatient = self.stopping
        self.stopping = True

    def run_once(self, child: Child, *, beside: Iterable[Child] = ()) -> int:
        """Run a child to its end, with others running beside it, and return its exit code."""
        self._start(child)
        while not _has_ended(child):
            if self.stopping:
                self._stop([child])
                return 1
            for other in beside:
                self._keep(other)
            self._relay()
        return self._reap(child)

    def run(self, children: Iterable[Child]) -> None:
        """Keep all children running until it is time to stop."""
        while not self.stopping:
            for child in children:
                self._keep(child)
            self._relay()
        self._say("Stopping …")

    def shut_down(self, children: list[Child]) -> None:
        self._stop([child for child in children if child.name != DOORBELL])
        self._stop([child for child in children if child.name == DOORBELL])

    def _keep(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
        elif child.process.poll() is not None:
            child.pause_s = (
                FIRST_PAUSE_S
                if now - child.started_at >= LASTED_S
                else min(child.pause_s * 2, LONGEST_PAUSE_S)
            )
            child.start_at = now + child.pause_s
            how = _ending(self._reap(child))
            self._say(f"{child.name} {how}; it starts again in {child.pause_s:g} s")

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603  (the Procfile's commands)
            child.command,
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own: the terminal's Ctrl-C comes to us alone, and we can clear away what it leaves.
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )
        child.started_at = time.monotonic()
        assert child.process.stdout is not None
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _reap(self, child: Child) -> int:
        """After its end: its last words, its exit code, and whatever it left running."""
        process, child.process = child.process, None
        assert process is not None and process.stdout is not None  # noqa: PT018
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._selector.unregister(process.stdout)
        os.set_blocking(process.stdout.fileno(), False)
        self._print(child, process.stdout.read() or b"")
        process.stdout.close()
        return process.wait()

    def _stop(self, children: Iterable[Child]) -> None:
        running = [child for child in children if child.process is not None]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while running:
            self._relay()
            for child in [child for child in running if _has_ended(child)]:
                self._reap(child)
                running.remove(child)
            if running and (self.impatient or time.monotonic() >= deadline):
                for child in running:
                    self._say(f"{child.name} did not stop; it is killed")
                    _signal(child, signal.SIGKILL)

    def _relay(self) -> None:
        """Print what the children have to say; returns soon also when they say nothing."""
        if not self._selector.get_map():
            time.sleep(_POLL_S)
        for key, _ in self._selector.select(_POLL_S):
            read = os.read(key.fd, 65536)
            if read:
                self._print(key.data, read)
            else:  # closed; the exit is noticed elsewhere
                time.sleep(_POLL_S / 10)

    def _print(self, child: Child, read: bytes) -> None:
        *lines, child.rest_of_line = (child.rest_of_line + read).split(b"\n")
        for line in lines:
            self._write(child.name, child.colour, line.decode(errors="replace"))

    def _say(self, text: str) -> None:
        self._write("", 0, text)

    def _write(self, name: str, colour: int, text: str) -> None:
        label = f"{name:{self.width}}| " if name else ""
        if colour:
            label = f"\033[{colour}m{label}\033[0m"
        with suppress(OSError, ValueError):  # the terminal may be gone
            print(f"{label}{text}", file=self.out, flush=True)


def _signal(child: Child, signum: int) -> None:
    if child.process is not None:
        with suppress(ProcessLookupError):
            child.process.send_signal(signum)


def _has_ended(child: Child) -> bool:
    return child.process is None or child.process.poll() is not None


def _ending(code: int) -> str:
    return (
        f"ended with {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    )


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel stops a child whose parent was killed; elsewhere there is no such thing."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask_kernel


def read_procfile(text: str, *, own_redis: bool, workers: int) -> Iterator[Child]:
    """The children of a Procfile: as many workers as wanted, and no Redis where there is another one."""
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    for number, (name, _, command) in enumerate(lines):
        if name == DOORBELL and not own_redis:
            continue
        copies = workers if name == "worker" else 1
        for copy in range(1, copies + 1):
            colour = _COLOURS[number % len(_COLOURS)] if sys.stdout.isatty() else 0
            label = name if copies == 1 else f"{name}.{copy}"
            yield Child(label, shlex.split(command), colour=colour)


def prepare_environment() -> None:
    """What the children find in their environment; without any configuration this is a development machine."""
    environ.Env().read_env(os.environ.get("ENV_FILE") or BASE_DIR / ".env")
    if "SECRET_KEY" not in os.environ:
        os.environ.setdefault("DEBUG", "true")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["PYTHONUNBUFFERED"] = "1"


def main() -> int:
    prepare_environment()
    try:
        from config import settings
    except ImproperlyConfigured as error:
        return _refuse(str(error))
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _refuse("Signalbox runs already in this folder.")
        if not _is_free(settings.HOST, settings.PORT):
            return _refuse(f"Port {settings.PORT} is taken. Choose another: PORT=8001 make run")
        supervisor = Supervisor(sys.stdout)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, supervisor.stop)
        children = list(
            read_procfile(
                (BASE_DIR / "Procfile").read_text(),
                own_redis="REDIS_URL" not in os.environ,
                workers=settings.WORKERS,
            )
        )
        prepare = Child("prepare", [sys.executable, "manage.py", "prepare"])
        try:
            code = supervisor.run_once(
                prepare, beside=[child for child in children if child.name == DOORBELL]
            )
            if code and not supervisor.stopping:
                return code
            supervisor.run(children)
        finally:
            supervisor.shut_down(children)
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return 1


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
