"""What a retry would do, before it does it: what runs again, what has happened and is left out, and what may be
noticed outside; for one run, and for many."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Literal

from automations.compiled import CompiledStep, CompiledVersion, compiled_version, current_index
from automations.cursors import Frame, start
from automations.exceptions import RunIsOpen, RunRefused, VersionBroken
from automations.models import (
    OPEN_STATUSES,
    Automation,
    AutomationVersion,
    Run,
    RunStatus,
    StepRun,
    StepStatus,
)
from automations.steps import ACTIONS

From = Literal["failed_step", "start"]
On = Literal["same", "current"]
# A retry of a retry of a retry: what happened is looked for so far back.
_MAX_CHAIN: Final = 20
_NOT_FIRED: Final = (
    "The run did not fire, so there is nothing to retry. Run it by hand, or replay the event."
)
_RETRIED: Final = "It was retried already; what that came to is a run of its own."


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a retry: `happened`: it was done by the earlier run; `again`: it will be done (again)."""

    id: str
    name: str
    type: str
    label: str
    words: str
    happened: bool
    again: bool
    # Reaches other systems or people: done twice, it is noticed.
    is_outside: bool
    # How deep it is nested in branches and loops.
    depth: int = 0


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What a retry would do, before it does it. `refusal`: why it can't be done; empty when it can."""

    run: Run
    version: AutomationVersion
    steps: Sequence[PlannedStep]
    refusal: str = ""

    @property
    def repeats_outside(self) -> list[PlannedStep]:
        """What has happened outside already, and would happen again."""
        return [step for step in self.steps if step.happened and step.again and step.is_outside]


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """Runs of one automation that would go on with the same version. `outside`: the names of steps that reach other
    systems or people, each with how many runs would do it, and for how many of them it has happened before."""

    automation: Automation
    version: AutomationVersion
    runs: Sequence[Run]
    outside: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class RetriesPlan:
    """What retrying many would do. `refused`: why some can't be retried, each with how many."""

    groups: Sequence[PlannedGroup]
    refused: Sequence[tuple[str, int]]

    @property
    def ids(self) -> list[str]:
        return [run.pk for group in self.groups for run in group.runs]


def plan_retry(*, run: Run, begin: From = "failed_step", on: On = "same") -> RetryPlan:
    """What would run again, what has happened and is left out, and what may be noticed outside."""
    current_index()
    try:
        version, refusal = version_for(run, on), ""
    except RunRefused as error:
        version, refusal = run.version, str(error)
    try:
        compiled = compiled_version(version)
    except VersionBroken as broken:
        return RetryPlan(run, version, [], str(broken))
    cursor = start()
    try:
        cursor = cursor_for(run, compiled, begin)
    except RunRefused as error:
        refusal = refusal or str(error)
    happened = _happened([run], {})[run.pk]
    return RetryPlan(run, version, _planned(compiled, cursor, happened), refusal)


def plan_retries(
    *, ids: Sequence[str], begin: From = "failed_step", on: On = "same"
) -> RetriesPlan:
    """The same for many runs, in a fixed number of queries."""
    current_index()
    related = ("automation__published", "version")
    runs = list(Run.objects.filter(pk__in=ids).select_related(*related).order_by("pk"))
    retried = set(Run.objects.filter(retry_of__in=ids).values_list("retry_of_id", flat=True))
    outside = {name for name, action in ACTIONS.items() if action.effects == "outside"}
    happened = _happened(runs, {"type__in": outside})
    groups: dict[str, list[Run]] = defaultdict(list)
    versions: dict[str, AutomationVersion] = {}
    refused: Counter[str] = Counter()
    done: dict[str, Counter[str]] = defaultdict(Counter)
    repeated: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        try:
            refuse_in_bulk(run, is_retried=run.pk in retried)
            version = version_for(run, on)
            compiled = compiled_version(version)
            cursor = cursor_for(run, compiled, begin)
        except RunRefused as error:
            refused[str(error)] += 1
            continue
        versions[version.pk] = version
        groups[version.pk].append(run)
        for step in _planned(compiled, cursor, happened[run.pk]):
            if step.is_outside and step.again:
                done[version.pk][step.name or step.label] += 1
                repeated[version.pk][step.name or step.label] += step.happened
    found = [
        PlannedGroup(
            automation=group[0].automation,
            version=versions[pk],
            runs=group,
            outside=[(name, number, repeated[pk][name]) for name, number in done[pk].items()],
        )
        for pk, group in groups.items()
    ]
    found.sort(key=lambda group: (-len(group.runs), group.automation.name))
    return RetriesPlan(found, refused.most_common())


def refuse_in_bulk(run: Run, *, is_retried: bool) -> None:
    """Raises RunRefused for what nobody means who retries many: above all, nothing is done twice."""
    refuse_to_retry(run)
    if is_retried:
        raise RunRefused(_RETRIED)


