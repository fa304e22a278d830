"""What expressions see in a run: the event's names, and what the run itself has come to."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from automations.models import Run
from records.expressions import Namespace
from records.expressions.errors import Problem
from records.linked import record_values
from records.models import Event, Record
from webhooks.payloads import OnDemand, context_of

# First names that a run adds to those of its event; `item` and `index` in loops, `error` in the fallback.
RUN_ROOTS = ("automation", "run", "vars", "steps", "index", "error", "secrets")
# The event of an inbound request; what came is in its `after`.
WEBHOOK_RECEIVED = "webhook.received"
# The events by which one automation starts another, whatever that is triggered by: for a record, or for none.
CALLED = "record.called"
CALLED_ALONE = "automation.called"


class LiveRecord(Namespace):
    """The record as it is now, loaded when an expression asks for it; as the event told of it once it is gone."""

    __slots__ = ("_as_told", "_load", "_record", "_values")

    def __init__(
        self, load: Callable[[], Record | None], as_told: Mapping[str, Any], label: str
    ) -> None:
        super().__init__(as_told, label=label)
        self._load = load
        self._as_told = as_told
        self._record: Record | None = None
        self._values: Mapping[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        record = self._load()
        if record is None:
            return self._as_told[name]
        if record is not self._record:
            self._record, self._values = record, record_values(record)
        return self._values[name]


class NoSecrets(Namespace):
    """What `secrets` is in steps that store what they work out; those that send put in their own."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        raise Problem(
            "secrets can be used in steps that send requests, and nowhere else: their values would be stored"
        )


def names_of(
    run: Run,
    automation_name: str,
    event: Event | None,
    load_record: Callable[[], Record | None],
    now: datetime,
) -> dict[str, Any]:
    """The names of one run that stay; `with_progress` adds what its steps bring."""
    names = context_of(event, run.event_name) if event else dict(_WITHOUT_EVENT)
    told = names.get("record")
    if run.record_id is not None:
        names["record"] = LiveRecord(load_record, told or {}, getattr(told, "label", "This record"))
    names["now"] = now
    names["automation"] = Namespace(
        {"id": run.automation_id, "name": automation_name}, label="`automation`"
    )
    names["run"] = OnDemand(
        {"id": run.pk, "mode": run.mode, "url": lambda: url_of(run)}, label="`run`"
    )
    if event is not None and event.type == WEBHOOK_RECEIVED:
        names["webhook"] = Namespace(event.after or {}, label="`webhook`")
    names["secrets"] = NoSecrets(label="`secrets`", noun="secret")
    return names


def with_progress(names: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """And what the run has come to: variables, outputs of steps, the entries of the loops that it is in, and the
    error that the fallback is there for."""
    variables = run.variables
    found = {
        **names,
        "vars": Namespace(variables.get("vars") or {}, label="`vars`", noun="variable"),
        "steps": Namespace(variables.get("steps") or {}, label="`steps`", noun="step"),
    }
    if "error" in variables:
        found["error"] = Namespace(variables["error"], label="`error`")
    for frame in run.cursor:
        if frame.get("items") is not None:
            found[frame["as"]] = frame["items"][frame["n"]]
            found["index"] = frame["n"]
    return found


def url_of(run: Run) -> str:
    return f"{settings.PUBLIC_URL}{reverse('admin:automations_run_change', args=[run.pk])}"


_WITHOUT_EVENT: Mapping[str, Any] = {
    "event": Namespace(label="`event`"),
    "record": None,
    "previous": Namespace(label="`previous`"),
    "subject": Namespace(label="`subject`"),
    "object": Namespace(label="`object`"),
    "actor": Namespace(label="`actor`"),
}
