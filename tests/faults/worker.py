"""A worker with a flaw: `python -m tests.faults.worker [--die-at NAME:MOMENT[:N]] … [QUEUE …]`, run by the tests.

It is a worker like any other until the N-th time (default 1) it comes to the given moment of the named function;
then it kills itself with SIGKILL. The moments: `begin` and `end` of the call, `before-commit` and `after-commit` of
the transaction that the call makes.

`--lease S` shortens leases. `--clock FILE` lets the process go by the clock in that file, and takes it for the
database's too, unless `--own-clock` says that only this machine's is wrong. `--no-sweep`: it only answers bells.
`--after FILE`: it begins when the file is there.
"""

import argparse
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

POINTS = {
    "ring": ["config.queues.ring", "webhooks.engine.ring"],
    "dispatch": ["records.dispatch._dispatch"],
    "claim": ["webhooks.claims.claim_jobs"],
    "send": ["webhooks.transport.Transport.send"],
    "record": ["webhooks.outcomes.record_outcomes"],
    "update jobs": ["webhooks.outcomes.update_rows"],
    "renew": ["webhooks.claims.renew_leases"],
    "claim runs": ["automations.batches.claim_runs"],
    "advance runs": ["automations.batches._advance"],
    "store runs": ["automations.batches._store"],
    "rerun": ["automations.bulk_reruns._step"],
    "free": ["webhooks.claims.free_lapsed_jobs", "webhooks.jobs.free_lapsed_jobs"],
}


def patch(name: str, value: Any) -> None:
    setattr(*_found(name), value)


def _found(name: str) -> tuple[Any, str]:
    """The module or class that has the name, and the name in it."""
    head, _, attribute = name.rpartition(".")
    try:
        return importlib.import_module(head), attribute
    except ModuleNotFoundError:
        module, _, cls = head.rpartition(".")
        return getattr(importlib.import_module(module), cls), attribute


class Death:
    """Comes at one moment of one function."""

    def __init__(self, text: str) -> None:
        self.point, self.moment, *count = text.split(":")
        self._left = int(count[0]) if count else 1
        self._inside = threading.local()

    def install(self) -> None:
        for name in POINTS[self.point]:
            owner, attribute = _found(name)
            setattr(owner, attribute, self._wrap(getattr(owner, attribute)))
        if self.moment.endswith("-commit"):
            self._watch_commits()

    def _wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self._come("begin")
            self._inside.calls = getattr(self._inside, "calls", 0) + 1
            try:
                result = function(*args, **kwargs)
            finally:
                self._inside.calls -= 1
            self._come("end")
            return result

        return call

    def _watch_commits(self) -> None:
        from django.db.backends.base.base import BaseDatabaseWrapper

        commit = BaseDatabaseWrapper._commit

        def watched(connection: Any) -> Any:
            inside = getattr(self._inside, "calls", 0)
            if inside:
                self._come("before-commit")
            result = commit(connection)
            if inside:
                self._come("after-commit")
            return result

        BaseDatabaseWrapper._commit = watched

    def _come(self, moment: str) -> None:
        if moment != self.moment:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--die-at", type=Death)
    parser.add_argument("--lease", type=float)
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--own-clock", action="store_true")
    parser.add_argument("--after", type=Path)
    parser.add_argument("--no-sweep", action="store_true")
    parser.add_argument("queues", nargs="*")
    options = parser.parse_args()
    if options.lease:
        patch("config.queues.LEASE_S", options.lease)
        patch("config.queues.LEASE_RENEWAL_S", options.lease / 4)
        patch("config.queues.SWEEP_INTERVAL_S", options.lease / 8)
    django.setup()
    from config import queues
    from config.worker import run_worker

    if options.clock:
        from tests.faults.clocks import shift

        shift(patch, options.clock, database_too=not options.own_clock)
    if options.die_at:
        options.die_at.install()
    while options.after and not options.after.exists():
        time.sleep(0.01)
    if options.no_sweep:
        queues._on_sweep.clear()
    run_worker(options.queues or queues.QUEUES)


if __name__ == "__main__":
    main()
