"""What inbound requests ask of automations: the run of an event, how far it is, and what a draft would do."""

from collections.abc import Mapping
from typing import Any, Final

from automations.document.checking import check_document
from automations.dryrun import DryRun, dry_run
from automations.models import OPEN_STATUSES, Automation, Run, RunStatus
from automations.receivers import create_runs
from records.models import Event
from webhooks.inbound.runs import Reactions, RunState, register_runs

_FAILED: Final = (RunStatus.FAILED, RunStatus.CANCELLED)


class RunsOfAutomations:
    """Registered with the app below, which cannot import this one (`webhooks.inbound.runs`)."""

    def runs_among(self, reactions: Reactions) -> Mapping[str, str]:
        runs: list[Run] = next(
            (found for receiver, found in reactions if receiver is create_runs), []
        )
        return {str(run.event_id): str(run.pk) for run in reversed(runs)}

    def run_of_event(self, event_id: str) -> str | None:
        runs = Run.objects.filter(event=event_id).order_by("pk")
        run_id: str | None = runs.values_list("pk", flat=True).first()
        return run_id

    def state_of_run(self, run_id: str) -> RunState | None:
        found = Run.objects.filter(pk=run_id).values_list("status", "answer").first()
        if found is None:
            return None
        status, answer = found
        return RunState(
            id=run_id,
            status=status,
            has_ended=status not in OPEN_STATUSES,
            has_failed=status in _FAILED,
            answer=answer,
        )

    def try_draft(self, automation_id: str, event: Event) -> Mapping[str, Any] | None:
        automation = Automation.objects.filter(pk=automation_id).first()
        if automation is None:
            return None
        mistakes = check_document(automation.draft)
        if mistakes:
            return {"status": "mistakes", "mistakes": [mistake.message for mistake in mistakes]}
        tried = dry_run(
            automation=automation, document=automation.draft, event=event, event_name=event.type
        )
        return _told(tried)


def _told(tried: DryRun) -> dict[str, Any]:
    """What the tester sees. Secrets are by name in it, as in every trace."""
    return {
        "status": tried.run.status,
        "reason": tried.refusal or tried.run.reason,
        "answer": tried.run.answer,
        "steps": [
            {
                "step": step.path,
                "type": step.type,
                "status": step.status,
                "input": step.input,
                "output": step.output,
                "error": step.error,
                "changes": step.changes,
                "note": step.note,
            }
            for step in tried.steps
        ],
    }


register_runs(RunsOfAutomations())
