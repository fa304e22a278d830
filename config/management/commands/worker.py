"""`manage.py worker`: answer the bells of all queues."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.queues import QUEUES
from config.worker import run_worker


class Command(BaseCommand):
    help = "Run one worker: it dispatches events, runs automations and sends webhook requests."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queues", nargs="*", default=list(QUEUES), help="Default: all queues.")
        parser.add_argument("--burst", action="store_true", help="Stop when no ring is waiting.")

    def handle(self, *args: Any, **options: Any) -> None:
        run_worker(options["queues"], burst=options["burst"])
