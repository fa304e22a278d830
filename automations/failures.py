"""The error path: what the end of a run means for its automation, its record, and the people concerned."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.urls import reverse

from automations.compiled import compiled_version
from automations.document.schema import OnFailure
from automations.exceptions import VersionBroken
from automations.generations import bump_generation
from automations.models import Automation, AutomationState, AutomationVersion, Run, RunStatus
from config.clocks import shared_now
from config.queues import TookTooLong
from records.actors import acting
from records.events import capture, make_event
from records.listeners import is_anybody_listening
from records.messages import admins, notify, queue_mail, with_link
from records.models import Event, Record, Urgency, User
from records.services import quarantine_record

logger = logging.getLogger(__name__)

RUN_FAILED: Final = "run.failed"
# People hear of one automation's failures at most so often; what fails in between comes with the next.
TELL_INTERVAL_S: Final = 3600


def settle_finished(runs: Sequence[Run]) -> None:
    """What follows from the end of these runs. Call it in the transaction that ends them."""
    if not any(run.status in (RunStatus.FAILED, RunStatus.SUCCEEDED) for run in runs):
        return
    try:
        with transaction.atomic():
            _settle(runs)
    except (OperationalError, InterfaceError, TookTooLong):
        raise
    except Exception:  # a run must be able to end, whatever comes of telling people so
        logger.exception("What follows from the end of %d runs failed", len(runs))


def _settle(runs: Sequence[Run]) -> None:
    failed = [run for run in runs if run.status == RunStatus.FAILED]
    succeeded = {run.automation_id for run in runs if run.status == RunStatus.SUCCEEDED}
    # Records before automations, and those in one order: so that two workers do not wait for each other.
    _quarantine_records(failed)
    by_automation: dict[str, list[Run]] = defaultdict(list)
    for run in failed:
        by_automation[run.automation_id].append(run)
    concerned = Q(pk__in=by_automation) | Q(pk__in=succeeded, failures_in_a_row__gt=0)
    locked = Automation.objects.filter(concerned).order_by("pk").select_for_update(no_key=True)
    for automation in locked:
        if automation.pk in succeeded:  # a success ends a row of failures
            automation.failures_in_a_row = 0
            automation.save(update_fields=["failures_in_a_row"])
        if automation.pk in by_automation:
            _settle_failed(automation, by_automation[automation.pk])
    if failed and is_anybody_listening(RUN_FAILED):
        capture(*(_run_failed(run) for run in failed if run.event_name != RUN_FAILED))


def policy_of(version: AutomationVersion) -> OnFailure:
    """What is to be done when a run of it fails, also where the version can't be run any more."""
    try:
        return compiled_version(version).settings.on_failure
    except VersionBroken:
        return OnFailure()


def tell_of_failures() -> int:
    """The digest: automations whose failures nobody has heard of for an hour. How many were told of."""
    now = shared_now()
    waiting = Automation.objects.filter(
        has_untold_failures=True,
        told_of_failures_at__lte=now - timedelta(seconds=TELL_INTERVAL_S),
    )
    told = 0
    for pk in waiting.values_list("pk", flat=True):
        with transaction.atomic():
            automation = (
                waiting.filter(pk=pk).select_for_update(of=("self",), skip_locked=True).first()
            )
            if automation is None:
                continue
            latest = (
                automation.runs.filter(status=RunStatus.FAILED).select_related("version").first()
            )
            if latest is not None:
                _tell(automation, latest, policy_of(latest.version), now)
            automation.has_untold_failures = False
            automation.save(update_fields=["told_of_failures_at", "has_untold_failures"])
            told += 1
    return told


def is_digest_due(now: datetime) -> bool:
    return Automation.objects.filter(
        has_untold_failures=True,
        told_of_failures_at__lte=now - timedelta(seconds=TELL_INTERVAL_S),
    ).exists()


