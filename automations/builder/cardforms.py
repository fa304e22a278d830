"""What stands in an opened card: the form of the trigger, of the conditions, of a step, of the settings."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from automations.builder.blocks import find_step
from automations.builder.flow import flow_of, kinds_of_triggers, targets_of
from automations.builder.forms import ConfigForm, Shown
from automations.builder.inputs.structures import Conditions
from automations.builder.place import Place
from automations.builder.requestform import request_context
from automations.document.cards import CONDITIONS, SETTINGS, TRIGGER
from automations.document.labels import MODES
from automations.document.schema import DEFAULT_MAX_DEPTH, FALLBACK
from automations.request_config import WebhookConfig
from automations.steps import ACTIONS
from automations.ticks import TimetableError, next_ticks
from automations.triggers import TRIGGERS
from webhooks.durations import format_delays

# Kinds of steps whose forms have a layout of their own.
_REQUEST_FORM: Final = "admin/automations/builder/forms/request.html"
_PLAIN_FORM: Final = "admin/automations/builder/forms/_fields.html"
TICKS_SHOWN: Final = 5


def form_of(draft: Mapping[str, Any], card: str, place: Place) -> dict[str, Any]:
    """Template and context of one card. Raises EditRefused when it is not there any more."""
    if card == TRIGGER:
        return _trigger_form(draft, place)
    if card == CONDITIONS:
        return _conditions_form(draft)
    if card == SETTINGS:
        return _settings_form(draft, place)
    return _step_form(draft, card, place)


def _trigger_form(draft: Mapping[str, Any], place: Place) -> dict[str, Any]:
    part = draft.get("trigger") or {}
    kind = TRIGGERS.get(str(part.get("type")))
    form = ConfigForm(kind.Config, part.get("config") or {}, place, TRIGGER) if kind else None
    return {
        "template": "admin/automations/builder/forms/trigger.html",
        "card": TRIGGER,
        "kind": kind,
        "kinds": kinds_of_triggers(),
        "fields": form.shown() if form else [],
        "ticks": ticks_of(place),
        "takes_requests": place.takes_requests,
    }


def ticks_of(place: Place) -> list[datetime] | None:
    """When a schedule fires next; None where the trigger has no timetable."""
    config = place.trigger_config
    if not hasattr(config, "cron") or not hasattr(config, "every"):
        return None
    try:
        return next_ticks(config, timezone.now(), TICKS_SHOWN)
    except TimetableError:  # said at its field
        return []


def _conditions_form(draft: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "template": "admin/automations/builder/forms/conditions.html",
        "card": CONDITIONS,
        "value": Conditions().shown(None, draft.get("conditions")),  # type: ignore[arg-type]
    }


def _settings_form(draft: Mapping[str, Any], place: Place) -> dict[str, Any]:
    settings = draft.get("settings") or {}
    concurrency, on_failure = settings.get("concurrency") or {}, settings.get("on_failure") or {}
    return {
        "template": "admin/automations/builder/forms/settings.html",
        "card": SETTINGS,
        "mode": concurrency.get("mode", "parallel"),
        "modes": MODES,
        "max_open": concurrency.get("max_open"),
        "max_depth": settings.get("max_depth", DEFAULT_MAX_DEPTH),
        "on_failure": {"notify_admins": True, **on_failure},
        "teams": place.teams,
    }


def _step_form(draft: Mapping[str, Any], card: str, place: Place) -> dict[str, Any]:
    block, _, step = find_step(draft, card)
    action = ACTIONS.get(str(step.get("type")))
    form = ConfigForm(action.Config, step.get("config") or {}, place, card) if action else None
    is_request = action is not None and issubclass(action.Config, WebhookConfig)
    plain = action.texts_without_expressions() if action else frozenset()
    fields = form.shown() if form else []
    request = request_context(step.get("config") or {}, fields) if is_request else {}
    return {
        **request,
        "template": _REQUEST_FORM if is_request else _PLAIN_FORM,
        "card": card,
        "is_step": True,
        "step": step,
        "action": action,
        "block": block,
        "fields": [each if each.key not in plain else _plain(each) for each in fields],
        "by_key": {each.key: each for each in fields},
        "retries": format_delays(_numbers(step.get("retry_delays_s"))),
        "on_error": step.get("on_error", "stop"),
        "sends": is_request or any(each.key == "retry_delays_s" for each in fields),
        "targets": [each for each in targets_of(flow_of(draft)) if _may_move(draft, card, each[0])],
    }


def _may_move(draft: Mapping[str, Any], step_id: str, block: str) -> bool:
    """Not where it is, and not into itself."""
    if block == find_step(draft, step_id)[0]:
        return False
    while block not in ("", FALLBACK):
        owner = block.partition("/")[0]
        if owner == step_id:
            return False
        block = find_step(draft, owner)[0]
    return True


def _plain(shown: Shown) -> Shown:
    """Its text is taken as it is."""
    return replace(shown, expression="")


def _numbers(values: Any) -> list[int]:
    return (
        [each for each in values or [] if isinstance(each, int)] if isinstance(values, list) else []
    )
