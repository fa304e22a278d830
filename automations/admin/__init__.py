"""The admin of automations."""

from automations.admin import runs

__all__ = ["runs"]
