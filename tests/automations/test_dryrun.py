"""A dry run does everything, tells what it did, and leaves nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import TestCase

from automations import dryrun, timelimits
from automations.actions.set_variables import SetVariables
from automations.document import TriggerPart
from automations.document.checking import check_document
from automations.dryrun import DryRun, dry_run
from automations.models import Automation, Run, RunMode, RunStatus, StepRun
from automations.samples import TrialSamples
from automations.services import create_automation
from automations.steps import ACTIONS, Done
from records.models import Event, ObjectDefinition, Record, RecordState
from records.services import quarantine_record
from tests.automations.making import (
    ON_CREATED,
    end_job,
    make_automation,
    make_lead,
    make_leads,
    step,
    work,
)
from tests.records.making import make_user
from webhooks.models import WebhookJob

pytestmark = pytest.mark.django_db

URL = "https://example.com/hook"


def tried(
    *steps: dict[str, Any],
    key: str = "",
    trigger: dict[str, Any] | None = None,
    conditions: dict[str, Any] | None = None,
    anyway: bool = False,
    automation: Automation | None = None,
    on_failure: dict[str, Any] | None = None,
) -> DryRun:
    """Try these steps with the record of this key, or with something made up."""
    document = {
        "trigger": trigger or ON_CREATED,
        "conditions": conditions,
        "steps": list(steps),
        "settings": {"on_failure": on_failure or {}},
    }
    automation = automation or create_automation(name="Draft", draft=document)
    samples = TrialSamples(
        make_user(f"root{Automation.objects.count()}{Event.objects.count()}", is_superuser=True),
        automation,
        TriggerPart.model_validate(document["trigger"]),
    )
    sample = samples.get(key or "sample")
    return dry_run(
        automation=automation,
        document=document,
        event=sample.event,
        event_name=samples.event_name,
        ignore_conditions=anyway,
    )


def all_rows() -> dict[str, list[Any]]:
    """The contents of every table but those of sequences."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            if name == "sqlite_sequence":
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608
            found[name] = sorted(map(repr, cursor.fetchall()))
    return found


def all_files() -> list[tuple[str, int]]:
    root = Path(settings.MEDIA_ROOT)
    return sorted((str(path), path.stat().st_mtime_ns) for path in root.rglob("*"))


@contextmanager
def nothing_left() -> Iterator[None]:
    rows, files = all_rows(), all_files()
    with TestCase.captureOnCommitCallbacks() as callbacks:
        yield
    assert callbacks == []
    after = all_rows()
    assert {name: after[name] for name in after if after[name] != rows[name]} == {}
    assert all_files() == files


def everything(other: str) -> list[dict[str, Any]]:
    """Steps of every kind that there is, but for `stop` (which would end them)."""
    return [
        step("update_record", "update", data={"status": "tried", "amount": 7}),
        step("create_record", "create", object="companies", data={"name": "New"}),
        step("add_comment", "say", body="Hello"),
        step("add_task", "task", title="Call them"),
        step("move_stage", "move", stage="contacted"),
        step("notify", "notify", title="Look", owner=True, teams=["Sales"]),
        step("send_email", "mail", to=["a@example.com"], subject="Hi", body="Text"),
        step("webhook", "hook", url=URL, method="POST", sample_response='{"id": 7}'),
        step("webhook", "forget", url=URL, method="POST", wait=False),
        step("ping", "ping", url=URL),
        step("respond", "respond", on_error="continue"),
        step("run_automation", "other", automation=other),
        step("set_variables", "vars", variables=[{"name": "x", "value": "{{ 1 + 1 }}"}]),
        step("wait", "wait", duration=3, unit="days"),
        step(
            "for_each",
            "loop",
            list="{{ [1, 2] }}",
            steps=[step("add_comment", "in_loop", body="{{ item }}")],
        ),
        step(
            "branch",
            "branch",
            conditions=[
                {
                    "if": {"match": "all", "rules": [{"field": "status", "operator": "is_empty"}]},
                    "then": [],
                },
                {"else": [step("add_comment", "in_arm", body="else")]},
            ],
        ),
        step("quarantine_record", "quarantine", reason="Look at it"),
        step("delete_record", "delete"),
    ]


@pytest.fixture
def lead() -> Record:
    make_leads()
    Group.objects.create(name="Sales").user_set.add(make_user("ada", email="ada@example.com"))
    return make_lead(owner=make_user("grace", email="grace@example.com"))


