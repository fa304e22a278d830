"""Send an HTTP request, and wait for what comes back, or not. Its job is delivered as every webhook's is."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

import jsonpointer
from django.utils import timezone
from pydantic import Field

from automations.changes import changes_between, snapshot_of
from automations.document.schema import Part
from automations.jsonvalues import kept, plain
from automations.steps import (
    Action,
    Answer,
    Config,
    Done,
    End,
    Scene,
    StepFailed,
    WaitForJob,
    action,
)
from records.services import update_record
from webhooks.auth import Auth
from webhooks.binding import Credentials, context_with_secrets, nonce_of
from webhooks.jsontext import iso_moment
from webhooks.models import JobStatus, RequestLog, WebhookJob
from webhooks.rendering import RenderError, RequestTemplate, render_request
from webhooks.retries import DEFAULT_DELAYS_S, DEFAULT_SUCCESS, RetryPolicy
from webhooks.statuses import parse_statuses

_BODY_FOR: Final = {"GET": "none", "DELETE": "none"}


class Row(Part):
    name: str
    value: str = ""


class TypedRow(Row):
    type: Literal["string", "number", "boolean", "json"] = "string"


class Pick(Part):
    """A value of the answer by its JSON Pointer (RFC 6901): /data/externalId."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,39}$")]
    pointer: str


class Store(Part):
    """A field of the run's record, and what of the answer it takes: a name of the schema, or an expression."""

    field: str
    value: str


class WebhookConfig(Config):
    """`method` empty: GET without a body, POST with one."""

    method: Literal["", "GET", "POST", "PUT", "PATCH", "DELETE"] = ""
    url: str
    path_params: list[Row] = []
    query_params: list[Row] = []
    headers: list[Row] = []
    body_kind: Literal["default", "json", "rows", "text", "none"] = "default"
    body: str = ""
    body_rows: list[TypedRow] = []
    # webhooks.auth.Auth as JSON, by the name of a secret.
    auth: dict[str, str] = {}
    signing_secret: str = ""
    client_certificate: str = ""
    success_statuses: str = DEFAULT_SUCCESS
    retry_statuses: str = ""
    halt_statuses: str = ""
    retry_delays_s: Annotated[
        list[Annotated[int, Field(ge=1, le=30 * 86_400)]], Field(max_length=20)
    ] = list(DEFAULT_DELAYS_S)
    timeout_s: Annotated[int, Field(ge=1, le=300)] = 30
    max_redirects: Annotated[int, Field(ge=0, le=10)] = 0
    # Wait for the answer, through all retries, or go on at once.
    wait: bool = True
    response: Literal["json", "text"] = "json"
    response_schema: list[Pick] = []
    store: list[Store] = []
    # What tests and dry runs take for the answer's body.
    sample_response: str = ""


class Sending(Action):
    """What actions have in common that send a request."""

    group = "Requests"
    effects = "outside"

    def request_of(self, config: Any) -> WebhookConfig:
        """The request as a webhook step has it."""
        raise NotImplementedError

    def execute(self, config: Any, scene: Scene, prepared: Any) -> Answer:
        wanted = self.request_of(config)
        job = self._job(wanted, scene)
        scene.input = shown_request(job)
        if scene.sends_nothing:
            return self._pretend(wanted, scene, job)
        if wanted.wait:
            return WaitForJob(job, f"Waits for the answer to {job.method} {job.shown_url}")
        return Done({"job": job.pk}, note="On its way; nobody waits for the answer.", job=job)

    def resume(self, config: Any, scene: Scene, waited: Any, prepared: Any) -> Answer:
        wanted, job = self.request_of(config), waited.job
        scene.input = waited.input
        if job is None:
            raise StepFailed("The job was deleted before it had ended.", kind="webhook")
        if job.status == JobStatus.CANCELLED:
            raise StepFailed("The job was cancelled by a person.", kind="webhook")
        log = RequestLog.objects.filter(job=job).order_by("-id").first()
        if job.status == JobStatus.FAILED:
            return self._came_to_nothing(wanted, job, log)
        assert log is not None  # a job that succeeded has an attempt
        return self._answered(wanted, scene, job, log.response_body, log.response_headers)

    def _came_to_nothing(
        self, wanted: WebhookConfig, job: WebhookJob, log: RequestLog | None
    ) -> Answer:
        words = job.error or f"The receiver answered {job.status_code}."
        halts = job.status_code in parse_statuses(wanted.halt_statuses) and not job.error_kind
        if halts:
            return End(
                "halted",
                f"Status {job.status_code} halts the run.",
                output=_output(job.status_code, None, log),
            )
        tried = f" after {job.attempts} attempts" if job.attempts > 1 else ""
        raise StepFailed(f"{words}{tried}", field="url", kind=job.error_kind or "status")

    def _answered(
        self, wanted: WebhookConfig, scene: Scene, job: WebhookJob, body: str, headers: Any
    ) -> Answer:
        response, document = read_response(wanted, body)
        output = {
            "status": job.status_code,
            "response": response,
            "headers": _as_mapping(headers),
            "job": job.pk,
        }
        return Done(output, changes=store_response(wanted, scene, response, document, output))

    def _pretend(self, wanted: WebhookConfig, scene: Scene, job: WebhookJob) -> Answer:
        """What would have been sent, and the sample as its answer."""
        note = f"Would have sent {job.method} {job.shown_url}; nothing was sent."
        if not wanted.wait:
            return Done({"job": None}, note=note)
        response, document = read_response(wanted, wanted.sample_response or "{}", is_sample=True)
        output = {"status": 200, "response": response, "headers": {}, "job": None}
        changes = (
            store_response(wanted, scene, response, document, output)
            if wanted.sample_response
            else ()
        )
        return Done(output, note=note, changes=changes)

    def _job(self, config: WebhookConfig, scene: Scene) -> WebhookJob:
        template = template_of(config)
        context = context_with_secrets(template, scene.names)
        try:
            request = render_request(template, context, payload_of(scene))
        except RenderError as error:
            raise StepFailed(
                error.reason, field=error.part, column=error.column, kind="expression"
            ) from None
        run, now = scene.run, timezone.now()
        credentials = Credentials(
            nonce=nonce_of(context),
            auth=Auth.from_json(config.auth),
            signing=config.signing_secret,
            certificate=config.client_certificate,
        )
        policy = RetryPolicy(
            delays_s=config.retry_delays_s,
            success=config.success_statuses,
            retry=config.retry_statuses,
            halt=config.halt_statuses,
        )
        return WebhookJob(
            webhook_name=f"{scene.automation_name} · {scene.step_name or scene.step_id}"[:120],
            event_id=run.event_id,
            event_name=run.event_name,
            record_id=run.record_id,
            run_id=run.pk,
            step_path=scene.path[:200],
            depth=run.depth + 1,
            method=request.method,
            url=request.url,
            headers=[list(pair) for pair in request.headers],
            body=request.body,
            lane=request.lane,
            credentials=credentials.to_json(),
            timeout_s=config.timeout_s,
            max_redirects=config.max_redirects,
            policy=policy.to_json(),
            max_attempts=1 + len(policy.delays_s),
            next_attempt_at=now,
            created_at=now,
        )


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