def refuse_to_retry(run: Run) -> None:
    if run.status in OPEN_STATUSES:
        raise RunIsOpen
    if run.status == RunStatus.SKIPPED:
        raise RunRefused(_NOT_FIRED)


def version_for(run: Run, on: On) -> AutomationVersion:
    if on == "same":
        return run.version
    if run.automation.published is None:
        raise RunRefused("Nothing of this automation is published now.")
    return run.automation.published


def cursor_for(run: Run, compiled: CompiledVersion, begin: From) -> list[Frame]:
    """Where the retry begins, in the places of that version."""
    if begin == "start":
        return start()
    places = deepcopy((run.error or {}).get("cursor") or [])
    if not places:
        raise RunRefused("No step of this run has failed; it can be retried from the start.")
    step_ids = _failed_ids(run)
    for frame, step_id in zip(places, step_ids, strict=True):
        block = compiled.blocks.get(frame["block"], ())
        found = next((n for n, step in enumerate(block) if step.id == step_id), None)
        if found is None:
            raise RunRefused(
                f"The current version has no step “{step_id}” at this place. Retry from the start, "
                "or on the version of the run."
            )
        frame["index"] = found
        frame.pop("waiting", None)
        frame.pop("attempt", None)
        frame.pop("config", None)  # what was changed for the earlier run: whoever retries says
    return places


# --- what happens --------------------------------------------------------------------------------


def _planned(
    compiled: CompiledVersion, cursor: Sequence[Frame], happened: set[str]
) -> list[PlannedStep]:
    again = _steps_from(compiled, cursor)
    return [
        PlannedStep(
            id=step.id,
            name=step.name,
            type=step.type,
            label=step.action.label if step.action else step.type,
            words=step.action.describe(step.config) if step.action else "",
            happened=step.id in happened,
            again=step.id in again and not step.disabled,
            is_outside=bool(step.action and step.action.effects == "outside"),
            depth=depth,
        )
        for depth, step in _all_steps(compiled, "")
    ]


def _happened(runs: Sequence[Run], only: Mapping[str, Any]) -> dict[str, set[str]]:
    """The ids of the steps that each run has done, or one of those that it tried again."""
    chains = _chains(runs)
    rows = StepRun.objects.filter(
        run__in={pk for chain in chains.values() for pk in chain},
        status=StepStatus.SUCCEEDED,
        **only,
    )
    done: dict[str, set[str]] = defaultdict(set)
    for pk, step_id in rows.order_by().values_list("run_id", "step_id").distinct():
        done[pk].add(step_id)
    return {pk: set[str]().union(*(done[each] for each in chain)) for pk, chain in chains.items()}


def _chains(runs: Iterable[Run]) -> dict[str, list[str]]:
    """Each run, the one that it tried again, the one that that one …"""
    parents: dict[str, str | None] = {run.pk: run.retry_of_id for run in runs}
    chains = {pk: [pk] for pk in parents}
    for _ in range(_MAX_CHAIN):
        missing = {pk for pk in parents.values() if pk} - parents.keys()
        if not missing:
            break
        parents |= dict(Run.objects.filter(pk__in=missing).values_list("pk", "retry_of_id"))
        # One that was cleaned up has no parent that we know.
        parents |= dict.fromkeys(missing - parents.keys())
    for chain in chains.values():
        while (parent := parents.get(chain[-1])) is not None:
            chain.append(parent)
    return chains


def _failed_ids(run: Run) -> list[str]:
    """The ids of the steps on the way to the failed one: "b/l[0]/w" → b, l, w."""
    return [part.partition("[")[0] for part in (run.error or {}).get("path", "").split("/")]


def _steps_from(compiled: CompiledVersion, cursor: Sequence[Frame]) -> set[str]:
    """What comes from a place on, whatever way branches take. Of a loop under way all steps."""
    ids: set[str] = set()
    for depth, frame in enumerate(cursor):
        is_last = depth == len(cursor) - 1
        block = compiled.blocks.get(frame["block"], ())
        begin = 0 if frame.get("items") is not None else frame["index"] + (0 if is_last else 1)
        for step in block[begin:]:
            ids.add(step.id)
            for child in _children(compiled, step):
                ids.update(inner.id for _, inner in _all_steps(compiled, child))
    return ids


def _all_steps(
    compiled: CompiledVersion, block: str, depth: int = 0
) -> list[tuple[int, CompiledStep]]:
    """In the order in which people read them, each with how deep it is nested."""
    found: list[tuple[int, CompiledStep]] = []
    for step in compiled.blocks.get(block, ()):
        found.append((depth, step))
        for child in _children(compiled, step):
            found += _all_steps(compiled, child, depth + 1)
    return found


def _children(compiled: CompiledVersion, step: CompiledStep) -> list[str]:
    """The blocks within a step, in the order of a branch's arms."""
    names = [name for name in compiled.blocks if name == step.id or name.startswith(f"{step.id}/")]
    return sorted(names, key=lambda name: (len(name), name))
