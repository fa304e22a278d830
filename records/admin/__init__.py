"""The admin of objects, records, events, people, teams and notifications."""

from records.admin import events, notifications, objects, people, records, teams

__all__ = ["events", "notifications", "objects", "people", "records", "teams"]
