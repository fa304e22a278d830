"""Kinds of triggers, one to a file."""

from automations.triggers import (
    due,
    events,
    field_changed,
    manual,
    schedule,
    stage_changed,
    webhook,
)
from automations.triggers.base import TRIGGERS, Trigger, TriggerConfig, trigger

__all__ = [
    "TRIGGERS",
    "Trigger",
    "TriggerConfig",
    "due",
    "events",
    "field_changed",
    "manual",
    "schedule",
    "stage_changed",
    "trigger",
    "webhook",
]
