"""The engine that sends: one thread that claims and records, many that do nothing but HTTP.

There is one engine in each worker process, started by the first ring. Only its own thread touches the
database; the senders take a claimed job, send it, and hand back the outcome.
"""

import contextlib
import logging
import math
import queue
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from config.queues import LEASE_RENEWAL_S, LEASE_S, ring
from webhooks import claims, outcomes
from webhooks.binding import Credentials, shown
from webhooks.keyring import Keyring
from webhooks.outbound import deliver, make_transport
from webhooks.outcomes import Finished
from webhooks.taking import ClaimedJob
from webhooks.transport import OutboundRequest, Outcome

logger = logging.getLogger(__name__)

# Outcomes are written together: once there are so many, or the first has waited so long.
WRITE_SIZE: Final = 100
WRITE_WAIT_S: Final = 0.025
# Claimed and not yet sent: enough to keep the senders busy for so long, at the pace they have now.
AHEAD_S: Final = 0.15
MAX_AHEAD: Final = 400
CALL_INTERVAL_S: Final = 0.5
_DATABASE_RETRY_S: Final = 0.5
_MISTAKE: Final = "Signalbox made a mistake with this request; its log has the details."


class Sends(Protocol):
    def send(self, request: OutboundRequest) -> Outcome: ...
    def close(self) -> None: ...


