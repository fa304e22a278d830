"""Slack, and its question whether the address is ours. Pure.

Sources: https://docs.slack.dev/authentication/verifying-requests-from-slack
and https://docs.slack.dev/reference/events/url_verification
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from webhooks.verification.arrivals import Arrival
from webhooks.verification.deliveries import body_object, delivery_id
from webhooks.verification.fields import Values, secret_field, tolerance_field
from webhooks.verification.scheme import Scheme
from webhooks.verification.signatures import hmacs, read_digest, require_fit
from webhooks.verification.timestamps import require_recent
from webhooks.verification.verdicts import ChallengeAnswer, Refused, Verdict, accept

_HEADER: Final = "X-Slack-Signature"
_TIMESTAMP_HEADER: Final = "X-Slack-Request-Timestamp"
_PREFIX: Final = "v0="

_is_challenge = re.compile(r"[\x21-\x7e]{1,1000}").fullmatch


class Slack(Scheme):
    name: ClassVar = "slack"
    label: ClassVar = "Slack"
    help: ClassVar = (
        "Enter this address as the request URL of the app's Event Subscriptions;"
        " the signing secret is under Basic Information."
    )
    fields: ClassVar = (
        secret_field("Signing secret", "The app's signing secret, not the verification token."),
        tolerance_field(),
    )

    def judge(self, arrival: Arrival, values: Values, keys: Sequence[str]) -> Verdict:
        timestamp = arrival.headers.required(_TIMESTAMP_HEADER)
        text = arrival.headers.required(_HEADER)
        signature = read_digest(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
        if signature is None:
            raise Refused(
                f"The header `{_HEADER}` should be “{_PREFIX}” and 64 hex digits;"
                f" it is something else of {len(text)} characters."
            )
        require_recent(
            timestamp, header=_TIMESTAMP_HEADER, now=arrival.now, tolerance_s=values["tolerance_s"]
        )
        message = f"v0:{timestamp}:".encode() + arrival.body
        require_fit([signature], hmacs(keys, message), header=_HEADER, body=arrival.body)
        # Commands and buttons come as forms, which have no event_id.
        event = body_object(arrival.body)
        return accept(delivery_id(event.get("event_id")), answer=_challenge_answer(event))


def _challenge_answer(event: Mapping[str, Any]) -> ChallengeAnswer | None:
    challenge = event.get("challenge")
    if event.get("type") != "url_verification" or not isinstance(challenge, str):
        return None
    if not _is_challenge(challenge):
        return None
    return ChallengeAnswer(200, "text/plain; charset=utf-8", challenge.encode())
