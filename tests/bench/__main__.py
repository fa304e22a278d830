"""`python -m tests.bench`: every figure, on SQLite and, where Debian's `pg_virtualenv` is there, on PostgreSQL.

Each database gets a run of its own in a process of its own, with a Redis of its own; one line for each figure.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from config import redis_server


def main() -> int:
    if os.environ.get("BENCH_DATABASE"):
        return _run()
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
        codes = [_start("SQLite", Path(folder), [])]
        if shutil.which("pg_virtualenv"):
            codes.append(_start("PostgreSQL", Path(folder), ["pg_virtualenv"]))
        else:
            print("PostgreSQL: pg_virtualenv is not installed, so it is left out.")  # noqa: T201
    return max(codes)


def _start(database: str, folder: Path, wrapper: list[str]) -> int:
    """Run the figures for one database in a process of its own."""
    redis_folder = folder / database
    redis_folder.mkdir()
    socket = redis_folder / "redis.sock"
    environment = {
        **os.environ,
        "BENCH_DATABASE": database,
        # As in production: with DEBUG Django writes down every statement.
        "DEBUG": "false",
        "HTTPS_ONLY": "false",
        "SECRET_KEY": "for benchmarks only, " * 4,
        "ENV_FILE": os.devnull,
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "REDIS_URL": f"unix://{socket}",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    redis = subprocess.Popen(
        redis_server.command(socket=socket, folder=redis_folder, durable=False),
        stdout=subprocess.DEVNULL,
    )
    try:
        command = [*wrapper, sys.executable, "-m", "tests.bench", *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        redis.terminate()
        redis.wait()


def _run() -> int:
    database = os.environ["BENCH_DATABASE"]
    if database == "PostgreSQL":
        server = {name: os.environ[name] for name in ("PGUSER", "PGPASSWORD", "PGHOST", "PGPORT")}
        os.environ["DATABASE_URL"] = (
            "postgres://{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/postgres".format(**server)
        )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from tests.bench import (
        deliveries,
        endurance,
        fairness,
        history,
        inbound,
        latency,
        matching,
        runs,
        saves,
        scaling,
    )

    rooms = {
        "latency": latency,
        "saves": saves,
        "deliveries": deliveries,
        "runs": runs,
        "inbound": inbound,
        "matching": matching,
        "scaling": scaling,
        "fairness": fairness,
        "endurance": endurance,
        "history": history,
    }
    chosen = [name for name in sys.argv[1:] if name in rooms] or list(rooms)
    short = 0
    for name in chosen:
        for figure in rooms[name].figures(database):
            print(figure, flush=True)  # noqa: T201
            short += not figure.holds
    return int(short > 0)


if __name__ == "__main__":
    sys.exit(main())
