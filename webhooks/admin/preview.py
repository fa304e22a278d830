"""What a webhook would send for one event: the exact request, and the value behind each expression."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from records.expressions import (
    Expression,
    ExpressionError,
    Symbol,
    compile_template,
    evaluate,
)
from records.expressions import compile_expression as compile_filter
from webhooks.addresses import Refusal, judge_url
from webhooks.admin.bodies import BodyView, view_body
from webhooks.binding import Credentials, context_with_secrets, nonce_of
from webhooks.curl import curl_command
from webhooks.jsontext import JSONTextError, read_json, write_json
from webhooks.keyring import SecretKind
from webhooks.models import Secret, Webhook, WebhookJob
from webhooks.outbound import network_policy, outbound_request
from webhooks.rendering import (
    RenderedRequest,
    RenderError,
    RequestTemplate,
    matches,
    render_address,
    render_body,
    render_headers,
)
from webhooks.samples import Sample
from webhooks.subscriptions import Occasion, credentials_of, template_of
from webhooks.taking import ClaimedJob
from webhooks.validation import texts_of

FilterState = Literal["always", "yes", "no", "error"]

_MAX_VALUES: Final = 60
_MAX_SHOWN: Final = 300
_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true/false"),
    ((int, float), "number"),
    (str, "text"),
    (list, "list"),
    (dict, "object"),
)


@dataclass(frozen=True, slots=True)
class Value:
    """An expression and what it comes to; `kind` is empty where `error` says why it comes to nothing."""

    source: str
    shown: str = ""
    kind: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """`is_ours`: Signalbox adds it."""

    name: str
    value: str
    is_ours: bool = False


@dataclass(slots=True)
class Preview:
    """The parts of a request that can be made, and for the others why they can't."""

    sample: Sample
    method: str
    filter_state: FilterState = "always"
    filter_values: list[Value] = field(default_factory=list)
    url: str = ""
    refusal: str = ""
    headers: list[Header] = field(default_factory=list)
    body: BodyView | None = None
    values: list[Value] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    curl: str = ""
    # The name of the client certificate that it is sent with.
    certificate: str = ""

    # Nothing is entered yet: that is no mistake.
    lacks_url: bool = False

    @property
    def is_complete(self) -> bool:
        return not self.lacks_url and not self.errors.keys() & {"url", "headers", "body"}


def make_preview(webhook: Webhook, sample: Sample) -> Preview:
    """Render a webhook, saved or not, for one event. Never raises for what is entered."""
    occasion = Occasion(sample.event, webhook.event)
    template = template_of(webhook)
    context = context_with_secrets(template, occasion.context)
    preview = Preview(sample, webhook.method)
    _judge_filter(preview, webhook.filter, occasion.context)
    request = _render(preview, template, context, occasion.payload)
    if not webhook.url.strip():
        preview.lacks_url = True
        del preview.errors["url"]
    preview.values = list(_values(template, context))[:_MAX_VALUES]
    _put_on_the_wire(preview, request, credentials_of(webhook, nonce_of(context)))
    return preview


# --- The parts ------------------------------------------------------------------------------------


def _judge_filter(preview: Preview, condition: str, context: Mapping[str, Any]) -> None:
    if not condition.strip():
        return
    try:
        preview.filter_state = "yes" if matches(condition, context) else "no"
    except RenderError as error:
        preview.filter_state = "error"
        preview.errors["filter"] = str(error)
    try:
        names = sorted(compile_filter(condition).names)
    except ExpressionError:
        return
    preview.filter_values = [_value(name, name, context) for name in names]


def _render(
    preview: Preview,
    template: RequestTemplate,
    context: Mapping[str, Any],
    payload: Mapping[str, Any],
) -> RenderedRequest:
    """Each part for itself: a mistake in one does not hide the others."""
    request = RenderedRequest(template.method, "")
    content_type = ""
    try:
        content_type, body = render_body(template, context, payload)
        request = replace(request, body=body)
    except RenderError as error:
        preview.errors["body"] = str(error)
    try:
        request = replace(request, headers=render_headers(template, context, content_type))
    except RenderError as error:
        preview.errors["headers"] = str(error)
    try:
        url, lane = render_address(template, context)
        request = replace(request, url=url, lane=lane)
    except RenderError as error:
        preview.errors["url"] = str(error)
    return request


