"""Records are released from quarantine, by those who may change them."""

from collections.abc import Iterable
from typing import Final, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest

from records.exceptions import RecordsError
from records.models import Record, User
from records.permissions import can
from records.services import add_comment, release_record

MAX_REASON: Final = 500


def release_records(request: HttpRequest, records: Iterable[Record], *, reason: str = "") -> None:
    """Release those that the user may change; how many is told, and which not. A reason is a comment on each."""
    user = cast(User, request.user)
    released, refused = [], []
    for record in records:
        try:
            if can(user, "change", record.object):
                _release(record, user, reason)
                released.append(record)
            else:
                refused.append(record)
        except RecordsError:
            refused.append(record)
    if released:
        what = f"“{released[0]}” was" if len(released) == 1 else f"{len(released):,} records were"
        messages.success(
            request, f"{what} released; automations react to what happens from now on."
        )
    if refused:
        names = ", ".join(f"“{record}”" for record in refused[:5])
        more = f" and {len(refused) - 5:,} more" if len(refused) > 5 else ""
        words = "you may not change them, or somebody has just changed them"
        messages.warning(request, f"Not released: {names}{more}: {words}.")


@transaction.atomic
def _release(record: Record, user: User, reason: str) -> None:
    release_record(record=record)
    if reason:
        add_comment(record=record, body=f"Released from quarantine: {reason}", author=user)