def test_every_action_is_tried_and_nothing_is_left(lead: Record) -> None:
    make_automation(step("add_comment", body="x"), name="Other")
    steps = everything("Other")
    assert ACTIONS.keys() - {each["type"] for each in steps} <= {"stop"}
    automation = create_automation(name="Draft", draft={"trigger": ON_CREATED, "steps": steps})
    assert check_document(automation.draft) == []
    user = make_user("root", is_superuser=True)
    with nothing_left():
        sample = TrialSamples(user, automation, TriggerPart(**ON_CREATED)).get(lead.pk)
        run = dry_run(
            automation=automation,
            document=automation.draft,
            event=sample.event,
            event_name="record.created",
        )
    by_path = {row.path: row for row in run.steps}
    failed = {path: row.error for path, row in by_path.items() if row.error and path != "respond"}
    assert failed == {}
    assert run.run.status == RunStatus.SUCCEEDED, run.run.reason
    assert {each["field"] for each in by_path["update"].changes} == {"status", "amount"}
    assert by_path["loop[1]/in_loop"].status == "succeeded"
    assert "in_arm" in "".join(by_path)
    assert "nothing was sent" in by_path["hook"].note
    assert "nothing was sent" in by_path["mail"].note


def test_failing_steps_and_the_fallback_are_undone(lead: Record) -> None:
    with nothing_left():
        run = tried_with_known_user(
            lead,
            step("update_record", "fine", data={"status": "x"}),
            step("update_record", "bad", data={"amount": "much"}),
            on_failure={"steps": [step("add_comment", "sorry", body="{{ error.message }}")]},
        )
    assert run.run.status == RunStatus.FAILED
    assert [row.path for row in run.steps] == ["fine", "bad", "sorry"]


def tried_with_known_user(lead: Record, *steps: dict[str, Any], **settings_: Any) -> DryRun:
    """Without writing anything itself."""
    document = {"trigger": ON_CREATED, "steps": list(steps), "settings": settings_}
    automation = Automation(name="Draft")
    user = lead.owner
    user.is_superuser = True
    sample = TrialSamples(user, automation, TriggerPart(**ON_CREATED)).get(lead.pk)
    return dry_run(
        automation=automation, document=document, event=sample.event, event_name="record.created"
    )


def test_errors_of_the_database_are_undone(lead: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, config: Any, scene: Any, prepared: Any) -> Any:
        Record.objects.filter(pk=lead.pk).update(stage="won")
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")
        return Done()

    monkeypatch.setattr(SetVariables, "execute", broken)
    with nothing_left():
        run = tried_with_known_user(
            lead,
            step("update_record", "fine", data={"status": "x"}),
            step("set_variables", "bad", variables=[{"name": "x", "value": "1"}]),
        )
    assert run.run.status in (RunStatus.FAILED, RunStatus.CANCELLED)


