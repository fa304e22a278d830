"""Automations from draft to active. Every change of what reacts moves the catalogue on, in its transaction."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from automations.document import Document
from automations.document.checking import check_document
from automations.document.forms import read_document
from automations.exceptions import DocumentInvalid, NothingPublished
from automations.generations import bump_generation
from automations.models import Automation, AutomationState, AutomationVersion
from automations.triggers import TRIGGERS
from records.models import User
from webhooks.inbound.endpoints import delete_endpoint


@transaction.atomic
def create_automation(
    *,
    name: str,
    draft: Mapping[str, Any] | None = None,
    description: str = "",
    actor: User | None = None,
) -> Automation:
    """A new automation that reacts to nothing yet. `draft` may have any form that `read_document` takes."""
    document = read_document(draft) if draft else EMPTY_DRAFT
    return Automation.objects.create(
        name=name, description=description, draft=document, created_by=actor
    )


@transaction.atomic
def save_draft(*, automation: Automation, draft: Mapping[str, Any]) -> Automation:
    """Keep what people are working on, with all its mistakes; what is published does not change."""
    locked = _lock(automation)
    locked.draft = dict(draft)
    locked.save(update_fields=["draft", "updated_at"])
    return locked


@transaction.atomic
def publish(
    *, automation: Automation, note: str = "", actor: User | None = None
) -> AutomationVersion:
    """Make the draft the version that reacts, once it is switched on. Raises DocumentInvalid with all mistakes.

    Nothing changed since the last one: that version again.
    """
    locked = _lock(automation)
    mistakes = check_document(locked.draft)
    if mistakes:
        raise DocumentInvalid([(mistake.path, mistake.message) for mistake in mistakes])
    latest = locked.versions.first()
    if latest is not None and latest.document == locked.draft:
        version = latest
    else:
        version = AutomationVersion.objects.create(
            automation=locked,
            number=latest.number + 1 if latest else 1,
            document=locked.draft,
            note=note,
            published_by=actor,
            published_at=timezone.now(),
        )
    _react_with(locked, version)
    return version


@transaction.atomic
def roll_back(*, version: AutomationVersion, actor: User | None = None) -> AutomationVersion:
    """Publish an earlier document again, as a new version; it becomes the draft, too."""
    locked = _lock(version.automation)
    locked.draft = version.document
    locked.save(update_fields=["draft", "updated_at"])
    return publish(automation=locked, note=f"As version {version.number}", actor=actor)


@transaction.atomic
def set_state(*, automation: Automation, state: str, reason: str = "") -> Automation:
    """Switch an automation on, to test, or off. Raises NothingPublished. Runs that are under way go on."""
    locked = _lock(automation)
    if state in (AutomationState.ACTIVE, AutomationState.TEST) and locked.published is None:
        raise NothingPublished
    locked.state = state
    locked.paused_reason = reason[:300] if state == AutomationState.PAUSED else ""
    if state != AutomationState.PAUSED:
        locked.failures_in_a_row = 0
    locked.save(update_fields=["state", "paused_reason", "failures_in_a_row", "updated_at"])
    _arm(locked)
    bump_generation()
    return locked


@transaction.atomic
def delete_automation(*, automation: Automation) -> None:
    """With its versions, its runs and its addresses."""
    locked = _lock(automation)
    for trigger in TRIGGERS.values():
        trigger.disarm(locked)
    # Also of a draft that was never switched on: its test address has an endpoint.
    delete_endpoint(locked.pk)
    locked.delete()
    bump_generation()


def _react_with(automation: Automation, version: AutomationVersion) -> None:
    automation.published = version
    automation.save(update_fields=["published", "updated_at"])
    _arm(automation)
    bump_generation()


def _arm(automation: Automation) -> None:
    """What fires by itself is set up for the published trigger, and taken down for all others."""
    wanted = None
    if automation.published and automation.state in (AutomationState.ACTIVE, AutomationState.TEST):
        part = Document.model_validate(automation.published.document).trigger
        wanted = TRIGGERS.get(part.type)
    for trigger in TRIGGERS.values():
        if trigger is not wanted:
            trigger.disarm(automation)
    if wanted is not None:
        wanted.arm(automation, wanted.Config.model_validate(part.config))


def _lock(automation: Automation) -> Automation:
    return (
        Automation.objects.select_for_update(of=("self",))
        .select_related("published")
        .get(pk=automation.pk)
    )


EMPTY_DRAFT: dict[str, Any] = {
    "trigger": {"type": "event", "config": {"event": "record.created", "object": ""}},
    "conditions": None,
    "steps": [],
    "settings": {},
}
