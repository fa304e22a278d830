"""Retry and cancel for many jobs: what is asked, how many it would touch, and doing it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from records.models import User
from webhooks.admin.filters import Asked, clean_id, read_address
from webhooks.history import ids_of
from webhooks.models import JobStatus, WebhookJob
from webhooks.services import RETRYABLE, cancel_jobs, retry_jobs

# At once; a person who means more does it again.
BULK_LIMIT: Final = 5_000
_SAMPLE: Final = 8


@dataclass(frozen=True, slots=True)
class BulkAction:
    name: str
    verb: str
    icon: str
    # What it is possible for, and why not for the others.
    statuses: Sequence[JobStatus]
    otherwise: str
    done: str
    do: Callable[..., tuple[int, int]]


ACTIONS: Final = {
    action.name: action
    for action in (
        BulkAction(
            name="retry",
            verb="Retry",
            icon="replay",
            statuses=RETRYABLE,
            otherwise="delivered, or being sent right now",
            done="put back to pending",
            do=retry_jobs,
        ),
        BulkAction(
            name="cancel",
            verb="Cancel",
            icon="block",
            statuses=(JobStatus.PENDING,),
            otherwise="ended, or being sent right now",
            done="cancelled",
            do=cancel_jobs,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Bulk:
    """An action on the jobs with these ids; `left` chosen ones can't have it."""

    action: BulkAction
    asked: Asked
    ids: list[str]
    left: int
    everything: bool
    up_to: str
    is_capped: bool

    @property
    def number(self) -> int:
        return len(self.ids)

    def sample(self) -> list[WebhookJob]:
        jobs = WebhookJob.objects.filter(pk__in=self.ids[:_SAMPLE])
        return list(jobs.defer("headers", "body"))

    def do(self, actor: User) -> str:
        """Do it. What was done, in words."""
        done, left = self.action.do(ids=self.ids, actor=actor)
        words = f"{_jobs(done)} {self.action.done}."
        if left + self.left:
            words += f" {_jobs(left + self.left)} left alone: {self.action.otherwise}."
        return words


def read_bulk(request: HttpRequest) -> Bulk | str:
    """What a POST asks for, or words that say what is wrong with it."""
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        return "Choose what to do with the jobs: Retry or Cancel."
    asked = read_address(request.GET, timezone.now())
    if request.POST.get("everything"):
        return _everything(action, asked, clean_id(WebhookJob, request.POST.get("up_to", "")))
    chosen = {pk for text in request.POST.getlist("ids") if (pk := clean_id(WebhookJob, text))}
    if not chosen:
        return "No job was chosen. Tick the jobs you mean first."
    possible = WebhookJob.objects.filter(pk__in=chosen, status__in=action.statuses)
    ids = list(possible.order_by("-pk").values_list("pk", flat=True))
    return Bulk(action, asked, ids, len(chosen) - len(ids), False, "", False)


def _everything(action: BulkAction, asked: Asked, up_to: str) -> Bulk:
    """All that the page would list, and nothing that came after the question."""
    if not up_to:
        newest = WebhookJob.objects.order_by("-pk").values_list("pk", flat=True).first()
        up_to = newest or ""
    query = replace(asked.query, up_to=up_to)
    ids = ids_of(query, action.statuses, BULK_LIMIT + 1)
    return Bulk(action, asked, ids[:BULK_LIMIT], 0, True, up_to, len(ids) > BULK_LIMIT)


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number:,} jobs"
