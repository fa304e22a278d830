"""How often a draft would have fired in the last days, on what, and why not. Plain data, made slice by slice.

Nothing is run and nothing is written. Events are judged by what they told: the record then, not now. What they do
not tell is as it is now: the records that are linked, and of comments and tasks their record.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from automations.backtest_sources import DueRecords, Events, Source, Ticks, Window
from automations.compiled import CompiledVersion, compile_document, object_of
from automations.document import Document
from automations.dryrun import why_unfit
from automations.findings import Finding, finding_of
from automations.matching import Occasion
from automations.models import Automation
from automations.timers import DUE, TICK
from records.models import Event, ObjectDefinition, User
from records.permissions import visible_objects
from webhooks.subscriptions import event_names_of

WINDOWS_DAYS: Final = (1, 7, 30, 90)
# What one request looks at, as far as the time suffices: the page asks again for the rest.
SLICE: Final = 2_000
SLICE_S: Final = 0.4
# More than this is no look back any more.
MAX_LOOKED_AT: Final = 50_000
SAMPLES: Final = 10
# The page carries the tally from slice to slice: of so many records it is known how often they fired.
_MAX_RECORDS: Final = 400
_MAX_RULES: Final = 100
_MAX_WORDS: Final = 160
FIRED, HELD_BACK, UNFIT = range(3)


@dataclass(slots=True)
class Tally:
    """What was found so far. JSON can hold it, so that it travels from slice to slice."""

    days: int
    since: str
    until: str
    cursor: str = ""
    looked_at: int = 0
    # Beginning of the day (of the hour, for one day) → [fired, conditions false, trigger does not fit].
    counts: dict[str, list[int]] = field(default_factory=dict)
    # Rule in words → how often it failed; record → how often it would have fired.
    rules: dict[str, int] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    # Keys and labels of some that fired, and of some that did not because of the conditions.
    fired: list[list[str]] = field(default_factory=list)
    held_back: list[list[str]] = field(default_factory=list)
    is_done: bool = False
    is_capped: bool = False

    @classmethod
    def begin(cls, days: int, now: datetime) -> "Tally":
        return cls(days, (now - timedelta(days=days)).isoformat(), now.isoformat())

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Tally":
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def window(self) -> Window:
        return Window(datetime.fromisoformat(self.since), datetime.fromisoformat(self.until))

    def total(self, outcome: int) -> int:
        return sum(counts[outcome] for counts in self.counts.values())


class Backtest:
    """One draft, which has been checked, held against what has happened; by what one person may see."""

    def __init__(self, automation: Automation, document: Mapping[str, Any], user: User) -> None:
        parsed = Document.model_validate(dict(document))
        self.automation = automation
        self.definition = object_of(parsed)
        self.version: CompiledVersion = compile_document(parsed, self.definition)
        self.names = frozenset(self.version.trigger.event_names(self.version.trigger_config))
        self.visible = frozenset(visible_objects(user).values_list("pk", flat=True))
        self.labels = labels_of(self.definition)

    def source(self, window: Window) -> Source:
        config = self.version.trigger_config
        if TICK in self.names:
            return Ticks(window, self.automation, config)
        if DUE in self.names and self.definition:
            return DueRecords(window, self.automation, self.definition, config)
        target = self.automation.pk if self.version.trigger.is_targeted else ""
        return Events(window, self.names, self.version.object_id, self.visible, target)

    def go_on(self, tally: Tally) -> None:
        """Look at the next slice."""
        until = time.monotonic() + SLICE_S
        seen = 0
        for candidate in self.source(tally.window).after(tally.cursor, SLICE):
            seen += 1
            tally.cursor = candidate.key
            if candidate.event is not None:
                self._count(tally, candidate.key, candidate.moment, candidate.event)
            if time.monotonic() > until:
                break
        else:
            tally.is_done = seen < SLICE
        tally.looked_at += seen
        if tally.looked_at >= MAX_LOOKED_AT and not tally.is_done:
            tally.is_done = tally.is_capped = True
        tally.records = _largest(tally.records, _MAX_RECORDS)

    def share(self, tally: Tally) -> float:
        """How far it has come: 0 to 1."""
        if tally.is_done:
            return 1.0
        by_number = tally.looked_at / MAX_LOOKED_AT
        return max(by_number, self.source(tally.window).share(tally.cursor))

    def finding(self, event: Event) -> Finding | None:
        """What the conditions come to with this event, rule by rule."""
        conditions = self.version.conditions
        return finding_of(conditions.explain(self._occasion(event).facts), self.labels)

    def _occasion(self, event: Event) -> Occasion:
        fitting = self.names & event_names_of(event)
        return Occasion(event, min(fitting or self.names))

    def _count(self, tally: Tally, key: str, moment: datetime, event: Event) -> None:
        counts = tally.counts.setdefault(bucket_of(moment, tally.days), [0, 0, 0])
        occasion = self._occasion(event)
        if why_unfit(self.version, event, occasion.name):
            counts[UNFIT] += 1
            return
        sample = [key, _label(event), moment.isoformat()]
        if self.version.conditions.passes(occasion.facts):
            counts[FIRED] += 1
            _keep(tally.fired, sample)
            if event.record_id:
                tally.records[event.record_id] = tally.records.get(event.record_id, 0) + 1
            return
        counts[HELD_BACK] += 1
        _keep(tally.held_back, sample)
        finding = finding_of(self.version.conditions.explain(occasion.facts), self.labels)
        for words in set(_failed_rules(finding)) if finding else ():
            if words in tally.rules or len(tally.rules) < _MAX_RULES:
                tally.rules[words] = tally.rules.get(words, 0) + 1


def labels_of(definition: ObjectDefinition | None) -> dict[str, str]:
    """What the values of an object's records are called."""
    fields = definition.schema.fields if definition else ()
    labels = {field.slug: field.label for field in fields}
    return {**labels, "stage": "Stage", "state": "State", "owner": "Owner"}


def bucket_of(moment: datetime, days: int) -> str:
    """The day, by the installation's time; of one day the hour."""
    local = timezone.localtime(moment)
    return f"{local:%Y-%m-%d %H}" if days == 1 else f"{local:%Y-%m-%d}"


def buckets_of(window: Window, days: int) -> list[str]:
    """All of them in order, so that those without events show as such."""
    step = timedelta(hours=1) if days == 1 else timedelta(days=1)
    found, moment = [], window.since
    while moment < window.until:
        found.append(bucket_of(moment, days))
        moment += step
    return list(dict.fromkeys([*found, bucket_of(window.until, days)]))


def _failed_rules(finding: Finding) -> Iterator[str]:
    """The rules that did not hold, wherever in the groups they are."""
    if finding.passed:
        return
    for member in finding.members:
        yield from _failed_rules(member)
    if not finding.members:
        wanted = finding.template or finding.wanted
        yield f"{finding.words} {finding.operator} {wanted}".strip()[:_MAX_WORDS]


def _label(event: Event) -> str:
    return (event.subject_label or event.type)[:80]


def _keep(samples: list[list[str]], sample: list[str]) -> None:
    if len(samples) < SAMPLES:
        samples.append(sample)


def _largest(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    return dict(Counter(counts).most_common(limit))
