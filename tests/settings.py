"""The settings of the tests: the project's own, with nothing taken from a developer's .env.

DATABASE_URL from the environment is honoured: that is how the suite runs on PostgreSQL.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# A short path: a Unix socket's has at most 107 bytes. A folder of its own for each process lets any number of
# test runs go on side by side in one tree.
RUN_DIR = Path(tempfile.mkdtemp(prefix="signalbox-test-"))
_owner = os.getpid()


@atexit.register
def _remove_run_dir() -> None:
    if os.getpid() == _owner:  # not in a forked child
        shutil.rmtree(RUN_DIR, ignore_errors=True)


os.environ.update(
    ENV_FILE=os.devnull,
    DEBUG="true",
    REDIS_URL=f"unix://{RUN_DIR}/redis.sock",
    MEDIA_ROOT=str(RUN_DIR / "media"),
    LOG_LEVEL="WARNING",
)
for name in ("ALLOWED_HOSTS", "EMAIL_URL", "OUTBOUND_PROXY", "PUBLIC_URL", "PORT", "TIME_ZONE"):
    os.environ.pop(name, None)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

# A file, not memory: threads and real workers share it with the tests.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(RUN_DIR / "test.sqlite3")}

# A slow hash protects real passwords; here it would only slow the tests down.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
