"""Which failed jobs are to be retried together, and how many that are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from webhooks.models import Destination, WebhookJob

# The preview looks at the newest failures, no more than so many, and counts up to a cap.
PREVIEW_WINDOW: Final = 50_000
PREVIEW_CAP: Final = 10_000
PREVIEW_SAMPLE: Final = 8


@dataclass(frozen=True, slots=True)
class RetryFilter:
    """Which failed jobs: all that fit everything that is set. `http_status`: "503", or "5xx".

    `since` and `until`: when they failed.
    """

    webhook_id: str = ""
    lane: str = ""
    error_kind: str = ""
    http_status: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> Q:
        exact = {
            name: value
            for name, value in (
                ("webhook", self.webhook_id),
                ("lane", self.lane),
                ("error_kind", self.error_kind),
            )
            if value
        }
        condition = Q(**exact) & self._with_status()
        if self.since is not None:
            condition &= Q(finished_at__gte=self.since)
        if self.until is not None:
            condition &= Q(finished_at__lt=self.until) | Q(finished_at=None)
        return condition

    def _with_status(self) -> Q:
        if not self.http_status:
            return Q()
        if self.http_status.endswith("xx"):
            first = int(self.http_status[0]) * 100
            return Q(status_code__gte=first, status_code__lt=first + 100)
        return Q(status_code=int(self.http_status))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk retry would touch. `is_capped`: there are more than `count`.

    `lanes`: the destinations of most of them, with their rows where there are some; `newest` and `oldest`: when
    the first and the last of what was counted failed.
    """

    count: int
    is_capped: bool
    sample: Sequence[WebhookJob]
    lanes: Sequence[tuple[str, int, Destination | None]]
    newest: datetime | None
    oldest: datetime | None


def preview_of(which: RetryFilter) -> Preview:
    """Bounded work, however many have failed: it looks at the newest ones, and counts up to a cap."""
    failed = WebhookJob.objects.failures().order_by("-pk")
    end = failed.values_list("pk", flat=True)[PREVIEW_WINDOW - 1 : PREVIEW_WINDOW].first()
    if end is not None:
        failed = failed.filter(pk__gte=end)
    chosen = failed.filter(which.condition())
    found = list(chosen.values_list("lane", "finished_at")[: PREVIEW_CAP + 1])
    times = [finished_at for _, finished_at in found if finished_at]
    return Preview(
        count=min(len(found), PREVIEW_CAP),
        is_capped=end is not None or len(found) > PREVIEW_CAP,
        sample=list(chosen.defer("headers", "body")[:PREVIEW_SAMPLE]),
        lanes=_lanes_of(Counter(lane for lane, _ in found)),
        newest=max(times, default=None),
        oldest=min(times, default=None),
    )


def _lanes_of(counts: Counter[str]) -> list[tuple[str, int, Destination | None]]:
    most = counts.most_common(10)
    rows = Destination.objects.filter(lane__in=[lane for lane, _ in most])
    known = {row.lane: row for row in rows}
    return [(lane, number, known.get(lane)) for lane, number in most]
