"""`manage.py load_demo`: fill an empty installation with something to try."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand

from webhooks.demo import load_demo


class Command(BaseCommand):
    help = (
        "Load the demo: objects, records, teams, inspectors and webhooks, and where DEBUG is on two logins. "
        "Loaded once; what people change afterwards stays."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with _quiet_bells():
            self.stdout.write(load_demo())


@contextmanager
def _quiet_bells() -> Iterator[None]:
    """The demo is loaded before Redis and workers are started; the sweep of the first worker finds all."""
    logger = logging.getLogger("config.queues")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
