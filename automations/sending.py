"""From a step's request to the job that delivers it, as every webhook is delivered."""

from typing import Any, Final

from django.utils import timezone

from automations.request_config import WebhookConfig
from automations.steps import Scene, StepFailed
from webhooks.auth import Auth
from webhooks.binding import Credentials, context_with_secrets, nonce_of
from webhooks.jsontext import iso_moment
from webhooks.models import WebhookJob
from webhooks.rendering import BODILESS_METHODS, RenderError, RequestTemplate, render_request
from webhooks.retries import RetryPolicy

# The parts of a request as its errors name them, and the fields that they are in.
_FIELDS: Final = {
    "URL": "url",
    "Body": "body",
    "Path parameter": "path_params",
    "Query parameter": "query_params",
    "Header": "headers",
    "Body row": "body_rows",
}


def method_of(config: WebhookConfig) -> str:
    """The method, also where the step leaves it to the body."""
    if config.method:
        return config.method
    has_body = config.body_kind == "rows" or (config.body_kind in ("json", "text") and config.body)
    return "POST" if has_body or config.body_kind == "default" else "GET"


def template_of(config: WebhookConfig) -> RequestTemplate:
    method = method_of(config)
    kind: str = config.body_kind
    if kind == "default" and method in BODILESS_METHODS:
        kind = "none"
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


def job_of(config: WebhookConfig, scene: Scene) -> WebhookJob:
    """The unsaved job. Its secrets are placeholders until it is sent. Raises StepFailed."""
    template = template_of(config)
    context = context_with_secrets(template, scene.names)
    payload = payload_of(scene) if template.body_kind == "default" else {}
    try:
        request = render_request(template, context, payload)
    except RenderError as error:
        raise _failed(error) from None
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


def _failed(error: RenderError) -> StepFailed:
    """The error of a request as a step's: “Header `X-Id`” is `headers/X-Id`."""
    what, _, rest = error.part.partition(" `")
    field = _FIELDS.get(what.partition(" at ")[0], what)
    name = rest.rstrip("`")
    where = f"line {error.line}: " if error.line > 1 else ""
    return StepFailed(
        f"{where}{error.reason}",
        field=f"{field}/{name}" if name else field,
        expression=_quoted(error.reason),
        column=error.column,
        kind="expression",
    )


def _quoted(reason: str) -> str:
    """The expression that an error begins with: `{{ record.nmae }}`: …"""
    if not reason.startswith("`"):
        return ""
    return reason[1:].partition("`: ")[0]