def _put_on_the_wire(preview: Preview, request: RenderedRequest, credentials: Credentials) -> None:
    """What the sending adds, by the code that sends; and whether the address may be called at all.

    Secrets are shown by their names.
    """
    job = WebhookJob(
        method=request.method,
        url=request.url,
        headers=[list(pair) for pair in request.headers],
        body=request.body,
        credentials=credentials.to_json(),
    )
    job.url, job.headers, job.body = job.shown_url, job.shown_headers, job.shown_body
    # An unsaved job has all that is asked of a claimed one.
    wire = outbound_request(cast(ClaimedJob, job))
    headers = list(wire.headers)
    if credentials.signing:
        headers.insert(2, ("webhook-signature", _signature_of(credentials.signing)))
    own = {name.lower() for name, _ in request.headers}
    preview.headers = [Header(name, value, name.lower() not in own) for name, value in headers]
    preview.url = job.url
    preview.certificate = credentials.certificate
    if "body" not in preview.errors:
        preview.body = view_body(job.body)
    if request.lane and not request.lane.startswith("secret:"):
        judged = judge_url(job.url, network_policy())
        if isinstance(judged, Refusal):
            preview.refusal = judged.reason
        elif _is_plain(request, credentials):
            preview.url = judged.url
    if preview.is_complete:
        preview.curl = curl_command(
            method=job.method,
            url=preview.url,
            headers=wire.headers,
            body=job.body,
            certificate=credentials.certificate,
        )


def _signature_of(name: str) -> str:
    """What the header will begin with, by the kind of the key."""
    is_ed25519 = Secret.objects.filter(name=name, kind=SecretKind.ED25519).exists()
    return f"{'v1a' if is_ed25519 else 'v1'},… signed with {name}"


def _is_plain(request: RenderedRequest, credentials: Credentials) -> bool:
    """Whether the address has no secret in it, so that it is shown as it is sent."""
    return not credentials.nonce or credentials.nonce not in request.url


# --- The values -----------------------------------------------------------------------------------


def _values(template: RequestTemplate, context: Mapping[str, Any]) -> Iterable[Value]:
    """Every expression of the request once, in the order of the form."""
    params: dict[str, Any] = {}
    for row in template.path_params:
        value = _evaluated(str(row["value"]), context)
        if value is not None:
            params[str(row["name"])] = value
    seen: set[str] = set()
    for source, mode in _sources(template):
        try:
            parts = compile_template(source, mode).parts
        except ExpressionError:
            continue  # said where the part is shown
        for part in parts:
            if isinstance(part, Expression) and part.text not in seen:
                seen.add(part.text)
                names = {**context, **params} if mode == "url" else context
                inner = _inner(part.text)
                shown = part.text if part.text.startswith("{{") else f"{{{inner}}}"
                yield _value(shown, inner, names)


def _sources(template: RequestTemplate) -> Iterable[tuple[str, Literal["text", "url"]]]:
    for row in template.path_params:
        yield str(row["value"]), "text"
    yield template.url, "url"
    for row in (*template.query_params, *template.headers):
        yield str(row["value"]), "text"
    if template.body_kind == "text":
        yield template.body, "text"
    elif template.body_kind == "json":
        yield from ((text, "text") for text in _json_texts(template.body))
    elif template.body_kind == "rows":
        yield from ((str(row["value"]), "text") for row in template.body_rows)


def _json_texts(source: str) -> list[str]:
    try:
        return [text for _, text, is_key in texts_of(read_json(source)) if not is_key]
    except JSONTextError:
        return []


def _inner(text: str) -> str:
    """What stands between the braces of either form."""
    if text.startswith("{{"):
        return text.removeprefix("{{").removesuffix("}}")
    return text.removeprefix("{").removesuffix("}")


def _evaluated(source: str, context: Mapping[str, Any]) -> Any:
    """The value of a path parameter, or None."""
    try:
        return evaluate(source, context) if source.lstrip().startswith("{{") else source
    except ExpressionError:
        return None


def _value(shown_as: str, source: str, context: Mapping[str, Any]) -> Value:
    try:
        value = evaluate(source, context)
    except ExpressionError as error:
        return Value(shown_as, error=error.message)
    if value is None:
        return Value(shown_as, "", "empty")
    if isinstance(value, Symbol):
        return Value(shown_as, "put in when it is sent", "secret")
    kind = next((words for types, words in _KINDS if isinstance(value, types)), "")
    text = value if isinstance(value, str) else write_json(value)
    if not kind:  # numbers with all their digits; dates, which JSON has as texts
        kind = "date" if text.startswith('"') else "number"
        text = text.strip('"')
    if isinstance(value, str) and not value:
        kind = "empty text"
    return Value(shown_as, f"{text[:_MAX_SHOWN]}…" if len(text) > _MAX_SHOWN else text, kind)
