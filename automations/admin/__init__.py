"""The admin of automations."""

from automations.admin import automations, mail_templates, runs

__all__ = ["automations", "mail_templates", "runs"]
