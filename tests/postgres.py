"""`python -m tests.postgres …`: pytest on PostgreSQL, on DATABASE_URL's server or a throw-away cluster.

The cluster is made by Debian's pg_virtualenv, which says by PGHOST, PGPORT, PGUSER and PGPASSWORD where it is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote


def main(arguments: list[str]) -> int:
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return _pytest(arguments)
    if status := os.environ.pop("PYTEST_STATUS_FILE", ""):
        os.environ["DATABASE_URL"] = _url_of_cluster()
        Path(status).write_text(str(_pytest(arguments)))
        return 0
    return _in_new_cluster(arguments)


def _pytest(arguments: list[str]) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def _in_new_cluster(arguments: list[str]) -> int:
    cluster = shutil.which("pg_virtualenv")
    if cluster is None:
        sys.exit(
            "There is no PostgreSQL to test on: install it (on Debian: apt-get install postgresql), "
            "or name in DATABASE_URL a server and a user who may create databases."
        )
    options = ["-t", "-c", "--locale=C.UTF-8 --encoding=UTF8"]
    # Nothing of what is written there has to survive: no waiting for the disk.
    for name in ("full_page_writes", "synchronous_commit"):
        options += ["-o", f"{name}=off"]
    with tempfile.TemporaryDirectory() as folder:
        # By a file, because pg_virtualenv ends a failure with a hundred lines of the server's log.
        status = Path(folder) / "status"
        subprocess.run(
            [cluster, *options, sys.executable, "-m", "tests.postgres", *arguments],
            env={**os.environ, "PYTEST_STATUS_FILE": str(status)},
            check=False,
        )
        return int(status.read_text()) if status.exists() else 1


def _url_of_cluster() -> str:
    user, password = (quote(os.environ[name], safe="") for name in ("PGUSER", "PGPASSWORD"))
    return f"postgres://{user}:{password}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/postgres"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
