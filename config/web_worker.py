"""The web process's threads, and the senders that would keep them waiting."""

from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from webhooks.intake.patience import watch

# A thread waits for a request's headers without end, and `timeout` is about the process, not its threads: a sender
# for each thread, with a byte a minute, would hold them all. A connection on which nothing comes at all gives its
# thread back after 5 seconds (gunicorn does that), so this is longer.
HEADERS_WITHIN_S: Final = 10.0
# For the body that a page reads; endpoints of webhooks are less patient. Once everything is read, it only means that
# the connection is not used again.
BODY_WITHIN_S: Final = 120.0


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's own worker, whose senders have so long and no longer."""

    def handle(self, conn: Any) -> Any:
        conn.patience = watch(conn.sock, for_s=HEADERS_WITHIN_S)
        try:
            return super().handle(conn)
        finally:
            conn.patience.end()

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The headers are there."""
        conn.patience.end()
        conn.patience = watch(conn.sock, for_s=BODY_WITHIN_S)
        return super().handle_request(req, conn)
