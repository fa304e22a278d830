"""Where a caller may ask what became of its request: an address that only it was told."""

from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from records.models import Event
from webhooks.inbound.runs import known_runs


def status_url(event_id: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse('inbound_status', args=[_signer().sign(event_id)])}"


def status_of(token: str) -> dict[str, Any] | None:
    """The state and the answer of the run behind a token; None when there is nothing (any more)."""
    try:
        event_id = _signer().unsign(token)
    except BadSignature:
        return None
    run_id = known_runs().run_of_event(event_id)
    state = known_runs().state_of_run(run_id) if run_id else None
    if state is not None:
        return {"run": state.id, "status": state.status, "answer": state.answer}
    event = Event.objects.filter(pk=event_id).only("dispatched_at").first()
    if event is None:
        return None
    return {"run": None, "status": "none" if event.dispatched_at else "pending", "answer": None}


def _signer() -> Signer:
    """Nothing is stored for it: the token is the event's id with 256 bits that only this installation can make."""
    return Signer(sep=".", salt="webhooks.inbound.status")
