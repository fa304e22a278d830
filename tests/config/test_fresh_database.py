"""What the suite's own database can't show: the first start, when there are no tables yet."""

import os
import subprocess
import sys

from django.conf import settings


def test_an_empty_database_can_be_migrated_and_filled_with_the_demo(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/fresh.sqlite3",
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
    }
    finished = subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "The demo is loaded" in finished.stdout
    assert "Traceback" not in finished.stderr
