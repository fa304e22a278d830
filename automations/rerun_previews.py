"""What retrying failed runs would do, before it does it: how many there are of which automations, from which step, and
what is noticed outside. However many match, the work is bounded: they are counted up to a cap, and the newest of each
automation are looked at one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models.fields.json import KT

from automations.bulk_reruns import failed_before
from automations.document.cards import cards_of
from automations.history import RunsQuery, failed_of
from automations.models import Automation, AutomationVersion, Run
from automations.services.retry_plans import From, On, PlannedGroup, plan_retries
from automations.steps import ACTIONS
from records.models import Record

# It looks through so many of the newest failed runs, and counts up to a cap.
PREVIEW_WINDOW: Final = 50_000
PREVIEW_CAP: Final = 10_000
# So many automations are told one by one, and so many runs of each are looked at closely.
MAX_GROUPS: Final = 20
LOOKED_AT: Final = 50

# A run, its automation, its version, and the id of the step that failed.
_Row = tuple[str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class PreviewGroup:
    """Runs of one automation that would go on with the same version. `looked_at` of them were looked at closely:
    `outside` names steps that reach other systems or people, each with how many of these would do it, and for how many
    it has happened before. `steps`: the names of those that failed."""

    automation: Automation
    version: AutomationVersion
    number: int
    looked_at: int
    steps: Sequence[tuple[str, int]]
    outside: Sequence[tuple[str, int, int]]
    sample: Sequence[Run]

    @property
    def repeats(self) -> list[tuple[str, int, int]]:
        return [each for each in self.outside if each[2]]

    @property
    def reaches(self) -> list[tuple[str, int, int]]:
        return [each for each in self.outside if not each[2]]

    @property
    def is_sampled(self) -> bool:
        return self.looked_at < self.number


@dataclass(frozen=True, slots=True)
class RerunPreview:
    """`is_capped`: there are more than `number`. `refused`: why some of those that were looked at can't be retried.
    `held`: how many of their records are in quarantine. `more_automations`: those that are not told one by one."""

    number: int
    is_capped: bool
    groups: Sequence[PreviewGroup]
    more_automations: int
    looked_at: int
    refused: Sequence[tuple[str, int]]
    held: int

    @property
    def is_sampled(self) -> bool:
        return self.looked_at < self.number


def preview_of_chosen(ids: Sequence[str], *, begin: From, on: On) -> RerunPreview:
    """Of runs that were ticked all are looked at."""
    rows = list(_rows(Run.objects.filter(pk__in=ids).order_by("-pk")))
    return _preview(rows, begin, on, is_capped=False, looked_at=len(rows))


def preview_of_query(query: RunsQuery, *, until: datetime, begin: From, on: On) -> RerunPreview:
    runs, rest = failed_of(query)
    newest = runs.order_by("-pk")
    end = newest.values_list("pk", flat=True)[PREVIEW_WINDOW - 1 : PREVIEW_WINDOW].first()
    if end is not None:
        newest = newest.filter(pk__gte=end)
    rows = list(_rows(newest.filter(rest & failed_before(until)))[: PREVIEW_CAP + 1])
    is_capped = end is not None or len(rows) > PREVIEW_CAP
    return _preview(rows[:PREVIEW_CAP], begin, on, is_capped=is_capped, looked_at=LOOKED_AT)


def _rows(runs: Any) -> Any:
    return runs.values_list("pk", "automation_id", "version_id", KT("error__step"))


def _preview(
    rows: Sequence[_Row], begin: From, on: On, *, is_capped: bool, looked_at: int
) -> RerunPreview:
    by_key: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_key[_key(row[1], row[2], on)].append(row)
    most = sorted(by_key.values(), key=lambda group: -len(group))
    told, untold = most[:MAX_GROUPS], most[MAX_GROUPS:]
    chosen = [row[0] for group in told for row in group[:looked_at]]
    plan = plan_retries(ids=chosen, begin=begin, on=on)
    groups = []
    for planned in plan.groups:
        key = _key(planned.automation.pk, planned.runs[0].version_id, on)
        groups.append(_group(planned, by_key[key], looked_at))
    return RerunPreview(
        number=sum(group.number for group in groups) + sum(map(len, untold)),
        is_capped=is_capped,
        groups=sorted(groups, key=lambda group: (-group.number, group.automation.name)),
        more_automations=len(untold),
        looked_at=len(chosen),
        refused=plan.refused,
        held=held_records(plan.ids).count(),
    )


def _key(automation: str, version: str, on: On) -> str:
    """Runs with the same key go on with the same version."""
    return automation if on == "current" else version


def _group(planned: PlannedGroup, rows: Sequence[_Row], looked_at: int) -> PreviewGroup:
    seen = min(len(rows), looked_at)
    refused = seen - len(planned.runs)
    names = _names(planned.version.document)
    failed = Counter(names.get(row[3] or "", row[3] or "") for row in rows)
    return PreviewGroup(
        automation=planned.automation,
        version=planned.version,
        number=len(rows) - refused,
        looked_at=len(planned.runs),
        steps=[each for each in failed.most_common() if each[0]],
        outside=planned.outside,
        sample=planned.runs,
    )


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    """What the steps of a version are called."""
    return {card.id: _name(card.type, card.values.get("name")) for card in cards_of(document)}


def _name(kind: str, name: Any) -> str:
    action = ACTIONS.get(kind)
    return str(name or (action.label if action else kind))


def held_records(ids: Iterable[str]) -> Any:
    """The records of these runs that are in quarantine."""
    records = Run.objects.filter(pk__in=list(ids), record__isnull=False).values("record")
    held = Record.objects.filter(pk__in=records).exclude(quarantined_at=None)
    return held.select_related("object").order_by("pk")
