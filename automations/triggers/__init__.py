"""Kinds of triggers, one to a file."""

from automations.triggers import events
from automations.triggers.base import TRIGGERS, Trigger, TriggerConfig, trigger

__all__ = ["TRIGGERS", "Trigger", "TriggerConfig", "events", "trigger"]
