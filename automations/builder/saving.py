"""Keeping a draft that several people may have open: each edit says which draft it was made from."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from automations.models import Automation
from automations.services import save_draft


class Conflict(Exception):
    """Somebody else has changed this automation since this page was opened."""


def stamp_of(draft: Mapping[str, Any]) -> str:
    """What tells one draft from another. Not a time: runs that fail touch the row, too."""
    written = json.dumps(draft, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()[:20]


@transaction.atomic
def change_draft(
    automation: Automation, stamp: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> Automation:
    """Apply an edit to the draft that the page shows. Raises Conflict when that is not the newest one."""
    locked = Automation.objects.select_for_update().get(pk=automation.pk)
    if stamp_of(locked.draft) != stamp:
        raise Conflict
    changed = change(locked.draft)
    if changed != locked.draft:
        save_draft(automation=locked, draft=changed)
    return Automation.objects.select_related("published").get(pk=automation.pk)
