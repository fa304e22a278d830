"""What the caller of an inbound webhook is answered. The run goes on."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field

from automations.document.schema import Part
from automations.jsonvalues import plain
from automations.names import WEBHOOK_RECEIVED
from automations.steps import Action, Answer, Config, Done, Scene, StepFailed, action
from webhooks.headers import check_headers
from webhooks.jsontext import JSONTextError, write_json

_DEFAULT_TYPE: Final = {True: "text/plain; charset=utf-8", False: "application/json"}
# What is kept in the run's row; callers of webhooks read no more.
MAX_BODY_BYTES: Final = 256 * 1024
# These have no body (RFC 9110, sections 15.3.5 and 15.4.5).
_BODILESS: Final = (204, 205, 304)


class HeaderRow(Part):
    name: Annotated[str, Field(max_length=200)]
    value: Annotated[str, Field(max_length=4000)] = ""


def _as_rows(value: Any) -> Any:
    """Also {"X-Id": "{{ record.id }}"}."""
    if isinstance(value, Mapping):
        return [{"name": name, "value": text} for name, text in value.items()]
    return value


class RespondConfig(Config):
    """`body`: any JSON, or a text; expressions in it are worked out."""

    status: Annotated[
        int | str,
        Field(
            title="Status",
            description="200 to 599, or an expression that gives one.",
            json_schema_extra={"input": "number"},
        ),
    ] = 200
    headers: Annotated[
        list[HeaderRow],
        BeforeValidator(_as_rows),
        Field(title="Headers", json_schema_extra={"input": "rows"}, max_length=50),
    ] = []
    body: Annotated[
        Any,
        Field(
            title="Body",
            description="JSON, or a text; both may hold expressions.",
            json_schema_extra={"input": "json"},
        ),
    ] = None


@action
class Respond(Action):
    name = "respond"
    label = "Respond"
    help = "Answer the system that called this automation's webhook."
    icon = "reply"
    group = "Requests"

    Config: ClassVar = RespondConfig

    def execute(self, config: RespondConfig, scene: Scene, prepared: Any) -> Answer:
        status = _status(config, scene)
        headers = [
            [row.name, str(plain(scene.render(f"headers/{place}", row.value)) or "").strip()]
            for place, row in enumerate(config.headers)
        ]
        for name, reason in check_headers([(name, value) for name, value in headers]):
            raise StepFailed(f"Header `{name[:60]}`: {reason}", field="headers")
        content_type, body = _body(config, scene)
        if body and status in _BODILESS:
            raise StepFailed(f"An answer with status {status} has no body.", field="body")
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            headers.insert(0, ["Content-Type", content_type])
        answer = {"status": status, "headers": headers, "body": body}
        scene.input = answer
        scene.run.answer = answer
        is_called = scene.run.event_name == WEBHOOK_RECEIVED
        note = "" if is_called else "Nobody is waiting for it: no request has started this run."
        return Done({"status": status}, note=note)

    def outputs(self, config: RespondConfig) -> Mapping[str, str]:
        return {"status": "The status"}

    def describe(self, config: RespondConfig) -> str:
        return f"Answer the caller with {config.status}"


def _status(config: RespondConfig, scene: Scene) -> int:
    value = scene.render("status", config.status)
    try:
        status = int(value)
    except (TypeError, ValueError):
        status = 0
    if not 200 <= status <= 599:
        written = config.status if isinstance(config.status, str) else ""
        words = f"A status is a number from 200 to 599, not “{str(value)[:60]}”."
        raise StepFailed(words, field="status", expression=written)
    return status


def _body(config: RespondConfig, scene: Scene) -> tuple[str, str]:
    """Content type and text. A text that is one expression may give JSON."""
    value = scene.render("body", config.body)
    if value is None or value == "":
        return "", ""
    is_text = isinstance(value, str)
    try:
        body = value if is_text else write_json(plain(value))
    except JSONTextError as error:
        raise StepFailed(str(error), field="body") from None
    if len(body.encode(errors="replace")) > MAX_BODY_BYTES:
        words = f"The answer is larger than {MAX_BODY_BYTES // 1024} KiB; that is more than can be kept."
        raise StepFailed(words, field="body")
    return _DEFAULT_TYPE[is_text], body.replace("\0", "\N{REPLACEMENT CHARACTER}")
