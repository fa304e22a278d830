"""From a host name to the addresses that may be connected to.

`getaddrinfo` cannot be interrupted, so it runs in a thread of its own, and the caller waits for it
only as long as its deadline allows. Callers asking for the same name at the same time share one
lookup: a dead name server costs one thread for each name, not one for each request.
"""

import socket
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address
from time import monotonic

from webhooks.addresses import (
    NetworkPolicy,
    Origin,
    Refusal,
    judge_address,
    refuse_address,
)
from webhooks.transport.faults import dns_fault
from webhooks.transport.outcome import ErrorKind, Fault

# Long enough for a burst of new connections, short enough for a moved receiver.
FRESH_S = 5.0
# A name that failed is asked for again soon, but not by every waiting request at once.
FAILED_FRESH_S = 1.0
MAX_NAMES = 1024
MAX_LOOKUPS = 32


@dataclass(frozen=True, slots=True)
class Endpoint:
    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]

    @property
    def text(self) -> str:
        host, port = self.sockaddr[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_SockAddr = tuple[str, int] | tuple[str, int, int, int]
_Answers = list[tuple[int, _SockAddr]]


class Resolver:
    """Resolves and judges. Thread-safe."""

    def __init__(self, policy: NetworkPolicy) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._names: dict[str, tuple[float, Future[_Answers]]] = {}
        self._slots = threading.BoundedSemaphore(MAX_LOOKUPS)

    def endpoints(self, origin: Origin, *, trusted: bool, until: float) -> list[Endpoint]:
        """The addresses of the origin's host, every one of them judged unless `trusted`.

        One refused address refuses the name: an attacker who controls it could bring that address
        to the front at any time. Raises Fault.
        """
        if origin.address is not None:
            is_ipv4 = isinstance(origin.address, IPv4Address)
            answers: _Answers = [(socket.AF_INET if is_ipv4 else socket.AF_INET6, (origin.host, 0))]
        else:
            answers = self._resolve(origin.host, until)
        if not trusted:
            refusal = self._refusal(origin, answers)
            if refusal is not None:
                raise Fault(ErrorKind.BLOCKED, refusal.reason)
        return [_endpoint(family, address, origin.port) for family, address in answers]

    def _refusal(self, origin: Origin, answers: _Answers) -> Refusal | None:
        for _, address in answers:
            reason = judge_address(address[0], self._policy)
            if reason is not None:
                return refuse_address(origin, address[0], reason)
        return None

    def _resolve(self, host: str, until: float) -> _Answers:
        future = self._lookup(host, until)
        try:
            return future.result(timeout=max(0.0, until - monotonic()))
        except TimeoutError as error:
            if future.done() and future.exception() is error:
                raise dns_fault(error, host) from None
            raise self._no_answer(host) from None
        except (OSError, UnicodeError) as error:
            raise dns_fault(
                OSError(str(error)) if isinstance(error, UnicodeError) else error, host
            ) from None

    def _lookup(self, host: str, until: float) -> Future[_Answers]:
        now = monotonic()
        with self._lock:
            known = self._names.get(host)
            if known is not None and (not known[1].done() or _fresh_until(known) > now):
                return known[1]
            future: Future[_Answers] = Future()
            self._make_room(now)
            self._names[host] = (now, future)
        if not self._slots.acquire(timeout=max(0.0, until - now)):
            # Others may wait for this lookup too, with more time left; they will see the same.
            future.set_exception(TimeoutError())
            return future
        threading.Thread(target=self._run, args=(host, future), name="lookup", daemon=True).start()
        return future

    def _run(self, host: str, future: Future[_Answers]) -> None:
        try:
            answers = _ask(host)
        except Exception as error:  # noqa: BLE001  whatever it is, those who wait have to know
            future.set_exception(error)
        else:
            future.set_result(answers)
        finally:
            self._slots.release()

    def _make_room(self, now: float) -> None:
        if len(self._names) < MAX_NAMES:
            return
        for host, known in list(self._names.items()):
            if known[1].done() and _fresh_until(known) <= now:
                del self._names[host]
        while len(self._names) >= MAX_NAMES:  # many fresh names: the oldest goes
            del self._names[next(iter(self._names))]

    def _no_answer(self, host: str) -> Fault:
        return Fault(
            ErrorKind.DNS,
            f"The name server gave no answer for host `{host}` in time. Try again later.",
        )


def _ask(host: str) -> _Answers:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    answers: _Answers = []
    for family, _, _, _, address in found:
        known = family in (socket.AF_INET, socket.AF_INET6)
        if known and (family, address) not in answers:
            answers.append((family, address))  # type: ignore[arg-type]
    if not answers:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    return answers


def _fresh_until(known: tuple[float, Future[_Answers]]) -> float:
    asked_at, future = known
    return asked_at + (FAILED_FRESH_S if future.exception() else FRESH_S)


def _endpoint(family: int, address: _SockAddr, port: int) -> Endpoint:
    if family == socket.AF_INET6:
        flow, scope = (address[2], address[3]) if len(address) == 4 else (0, 0)
        return Endpoint(family, (address[0], port, flow, scope))
    return Endpoint(family, (address[0], port))