def _settle_failed(automation: Automation, failed: Sequence[Run]) -> None:
    """Count, pause, tell. `automation` is locked."""
    now = shared_now()
    latest = failed[-1]
    policy = policy_of(latest.version)
    automation.failures_in_a_row += len(failed)
    is_paused = _pause_if_hopeless(automation, policy)
    told_at = automation.told_of_failures_at
    if is_paused or told_at is None or now - told_at >= timedelta(seconds=TELL_INTERVAL_S):
        _tell(automation, latest, policy, now)
        automation.has_untold_failures = False
    else:
        automation.has_untold_failures = True
    automation.save(
        update_fields=[
            "failures_in_a_row", "state", "paused_reason", "told_of_failures_at", "has_untold_failures",
        ]
    )  # fmt: skip


def _pause_if_hopeless(automation: Automation, policy: OnFailure) -> bool:
    limit = policy.pause_after
    if limit is None or automation.failures_in_a_row < limit:
        return False
    if automation.state not in (AutomationState.ACTIVE, AutomationState.TEST):
        return False
    automation.state = AutomationState.PAUSED
    automation.paused_reason = (
        f"Paused by itself after {automation.failures_in_a_row} failed runs in a row."
    )
    bump_generation()
    return True


def _quarantine_records(failed: Iterable[Run]) -> None:
    """Automations leave these records alone until a person releases them."""
    causes = {run.record_id: run for run in failed if run.record_id}
    causes = {pk: run for pk, run in causes.items() if policy_of(run.version).quarantine}
    if not causes:
        return
    found = Record.objects.filter(pk__in=causes, quarantined_at=None).select_related("object")
    for record in found.order_by("pk"):
        run = causes[record.pk]
        name = run.automation.name
        with acting(label=f"Automation “{name}”", run_id=run.pk, depth=run.depth + 1):
            quarantine_record(record=record, reason=f"“{name}” failed: {run.reason}")


def _tell(automation: Automation, latest: Run, policy: OnFailure, now: datetime) -> None:
    """In the app and by mail, at once or as a digest of what failed since people were last told."""
    people = _people(policy)
    since = automation.told_of_failures_at
    automation.told_of_failures_at = now
    if not people:
        return
    title, body = _words(automation, latest, since)
    url = reverse("admin:automations_run_change", args=[latest.pk])
    urgency = Urgency.URGENT if automation.state == AutomationState.PAUSED else Urgency.HIGH
    notify(
        people, title=title, body=body, url=url, urgency=urgency, by_mail=settings.FAILURE_DIGEST
    )
    if settings.FAILURE_DIGEST and settings.ALERT_EMAILS and policy.notify_admins:
        queue_mail(to=settings.ALERT_EMAILS, subject=title, body=with_link(body, url))


def _people(policy: OnFailure) -> list[User]:
    people = {user.pk: user for user in admins()} if policy.notify_admins else {}
    teams = Group.objects.filter(name__in=policy.notify_teams)
    for user in User.objects.filter(groups__in=teams, is_active=True).distinct():
        people[user.pk] = user
    return list(people.values())


def _words(automation: Automation, latest: Run, since: datetime | None) -> tuple[str, str]:
    runs = automation.runs.filter(status=RunStatus.FAILED)
    count = min(100, runs.filter(finished_at__gt=since)[:100].count()) if since else 1
    count = max(1, count)
    if automation.state == AutomationState.PAUSED:
        title = (
            f"“{automation.name}” is paused: {automation.failures_in_a_row} runs failed in a row"
        )
    elif count > 1:
        title = f"“{automation.name}”: {count}{'+' if count == 100 else ''} runs failed"
    else:
        title = f"“{automation.name}” failed"
    return title[:200], latest.reason


def _run_failed(run: Run) -> Event:
    """The event run.failed: what failed, where and why."""
    error = run.error or {}
    event = make_event(
        RUN_FAILED,
        after={
            "automation_id": run.automation_id,
            "automation": run.automation.name,
            "event": run.event_name,
            "record_id": run.record_id,
            "step": error.get("step", ""),
            "field": error.get("field", ""),
            "message": error.get("message", run.reason),
            "kind": error.get("kind", ""),
        },
        subject_id=run.pk,
        subject_label=f"{run.automation.name}: {run.reason}",
    )
    event.run_id, event.depth = run.pk, run.depth + 1
    return event
