"""What is wrong with the request of a step, as it is found in webhooks: URL, headers, body, statuses, the answer."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Final

from automations.actions.webhook import Sending
from automations.builder.fields import fields_of
from automations.document.inputs import Surroundings, problems_with_input
from automations.document.texts import problems_in_texts
from automations.request_config import WebhookConfig
from automations.sending import template_of
from records.expressions.errors import suggest
from webhooks.names import SECRETS
from webhooks.outbound import network_policy
from webhooks.validation import check_request, judge_destination

_FIELDS: Final = fields_of(WebhookConfig)
# The fields that are looked at here.
REQUEST_FIELDS: Final = frozenset(field.key for field in _FIELDS)
_TITLES: Final = {field.key: field.label for field in _FIELDS}
_EVERY_NETWORK: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def problems_with_request(
    action: Sending, config: Any, around: Surroundings
) -> Iterator[tuple[str, str, bool]]:
    """(JSON Pointer within the configuration, words, whether it is only a warning)."""
    request = action.request_of(config)
    values = request.model_dump(mode="json", by_alias=True)
    found = check_request(template_of(request), around.names)
    for mistake in found:
        row = "" if mistake.row is None else f"/{mistake.row}"
        yield f"/{mistake.field}{row}", mistake.message, False
    if not any(mistake.field == "url" for mistake in found):
        yield from _destination(request.url)
    for field in _FIELDS:
        within = replace(around, options=field.options)
        for path, words in problems_with_input(field.kind, values[field.key], within):
            yield f"/{field.key}{path}", f"{field.label}: {words}", False
    for name, words in _misfits(request, around):
        yield f"/{name}", f"{_TITLES[name]}: {words}", False
    for path, words, is_warning in _stored(request, around):
        yield f"/store{path}", words, is_warning


def _destination(url: str) -> Iterator[tuple[str, str, bool]]:
    """A request to Signalbox itself is refused; other networks may be opened later."""
    policy = network_policy()
    own = judge_destination(url, replace(policy, allowed_networks=_EVERY_NETWORK))
    if own:
        yield "/url", f"URL: {own.reason}", False
    elif refusal := judge_destination(url, policy):
        yield "/url", f"URL: as things are it can't be sent: {refusal.reason}", True


def _misfits(request: WebhookConfig, around: Surroundings) -> Iterator[tuple[str, str]]:
    if not request.success_statuses.strip():
        yield "success_statuses", "say which statuses are a success, such as 2xx."
    names = [pick.name for pick in request.response_schema]
    if twice := {name for name in names if names.count(name) > 1}:
        yield "response_schema", f"the name `{min(twice)}` stands here twice; choose another."
    if request.response_schema and request.response == "text":
        yield "response_schema", "values can be taken from JSON only; the response is read as text."
    if request.store and not request.wait:
        yield "store", "nobody waits for the answer, so nothing of it can be stored."
    if request.store and not around.names.has_record:
        yield "store", "what triggers this automation is about no record to store anything in."


def _stored(request: WebhookConfig, around: Surroundings) -> Iterator[tuple[str, str, bool]]:
    """The values of `store`: names of the schema, expressions that see `response` and `answer`, or plain texts."""
    known = {**around.names.known("response", "answer")}
    known.pop(SECRETS, None)
    picked = [pick.name for pick in request.response_schema]
    for place, row in enumerate(request.store):
        title, path = f"Store in `{row.field[:60]}`", f"/{place}/value"
        for _, words in problems_in_texts(title, row.value, around.names, known):
            yield path, words, False
        words, close = suggest(f"{title}: this text is stored as it is", row.value, picked)
        if close and row.value not in picked and "{" not in row.value:
            yield path, words, True
