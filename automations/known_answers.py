"""What requests that are not sent are answered: the step's own sample, else what came back the last time."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils import timezone

from automations.models import Run, RunMode, RunStatus, StepRun, StepStatus
from webhooks.models import RequestLog

# How many of the last runs that went well are looked at.
_RUNS: Final = 20

SAMPLE: Final = "Its answer here is the step's sample."
NOTHING_KNOWN: Final = (
    "No answer of it is known yet, so it is empty here; write a sample of an answer into the step."
)


def with_known_answers(
    automation_id: str, document: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The document with answers for its webhook steps, and by step id where each is from, in words."""
    filled = copy.deepcopy(dict(document))
    waiting = {step["id"]: step["config"] for step in _waiting_steps(filled)}
    words = {pk: SAMPLE for pk, config in waiting.items() if config.get("sample_response")}
    logs = _last_answers(automation_id, waiting.keys() - words.keys())
    for step_id, config in waiting.items():
        if step_id in words:
            continue
        log = logs.get(step_id)
        if log is None:
            words[step_id] = NOTHING_KNOWN
            continue
        config["sample_response"] = log.response_body
        moment = timezone.localtime(log.started_at)
        words[step_id] = f"Its answer here is the last real one, of {moment:%b %-d, %H:%M}."
    return filled, words


def _waiting_steps(value: Any) -> Iterator[dict[str, Any]]:
    """The webhook steps that wait for an answer, wherever they are nested."""
    if isinstance(value, dict):
        config = value.get("config")
        if value.get("type") == "webhook" and "id" in value and isinstance(config, dict):
            if config.get("wait", True):
                yield value
            return
        for inner in value.values():
            yield from _waiting_steps(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _waiting_steps(inner)


def _last_answers(automation_id: str, step_ids: set[str]) -> dict[str, RequestLog]:
    """By step id, the last attempt of the job that it sent in the newest run that has one."""
    if not step_ids:
        return {}
    runs = Run.objects.filter(
        automation=automation_id, status=RunStatus.SUCCEEDED, mode=RunMode.LIVE
    ).order_by("-id")
    rows = StepRun.objects.filter(
        run__in=list(runs.values_list("pk", flat=True)[:_RUNS]),
        step_id__in=step_ids,
        status=StepStatus.SUCCEEDED,
        job__isnull=False,
    )
    jobs = {str(job): step for step, job in rows.order_by("id").values_list("step_id", "job_id")}
    logs = RequestLog.objects.filter(
        job__in=jobs, response_truncated=False, bodies_removed=False, status_code__isnull=False
    )
    found = {jobs[str(log.job_id)]: log for log in logs.order_by("id")}
    return {step: log for step, log in found.items() if log.response_body}
