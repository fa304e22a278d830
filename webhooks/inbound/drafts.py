"""The test address: what an automation's draft would do about a request. Nothing is changed or sent."""

from webhooks.inbound.answers import Answer, json_answer
from webhooks.inbound.logbook import log_row
from webhooks.inbound.requests import Incoming
from webhooks.inbound.runs import known_runs
from webhooks.inbound.storing import event_of


def try_draft(incoming: Incoming) -> Answer:
    """Try it, keep the request with what came of it for the people who look on, and tell the sender too."""
    event = event_of(incoming)
    outcome = known_runs().try_draft(str(incoming.endpoint.automation_id), event)
    answer = json_answer(200, outcome or {"status": "none", "reason": "There is no draft to try."})
    log_row(incoming, answer).save(force_insert=True)
    return answer
