"""Send an HTTP request, and wait for what comes back, or not. Its job is delivered as every webhook's is."""

from typing import Any, ClassVar

from automations.jsonvalues import kept
from automations.request_config import WebhookConfig
from automations.responses import read_answer, read_body, store_answer
from automations.sending import job_of, method_of, shown_request
from automations.steps import (
    Action,
    Answer,
    Done,
    End,
    Outputs,
    Scene,
    StepFailed,
    WaitForJob,
    action,
)
from webhooks.models import JobStatus, RequestLog, WebhookJob
from webhooks.statuses import parse_statuses


class Sending(Action):
    """What actions have in common that send a request."""

    group = "Requests"
    effects = "outside"

    def request_of(self, config: Any) -> WebhookConfig:
        """The request as a webhook step has it."""
        raise NotImplementedError

    def writes(self, config: Any) -> bool:
        """Its job is written with the batch; only what is stored of the answer changes a record."""
        return bool(self.request_of(config).store)

    def execute(self, config: Any, scene: Scene, prepared: Any) -> Answer:
        wanted = self.request_of(config)
        job = job_of(wanted, scene)
        scene.input = shown_request(job)
        if scene.sends_nothing:
            return self._pretend(wanted, scene, job)
        if wanted.wait:
            return WaitForJob(job, f"Waits for the answer to {job.method} {job.shown_url}")
        return Done({"job": job.pk}, note="On its way; nobody waits for the answer.", job=job)

    def resume(self, config: Any, scene: Scene, waited: Any, prepared: Any) -> Answer:
        wanted, job, log = self.request_of(config), waited.job, scene.answer
        scene.input = waited.input
        if job is None:
            raise StepFailed("The job was deleted before it had ended.", kind="webhook")
        if job.status == JobStatus.CANCELLED:
            raise StepFailed("The job was cancelled by a person.", kind="webhook")
        if job.status == JobStatus.FAILED:
            return self._came_to_nothing(wanted, job, log)
        if log is None:
            raise StepFailed("The answer is not in the request log any more.", kind="webhook")
        return self._answered(wanted, scene, job, log)

    def outputs(self, config: Any) -> Outputs:
        wanted = self.request_of(config)
        if not wanted.wait:
            return {"job": "Id of the webhook job"}
        picked = {pick.name: f"From {pick.pointer}" for pick in wanted.response_schema}
        return {
            "status": "The status",
            "response": picked or None,
            "headers": None,
            "job": "Id of the webhook job",
        }

    def _came_to_nothing(
        self, wanted: WebhookConfig, job: WebhookJob, log: RequestLog | None
    ) -> Answer:
        """All attempts are used up, or a status halts the run."""
        if not job.error_kind and job.status_code in parse_statuses(wanted.halt_statuses):
            output = {
                "status": job.status_code,
                "response": kept(log.response_body) if log else None,
            }
            return End("halted", f"Status {job.status_code} halts the run.", output=output)
        words = job.error or f"The receiver answered {job.status_code}."
        tried = f" It was tried {job.attempts} times." if job.attempts > 1 else ""
        # An answer says nothing of a field; what kept the request from arriving is about its address.
        field = "url" if job.error_kind else ""
        raise StepFailed(f"{words}{tried}", field=field, kind=job.error_kind or "status")

    def _answered(
        self, wanted: WebhookConfig, scene: Scene, job: WebhookJob, log: RequestLog
    ) -> Answer:
        reading = read_answer(wanted, log)
        output = {
            "status": job.status_code,
            "response": reading.response,
            "headers": {name.lower(): value for name, value in log.response_headers},
            "job": job.pk,
        }
        changes = store_answer(wanted, scene, reading, output)
        return Done(output, note=reading.note or f"Status {job.status_code}", changes=changes)

    def _pretend(self, wanted: WebhookConfig, scene: Scene, job: WebhookJob) -> Answer:
        """What would have been sent, and the sample as its answer."""
        note = f"Would have sent {job.method} {job.shown_url}; nothing was sent."
        if not wanted.wait:
            return Done({"job": None}, note=note)
        reading = read_body(wanted, wanted.sample_response or "{}", is_sample=True)
        output = {"status": 200, "response": reading.response, "headers": {}, "job": None}
        is_stored = bool(wanted.sample_response)
        changes = store_answer(wanted, scene, reading, output) if is_stored else ()
        return Done(output, note=note, changes=changes)


@action
class WebhookAction(Sending):
    name = "webhook"
    label = "Send webhook"
    help = "Call another system, and use its answer in later steps."
    icon = "webhook"

    Config: ClassVar = WebhookConfig

    def request_of(self, config: WebhookConfig) -> WebhookConfig:
        return config

    def describe(self, config: WebhookConfig) -> str:
        return f"{method_of(config)} {config.url}"