class DeliveryEngine:
    """Sends what is due. `wake()` when there may be something; `stop()` at the end of the process."""

    def __init__(self, transport: Sends, *, concurrency: int, per_lane: int) -> None:
        self._transport = transport
        self._concurrency = concurrency
        self._per_lane = per_lane
        self._token = uuid.uuid4()
        self._inbox: queue.SimpleQueue[Finished | ClaimedJob | None] = queue.SimpleQueue()
        self._tasks: queue.SimpleQueue[ClaimedJob | None] = queue.SimpleQueue()
        self._senders: list[threading.Thread] = []
        self._in_hand: dict[str, ClaimedJob] = {}
        self._in_lane: Counter[str] = Counter()
        self._finished: list[Finished] = []
        # For the senders, which ask no database; newer at each claim of jobs that need secrets.
        self._keyring: Keyring | None = None
        self._unsent: list[ClaimedJob] = []
        self._write_failed = False
        self._database_is_away = False
        self._pace = _Pace()
        self._more = True
        self._last_lane = ""
        # The senders look at it: nothing is sent on a lease that may have run out.
        self._leased_until = 0.0
        self._renew_at = 0.0
        self._call_at = 0.0
        # When a rate limit lets the next job go.
        self._claim_at = math.inf
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._inbox.put(None)

    def stop(self, timeout_s: float = 2.5) -> None:
        """Let what is in the air land, as long as `timeout_s` allows, and give back the rest."""
        self._deadline = time.monotonic() + timeout_s
        self._stopping.set()
        self._inbox.put(None)
        self._thread.join(timeout_s + 1)
        self._transport.close()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    # --- the engine's own thread ---

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
                self._database_is_away = False
            except DatabaseTrouble as error:
                if not self._database_is_away:
                    logger.warning("The database does not answer (%s); deliveries wait", error)
                self._database_is_away = True
                self._wait_for_database()
            except Exception:  # one job's trouble must not end the deliveries of all
                logger.exception("Deliveries stumbled; they go on")
                self._wait_for_database()
        self._land()
        connection.close()

    def _wait_for_database(self) -> None:
        with contextlib.suppress(DatabaseTrouble):
            connection.close()
        self._stopping.wait(_DATABASE_RETRY_S)

    def _turn(self) -> None:
        if time.monotonic() >= self._claim_at:
            self._more = True
        if self._more:
            self._claim()
        self._listen(self._patience())
        if self._finished and self._should_write():
            self._write()
        if self._unsent:
            self._give_back()
        if self._in_hand and time.monotonic() >= self._renew_at:
            self._renew()
        if not self._in_hand and not self._more:
            close_old_connections()

    def _claim(self) -> None:
        room = self._room()
        if room < max(1, self._ahead() // 3):  # worth a claim only when there is some room
            return
        claimed_at = time.monotonic()
        self._claim_at = math.inf
        claim = claims.claim_jobs(
            token=self._token, limit=room, room=self._lane_room, after_lane=self._last_lane
        )
        if not self._in_hand:
            self._leased_until = claimed_at + LEASE_S
            self._renew_at = claimed_at + LEASE_RENEWAL_S
        if claim.keyring is not None:
            self._keyring = claim.keyring
        self._take_in_hand(claim.jobs)
        self._more = len(claim.jobs) >= room
        if claim.again_in_s is not None:
            self._claim_at = claimed_at + claim.again_in_s
        if self._more:
            self._call_others()
        for job in claim.jobs:
            self._tasks.put(job)
        self._hire(len(self._in_hand))

    def _take_in_hand(self, jobs: Sequence[ClaimedJob]) -> None:
        for job in jobs:
            if before := self._in_hand.get(job.id):  # its lease ran out, and it came back to us
                self._let_go(before)
            self._in_hand[job.id] = job
            self._in_lane[job.lane] += 1
            self._last_lane = job.lane

    def _call_others(self) -> None:
        """There is more than this worker takes at once: idle ones may join in."""
        if time.monotonic() >= self._call_at:
            self._call_at = time.monotonic() + CALL_INTERVAL_S
            ring("deliveries")

    def _listen(self, timeout_s: float) -> None:
        """Take in outcomes: wait for the first, then take what else is there."""
        with contextlib.suppress(queue.Empty):
            self._take_in(self._inbox.get(timeout=timeout_s))
            while len(self._finished) < WRITE_SIZE:
                self._take_in(self._inbox.get_nowait())

    def _take_in(self, item: Finished | ClaimedJob | None) -> None:
        if item is None:
            self._more = True
            return
        if isinstance(item, ClaimedJob):  # not sent: its lease may have run out
            self._unsent.append(item)
            return
        if not self._finished:
            self._write_by = time.monotonic() + WRITE_WAIT_S
        self._finished.append(item)
        self._let_go(item.job)
        self._pace.count(item.job.lane)

    def _holds(self, job: ClaimedJob) -> bool:
        return self._in_hand.get(job.id) is job

    def _let_go(self, job: ClaimedJob) -> None:
        if not self._holds(job):  # it was lost before
            return
        del self._in_hand[job.id]
        self._in_lane[job.lane] -= 1
        if not self._in_lane[job.lane]:
            del self._in_lane[job.lane]

    def _should_write(self) -> bool:
        return (
            not self._in_hand
            or len(self._finished) >= WRITE_SIZE
            or time.monotonic() >= self._write_by
        )

    def _write(self) -> None:
        if self._write_failed:
            self._finished = outcomes.unrecorded(self._finished)
        self._write_failed = True
        try:
            outcomes.record_outcomes(self._token, self._finished)
        except (OperationalError, InterfaceError):
            raise  # the database is in trouble: they are kept until it takes them
        except Exception:
            logger.exception("Outcomes could not be written together; writing them one by one")
            self._write_one_by_one()
        self._write_failed = False
        self._finished = []
        self._more = True  # lanes that were full have room again

    def _write_one_by_one(self) -> None:
        """An outcome that no database takes is dropped: its lease runs out, and that shows in the attempts."""
        for each in list(self._finished):
            try:
                outcomes.record_outcomes(self._token, [each])
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                logger.exception("The outcome of %s can't be written", each.job.id)
            self._finished.remove(each)

    def _give_back(self) -> None:
        """What was not sent: nobody need wait until its lease runs out."""
        claims.release_leases(self._token, [job for job in self._unsent if self._holds(job)])
        for job in self._unsent:
            self._let_go(job)
        self._unsent = []

    def _renew(self) -> None:
        renewed_at = time.monotonic()
        # Lost: what was freed while this worker could not renew is not its to send any more.
        for lost in claims.renew_leases(self._token, list(self._in_hand.values())):
            self._let_go(self._in_hand[lost])
        self._leased_until = renewed_at + LEASE_S
        self._renew_at = renewed_at + LEASE_RENEWAL_S

    def _patience(self) -> float:
        """How long there is nothing to do but wait for outcomes and rings."""
        until = self._claim_at
        if self._finished:
            until = min(until, self._write_by)
        if self._in_hand:
            until = min(until, self._renew_at)
        return min(30.0, max(0.0, until - time.monotonic()))

    def _ahead(self) -> int:
        """How many jobs to have in hand: all senders busy, and some more when they are quick."""
        return min(MAX_AHEAD, max(self._concurrency, int(self._pace.per_second() * AHEAD_S)))

    def _room(self) -> int:
        return self._ahead() - len(self._in_hand)

    def _lane_room(self, lane: str) -> int:
        """Half of the senders that the other lanes leave: however many destinations hang, one more
        still finds some. A quick lane may also have what it gets through in a moment."""
        elsewhere = len(self._in_hand) - self._in_lane[lane]
        senders = min(self._per_lane, max(1, (self._concurrency - elsewhere) // 2))
        quick = int(self._pace.per_second(lane) * AHEAD_S)
        return max(senders, quick) - self._in_lane[lane]

    def _land(self) -> None:
        """The end: give back what is not begun, wait for what is in the air, write it all down."""
        not_begun = []
        with contextlib.suppress(queue.Empty):
            while job := self._tasks.get_nowait():
                not_begun.append(job)
        self._unsent += not_begun
        try:
            self._give_back()
            while self._in_hand and time.monotonic() < self._deadline:
                self._listen(max(0.0, self._deadline - time.monotonic()))
            if self._finished:
                self._write()
            self._give_back()
            if self._in_hand:  # in the air for too long: whether they arrive will never be known
                claims.interrupt_jobs(self._token)
        except DatabaseTrouble as error:
            logger.warning("Not all outcomes could be written (%s); the leases run out", error)
        for _ in self._senders:
            self._tasks.put(None)

    # --- the senders ---

    def _hire(self, wanted: int) -> None:
        while len(self._senders) < min(wanted, self._concurrency):
            sender = threading.Thread(
                target=self._send_tasks, name=f"sender-{len(self._senders)}", daemon=True
            )
            self._senders.append(sender)
            sender.start()

    def _send_tasks(self) -> None:
        while (job := self._tasks.get()) is not None:
            if time.monotonic() >= self._leased_until or not self._holds(job):
                self._inbox.put(job)
                continue
            self._inbox.put(self._send(job))

    def _send(self, job: ClaimedJob) -> Finished:
        started_at = time.time()
        try:
            return deliver(job, self._keyring, self._transport.send)
        except Exception as error:  # a sender that dies would hold its job for ever
            logger.exception("Job %s can't be sent", job.id)
            return _mistake(job, error, started_at)


def _mistake(job: ClaimedJob, error: Exception, started_at: float) -> Finished:
    """Not the receiver's fault, but ours: a request that can't be made, or a transport that broke."""
    url = shown(job.url, Credentials.from_json(job.credentials).nonce)
    request = OutboundRequest(job.method, url, [("webhook-id", job.id)], b"", job.timeout_s)
    outcome = Outcome(
        status_code=None,
        headers=[],
        body=b"",
        truncated=False,
        error_kind="internal",
        error=f"{_MISTAKE} ({type(error).__name__})",
        started_at=started_at,
        duration_ms=0,
        remote_address="",
        request_sent=False,
    )
    return Finished(job, request, outcome)


class _Pace:
    """Outcomes per second, of one lane or all, as they were in the last window."""

    WINDOW_S: Final = 0.5

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._rates: dict[str, float] = {}

    def count(self, lane: str) -> None:
        self._roll()
        self._counts[lane] += 1

    def per_second(self, lane: str | None = None) -> float:
        self._roll()
        return sum(self._rates.values()) if lane is None else self._rates.get(lane, 0.0)

    def _roll(self) -> None:
        elapsed_s = time.monotonic() - self._began_at
        if elapsed_s >= self.WINDOW_S:
            self._rates = {lane: count / elapsed_s for lane, count in self._counts.items()}
            self._counts.clear()
            self._began_at += elapsed_s


_engine: DeliveryEngine | None = None


def current_engine() -> DeliveryEngine:
    """This process's engine, started when it is first needed."""
    global _engine
    if _engine is None or not _engine.is_alive:
        _engine = DeliveryEngine(
            make_transport(),
            concurrency=settings.DELIVERY_CONCURRENCY,
            per_lane=settings.DELIVERY_CONCURRENCY_PER_DESTINATION,
        )
        _engine.start()
    return _engine


def deliver_soon() -> None:
    """There are due jobs: wake this process's engine if it has one, else some worker's.

    An engine that finds more than it takes at once calls the others itself.
    """
    if _engine is not None and _engine.is_alive:
        _engine.wake()
    else:
        ring("deliveries")


def stop_engine() -> None:
    global _engine
    if _engine is not None:
        _engine.stop()
        _engine = None