def method_of(config: WebhookConfig) -> str:
    if config.method:
        return config.method
    has_body = config.body_kind == "rows" or (config.body_kind in ("json", "text") and config.body)
    return "POST" if has_body or config.body_kind == "default" else "GET"


def template_of(config: WebhookConfig) -> RequestTemplate:
    method = method_of(config)
    kind: str = config.body_kind
    if kind == "default":
        kind = _BODY_FOR.get(method, "default")
    return RequestTemplate(
        method=method,
        url=config.url,
        path_params=[row.model_dump() for row in config.path_params],
        query_params=[row.model_dump() for row in config.query_params],
        headers=[row.model_dump() for row in config.headers],
        body_kind=kind,
        body=config.body,
        body_rows=[row.model_dump() for row in config.body_rows],
    )


def payload_of(scene: Scene) -> dict[str, Any]:
    """The documented default body, exactly these keys."""
    record = scene.load_record()
    return {
        "event": "automation.executed",
        "automation_id": scene.run.automation_id,
        "automation_name": scene.automation_name,
        "timestamp": iso_moment(scene.now),
        "record": {"id": record.pk, "object_id": record.object.public_id, "data": record.data}
        if record
        else None,
    }


def shown_request(job: WebhookJob) -> dict[str, Any]:
    """The request for people's eyes, secrets by name."""
    return {
        "method": job.method,
        "url": job.shown_url,
        "headers": job.shown_headers,
        "body": job.shown_body,
    }


def read_response(wanted: WebhookConfig, body: str, *, is_sample: bool = False) -> tuple[Any, Any]:
    """The answer as later steps see it, and the whole document. Raises StepFailed when it is not as expected."""
    if wanted.response == "text":
        return body, body
    try:
        document = json.loads(body) if body.strip() else None
    except ValueError:
        if not wanted.response_schema:
            return body, body  # nothing was expected of it
        raise StepFailed(
            f"The answer is no JSON, so nothing can be taken from it; it begins: {body[:100]}",
            field="response_schema",
            kind="response",
        ) from None
    if not wanted.response_schema:
        return kept(document), document
    return {
        pick.name: _picked(pick, document, is_sample=is_sample) for pick in wanted.response_schema
    }, document


def _picked(pick: Pick, document: Any, *, is_sample: bool) -> Any:
    try:
        return jsonpointer.resolve_pointer(document, pick.pointer)
    except (jsonpointer.JsonPointerException, TypeError):
        if is_sample:
            return None
        raise StepFailed(
            f"The answer has nothing at {pick.pointer}, which “{pick.name}” is taken from.",
            field=f"response_schema/{pick.name}",
            kind="response",
        ) from None


def store_response(
    wanted: WebhookConfig, scene: Scene, response: Any, document: Any, output: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Put parts of the answer into fields of the record. What changed."""
    if not wanted.store:
        return []
    record = scene.load_record()
    if record is None:
        raise StepFailed("There is no record to store the answer in.", field="store")
    names = {**scene.names, "response": response, "answer": output}
    values = {}
    for row in wanted.store:
        if isinstance(response, Mapping) and row.value in response:
            values[row.field] = response[row.value]
        else:
            values[row.field] = plain(_rendered(row, names))
    before = snapshot_of(record)
    update_record(record=record, data=values)
    scene.forget_record()
    return changes_between(before, record)


def _rendered(row: Store, names: Mapping[str, Any]) -> Any:
    from automations.steps import failed_expression
    from records.expressions import ExpressionError, render_typed

    try:
        return render_typed(row.value, names)
    except ExpressionError as error:
        raise failed_expression(f"store/{row.field}", row.value, error) from None


def _output(status: int | None, response: Any, log: RequestLog | None) -> dict[str, Any]:
    return {"status": status, "response": kept(log.response_body) if log else response}


def _as_mapping(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
