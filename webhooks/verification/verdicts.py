"""What verification says of a request. Pure."""

from dataclasses import dataclass
from typing import Final

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """The answer that a sender waits for before it delivers anything."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is for the log: what was expected and what came, without secrets or signatures.

    `status` is what a refused sender gets. `www_authenticate` goes into the header of that name.
    `delivery_id` is the sender's own, the same when it delivers again; empty when it has none.
    """

    accepted: bool
    reason: str = ""
    status: int = 200
    answer: ChallengeAnswer | None = None
    www_authenticate: str = ""
    delivery_id: str = ""


class Refused(Exception):
    """Why a request is not accepted. It never leaves this package: the schemes make a Verdict of it."""


def accept(delivery_id: str = "", *, answer: ChallengeAnswer | None = None) -> Verdict:
    return Verdict(accepted=True, delivery_id=delivery_id, answer=answer)


def refuse(reason: str, *, status: int = UNAUTHORIZED, www_authenticate: str = "") -> Verdict:
    return Verdict(accepted=False, reason=reason, status=status, www_authenticate=www_authenticate)
