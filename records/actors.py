"""Who is acting, and because of what: kept beside the code that runs, so that every event knows its cause."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from records.models import User


@dataclass(frozen=True, slots=True)
class Cause:
    """The act behind a change: a person's (run_id None, depth 0) or a run's."""

    user: "User | None" = None
    # What to show where there is no user: "Import", "Automation “Welcome”".
    label: str = ""
    run_id: str | None = None
    depth: int = 0

    @property
    def name(self) -> str:
        """How people are told who it was."""
        return self.label or (str(self.user) if self.user else "Signalbox")


_NOBODY = Cause()
_cause: ContextVar[Cause | Callable[[], Cause]] = ContextVar("cause", default=_NOBODY)


def current_cause() -> Cause:
    cause = _cause.get()
    return cause if isinstance(cause, Cause) else cause()


@contextmanager
def acting(
    user: "User | None" = None, *, label: str = "", run_id: str | None = None, depth: int = 0
) -> Iterator[None]:
    """Everything that changes inside is done by this user or run."""
    token = _cause.set(Cause(user, label, run_id, depth))
    try:
        yield
    finally:
        _cause.reset(token)


class ActorMiddleware:
    """The logged-in user is the actor of what a request changes. Nothing is looked up before it is needed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _cause.set(lambda: _cause_of(request))
        try:
            return self.get_response(request)
        finally:
            _cause.reset(token)


def _cause_of(request: Any) -> Cause:
    user = request.user
    return Cause(user=user if user.is_authenticated else None)
