"""The sender's id of a delivery, by which a second one is known. Pure; only for what has been verified."""

import json
import re
from typing import Any

from webhooks.verification.arrivals import Headers

# What an index holds without complaint. Another id is as good as none.
_is_id = re.compile(r"[\x21-\x7e]{1,200}").fullmatch


def delivery_id(value: Any) -> str:
    """The id if it can be one, else nothing."""
    return value if isinstance(value, str) and _is_id(value) else ""


def standard_id(headers: Headers) -> str:
    """The `webhook-id` of Standard Webhooks, which senders that sign in other ways have too. Raises Refused."""
    return delivery_id(headers.one("webhook-id"))


def body_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; empty when it is anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
