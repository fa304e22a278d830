"""Running automations by hand: on the records that somebody chose, or on none."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

from django.db import transaction

from automations.compiled import Listener, current_index
from automations.exceptions import NotByHand
from automations.models import REACTING_STATES, Automation
from automations.triggers.manual import CLICKED, CLICKED_ALONE, ManualConfig
from records.actors import acting, current_cause
from records.events import capture, make_event
from records.models import Event, ObjectDefinition, Record, User
from records.permissions import Anyone, can
from records.snapshots import snapshot

# Events that are made and written at once.
_CHUNK: Final = 500


def automations_for(user: Anyone, definition: ObjectDefinition) -> list[Listener]:
    """The automations that this user may run on records of the object, by name. One query, and one for the teams."""
    index = current_index()
    if CLICKED not in index.names:
        return []
    found = [
        listener
        for (name, _), listener in index.by_target.items()
        if name == CLICKED and listener.version.object_id == definition.pk
    ]
    if not found:
        return []
    teams = _teams_of(user)
    allowed = [each for each in found if _may(each.version.trigger_config, user, definition, teams)]
    return sorted(allowed, key=lambda each: each.name.casefold())


def may_run(automation: Automation, user: Anyone) -> bool:
    """Whether this user may run it by hand: a member of its teams who sees the records; without teams whoever may
    change them. One that is about no object, who may change automations."""
    config = _config_of(automation)
    if config is None:
        return False
    slug = config.object.removeprefix("obj_def_")
    definition = ObjectDefinition.objects.alive().filter(slug=slug).first() if slug else None
    if slug and definition is None:
        return False
    return _may(config, user, definition, _teams_of(user))


def run_by_hand(
    *, automation: Automation, records: Iterable[Record] = (), actor: User | None
) -> int:
    """Have the automation run for each of these records, or once if it is about none. How many runs that will be.

    Who may do that is asked before: `may_run`. Deleted records and those of another object are left out. Raises
    NotByHand for an automation that is not there to be run by hand, or is switched off.
    """
    config = _config_of(automation)
    if config is None:
        raise NotByHand
    with transaction.atomic(), _as(actor):
        if not config.object:
            capture(
                make_event(
                    CLICKED_ALONE,
                    subject_id=automation.pk,
                    subject_label=automation.name,
                    target=automation.pk,
                )
            )
            return 1
        return _click_all(automation, config.object.removeprefix("obj_def_"), iter(records))


def _click_all(automation: Automation, slug: str, records: Iterable[Record]) -> int:
    count = 0
    while chunk := list(islice(records, _CHUNK)):
        events = [
            _click(automation, record)
            for record in chunk
            if record.object.slug == slug and record.deleted_at is None
        ]
        count += len(events)
        capture(*events)
    return count


def _click(automation: Automation, record: Record) -> Event:
    return make_event(
        CLICKED,
        record=record,
        object_definition=record.object,
        after=snapshot(record),
        target=automation.pk,
    )


def _as(actor: User | None) -> Any:
    cause = current_cause()
    return acting(actor, run_id=cause.run_id, depth=cause.depth)


def _config_of(automation: Automation) -> ManualConfig | None:
    """Of an automation that is run by hand, and is switched on."""
    if automation.published is None or automation.state not in REACTING_STATES:
        return None
    part = automation.published.document["trigger"]
    return ManualConfig.model_validate(part["config"]) if part["type"] == "manual" else None


def _may(
    config: ManualConfig,
    user: Anyone,
    definition: ObjectDefinition | None,
    teams: Sequence[str],
) -> bool:
    if definition is None:
        may_change = bool(user.has_perm("automations.change_automation"))  # type: ignore[union-attr]
        return may_change or _is_member(config, user, teams)
    if config.teams:
        return _is_member(config, user, teams) and can(user, "view", definition)
    return can(user, "change", definition)


def _is_member(config: ManualConfig, user: Anyone, teams: Sequence[str]) -> bool:
    is_superuser = bool(getattr(user, "is_superuser", False))
    return is_superuser or bool(set(config.teams) & set(teams))


def _teams_of(user: Anyone) -> list[str]:
    if not isinstance(user, User):
        return []
    return list(user.groups.values_list("name", flat=True))
