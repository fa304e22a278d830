"""How gunicorn serves the pages: `gunicorn --config python:config.gunicorn config.wsgi`."""

from typing import Any

from config import settings

bind = (
    f"[{settings.HOST}]:{settings.PORT}"
    if ":" in settings.HOST
    else f"{settings.HOST}:{settings.PORT}"
)
# Threads of gunicorn's own kind (gthread), with deadlines for senders that drip.
worker_class = "config.web_worker.PatientWorker"
# Two processes use two cores; threads wait for the database and for inbound calls that want an answer.
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
# Loaded once, shared by all processes.
preload_app = True
timeout = 60
graceful_timeout = 8
keepalive = 5
accesslog = None  # the request log that matters is in the database
loglevel = "warning"
control_socket_disable = True


def when_ready(server: Any) -> None:
    """Say where Signalbox is, and on a development machine how to get in."""
    lines = ["", f"  Signalbox runs at {settings.PUBLIC_URL}"]
    if settings.DEBUG:
        lines += [
            f"  Log in as admin or demo, password: {settings.DEMO_PASSWORD}",
            f"  The admin is at {settings.PUBLIC_URL}/admin/",
        ]
    print("\n".join([*lines, ""]), flush=True)  # noqa: T201