def test_it_is_cut_off_in_the_middle_of_a_long_statement(
    lead: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = (
        "SELECT pg_sleep(30)"
        if connection.vendor == "postgresql"
        else "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    )

    def slow(self: Any, config: Any, scene: Any, prepared: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(endless)
        return Done()

    monkeypatch.setattr(dryrun, "MAX_S", 0.3)
    monkeypatch.setattr(SetVariables, "execute", slow)
    with nothing_left():
        run = tried_with_known_user(
            lead,
            step("update_record", "fine", data={"status": "x"}),
            step("set_variables", "slow", variables=[{"name": "x", "value": "1"}]),
        )
    assert run.run.status == RunStatus.CANCELLED
    assert "Stopped after" in run.run.reason
    assert run.seconds < 5


def test_no_statement_begins_when_the_time_is_over(lead: Record) -> None:
    with timelimits.at_most(-1), pytest.raises(timelimits.OutOfTime):
        Record.objects.count()
    assert Record.objects.count() == 1


def test_what_would_be_set_off_is_named_and_not_started(lead: Record) -> None:
    on_stage = {"type": "stage_changed", "config": {"object": "leads", "to_stages": ["won"]}}
    make_automation(step("add_comment", body="x"), trigger=on_stage, name="Celebrate")
    only_rich = {
        "match": "all",
        "rules": [{"field": "amount", "operator": "greater_than", "value": 9}],
    }
    make_automation(
        step("add_comment", body="x"), trigger=on_stage, conditions=only_rich, name="Rich"
    )
    work()
    before = Run.objects.count()
    run = tried(step("move_stage", stage="won"), key=lead.pk)
    assert [(each.name, each.event_name) for each in run.sets_off] == [
        ("Celebrate", "record.stage_changed")
    ]
    work()
    assert Run.objects.count() == before


def test_a_made_up_record_exists_as_long_as_it_is_tried() -> None:
    make_leads()
    run = tried(step("update_record", "s1", data={"status": "{{ record.name }}!"}))
    assert run.run.status == RunStatus.SUCCEEDED, run.run.reason
    assert run.steps[0].changes[0]["field"] == "status"
    assert not Record.objects.exists()


NEVER = {"match": "all", "rules": [{"field": "amount", "operator": "greater_than", "value": 99}]}


def test_conditions_that_say_no_are_told_and_can_be_overruled(lead: Record) -> None:
    comment = step("add_comment", body="x")
    run = tried(comment, conditions=NEVER, key=lead.pk)
    assert (run.run.status, run.refusal) == (RunStatus.SKIPPED, "The conditions were not met.")
    assert run.run.conditions["passed"] is False
    assert run.steps == []
    run = tried(comment, conditions=NEVER, key=lead.pk, anyway=True)
    assert (run.run.status, run.refusal) == (RunStatus.SUCCEEDED, "The conditions were not met.")


def test_a_record_in_quarantine_would_not_fire(lead: Record) -> None:
    quarantine_record(record=lead, reason="Odd")
    run = tried(step("add_comment", body="x"), key=lead.pk)
    assert "quarantine" in run.refusal


def hook(**config: Any) -> dict[str, Any]:
    return step("webhook", "hook", url=URL, method="POST", **config)


def answer_of(run: DryRun) -> Any:
    return run.steps[0].output["response"]


def test_the_steps_sample_is_its_answer(lead: Record) -> None:
    run = tried(hook(sample_response='{"id": 7}'), key=lead.pk)
    assert answer_of(run) == {"id": 7}
    assert "the step's sample" in run.steps[0].note


def test_without_a_sample_the_last_real_answer_is_taken(lead: Record) -> None:
    work()
    automation = make_automation(hook(), name="Live")
    make_lead()
    work()
    end_job(WebhookJob.objects.get(), body='{"id": 12}')
    work()
    run = tried(hook(), key=lead.pk, automation=automation)
    assert answer_of(run) == {"id": 12}
    assert "the last real one" in run.steps[0].note


def test_without_any_answer_it_is_empty_and_says_so(lead: Record) -> None:
    run = tried(hook(), key=lead.pk)
    assert answer_of(run) == {}
    assert "No answer of it is known yet" in run.steps[0].note


@pytest.mark.parametrize(
    ("trigger", "event_type"),
    [
        ({"type": "schedule", "config": {"every": 1, "unit": "hours"}}, "schedule.tick"),
        ({"type": "manual", "config": {}}, "automation.clicked"),
        ({"type": "webhook", "config": {}}, "webhook.received"),
        (
            {"type": "due", "config": {"object": "leads", "field": "last_contacted_at"}},
            "record.due",
        ),
        ({"type": "manual", "config": {"object": "leads"}}, "record.clicked"),
        (
            {"type": "field_changed", "config": {"object": "leads", "fields": ["amount"]}},
            "record.updated",
        ),
        (
            {
                "type": "stage_changed",
                "config": {"object": "leads", "from_stages": ["won"], "to_stages": ["new"]},
            },
            "record.updated",
        ),
    ],
)
def test_every_trigger_has_something_to_be_tried_with(
    trigger: dict[str, Any], event_type: str, lead: Record
) -> None:
    run = tried(step("set_variables", variables=[{"name": "x", "value": "1"}]), trigger=trigger)
    assert run.refusal == ""
    assert run.run.event.type == event_type
    assert run.run.status == RunStatus.SUCCEEDED, run.run.reason


def test_a_dry_run_writes_no_run(lead: Record) -> None:
    run = tried(step("add_comment", body="x"), key=lead.pk)
    assert run.run.mode == RunMode.TEST
    assert not Run.objects.exists()
    assert not StepRun.objects.exists()


def test_a_draft_of_a_record_is_no_hindrance(lead: Record) -> None:
    leads = ObjectDefinition.objects.get(slug="leads")
    draft = Record.objects.filter(object=leads).get()
    Record.objects.filter(pk=draft.pk).update(state=RecordState.DRAFT)
    run = tried(step("update_record", data={"status": "x"}), key=draft.pk)
    assert run.run.status == RunStatus.SUCCEEDED, run.run.reason
