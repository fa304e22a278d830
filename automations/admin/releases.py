"""Records are released from quarantine, by those who may change them."""

from collections.abc import Iterable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest

from records.exceptions import RecordsError
from records.models import Record, User
from records.permissions import can
from records.services import release_record


def release_records(request: HttpRequest, records: Iterable[Record]) -> None:
    """Release those that the user may change; how many is told, and which not."""
    user = cast(User, request.user)
    released, refused = [], []
    for record in records:
        try:
            if can(user, "change", record.object):
                release_record(record=record)
                released.append(record)
            else:
                refused.append(record)
        except RecordsError:
            refused.append(record)
    if released:
        what = f"“{released[0]}” was" if len(released) == 1 else f"{len(released)} records were"
        messages.success(
            request, f"{what} released; automations react to what happens from now on."
        )
    if refused:
        names = ", ".join(f"“{record}”" for record in refused[:5])
        words = "you may not change them, or somebody has just changed them"
        messages.warning(request, f"Not released: {names}: {words}.")
