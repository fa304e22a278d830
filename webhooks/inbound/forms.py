"""Forms on other sites: their posts become records, without an automation."""

import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.db import DatabaseError, transaction

from records.actors import acting
from records.exceptions import InvalidData, RecordsError
from records.expressions import ExpressionError, Namespace, render_typed
from records.ids import new_id
from records.models import FieldKind, Record
from records.services.records import create_record
from webhooks.inbound.answers import Answer, json_answer, kept_answer, refusal_answer
from webhooks.inbound.deliveries import claim, delivery_of
from webhooks.inbound.files import kept_files
from webhooks.inbound.logbook import log_row
from webhooks.inbound.pages import refusal_page, thanks_page, wants_html
from webhooks.inbound.refusals import NotStored
from webhooks.inbound.requests import Incoming
from webhooks.intake.refusals import Refusal
from webhooks.models import Arrival

logger = logging.getLogger(__name__)

# How the log calls posts that were thrown away.
HONEYPOT: Final = "honeypot"


class InvalidForm(Refusal):
    """Values that the object's fields do not take: {slug: [words]}."""

    status = 422
    kind = "invalid"

    def __init__(self, errors: Mapping[str, Any]) -> None:
        names = ", ".join(filter(None, errors))
        words = f"Not taken: {names}." if names else " ".join(errors.get("", ()))
        super().__init__(words, details={"errors": errors})
        self.errors = errors


def is_trapped(incoming: Incoming) -> bool:
    """Whether the field is filled in that people do not see."""
    name, body = incoming.endpoint.honeypot_field, incoming.context.get("body")
    return bool(name and isinstance(body, dict) and body.get(name))


def take_post(incoming: Incoming) -> tuple[Answer, bool]:
    """Make a record of a post: the answer, and whether it is that of an earlier one. Raises Refusal."""
    try:
        return _take(incoming)
    except (DatabaseError, OSError):
        logger.exception("A post to %s could not be stored", incoming.endpoint.pk)
        raise NotStored from None


@transaction.atomic
def _take(incoming: Incoming) -> tuple[Answer, bool]:
    endpoint, request_id = incoming.endpoint, new_id("req")
    delivery = delivery_of(incoming)
    if delivery is not None:
        first = claim(delivery, endpoint=endpoint, request_id=request_id, event_id=None)
        if first is not None:
            return kept_answer(first.answer or {}), True
    with kept_files(incoming.parsed.files, incoming.parsed.value):
        answer = done(incoming, str(_create(incoming).pk))
        log_row(incoming, answer, id=request_id).save(force_insert=True)
        if delivery is not None:
            mine = Arrival.objects.filter(endpoint=endpoint, key=delivery.key)
            mine.update(answer=answer.to_json())
    return answer, False


def _create(incoming: Incoming) -> Record:
    endpoint = incoming.endpoint
    if endpoint.object is None:
        raise InvalidForm({"": ["This form has no object: choose one in its settings."]})
    data = values_of(incoming)
    try:
        with acting(label=f"Form “{endpoint.name}”", depth=incoming.depth):
            return create_record(object_definition=endpoint.object, data=data)
    except InvalidData as error:
        raise InvalidForm(error.errors) from None
    except RecordsError as error:
        raise InvalidForm({"": [str(error)]}) from None


def values_of(incoming: Incoming) -> dict[str, Any]:
    """The fields' values: by the map, or without one, those of the same names. What was not sent is left out."""
    endpoint, body = incoming.endpoint, incoming.context.get("body")
    assert endpoint.object
    fields = endpoint.object.schema.by_slug
    if not endpoint.field_map:
        sent = body if isinstance(body, dict) else {}
        found = {slug: sent[slug] for slug in fields if slug in sent}
    else:
        found = _mapped(endpoint.field_map, incoming.context)
    return {slug: _fitting(fields.get(slug), value) for slug, value in found.items()}


def _mapped(field_map: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, Any]:
    names = {"webhook": Namespace(context, label="`webhook`")}
    found = {}
    for slug, source in field_map.items():
        try:
            found[slug] = render_typed(source, names)
        except ExpressionError:  # a box that is not ticked is not sent
            continue
    return found


def _fitting(field: Any, value: Any) -> Any:
    """A file by its id, a choice of several as a list, an empty text as nothing."""
    if field is None:
        return value
    if field.kind == FieldKind.FILE:
        return (value.get("id") if isinstance(value, dict) else value) or None
    if field.kind == FieldKind.MULTI_CHOICE and isinstance(value, str):
        return [value] if value else []
    if field.kind == FieldKind.BOOLEAN and value == "on":  # as browsers send a box that is ticked
        return True
    return value


# --- answers -----------------------------------------------------------------------------------


def wants_page(incoming: Incoming) -> bool:
    """Whether a browser shows the answer, so that it can be sent on; scripts ask for JSON."""
    return bool(incoming.endpoint.redirect_url) and "json" not in incoming.header("accept")


def done(incoming: Incoming, record_id: str | None) -> Answer:
    """A post that was taken. `record_id`: None for one that was thrown away, whose sender is told the same."""
    if wants_page(incoming):
        return _redirect(incoming.endpoint.redirect_url, {})
    if wants_html(incoming.header("accept")):
        return thanks_page()
    return json_answer(201, {"record": record_id or new_id("rec")})


def refused(incoming: Incoming, refusal: Refusal) -> Answer:
    """Values that do not fit are for the page that a form redirects to; whatever else is wrong is told here."""
    errors = refusal.errors if isinstance(refusal, InvalidForm) else {}
    if errors and wants_page(incoming):
        return _redirect(incoming.endpoint.redirect_url, {"error": ",".join(errors)})
    if wants_html(incoming.header("accept")):
        return refusal_page(refusal, _labelled(incoming, errors))
    return refusal_answer(refusal)


def _labelled(incoming: Incoming, errors: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with each field, by the name that people know it by."""
    definition = incoming.endpoint.object
    fields = definition.schema.by_slug if definition else {}
    return [
        (fields[slug].label if slug in fields else slug, " ".join(map(str, words)))
        for slug, words in errors.items()
        if slug
    ]


def _redirect(url: str, query: Mapping[str, str]) -> Answer:
    """303, so that the browser gets the page and does not post again."""
    address, mark, fragment = url.partition("#")
    if query:
        address += ("&" if "?" in address else "?") + urlencode(query)
    return Answer(303, "", (("Location", f"{address}{mark}{fragment}"),))
