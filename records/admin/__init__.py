"""The admin of objects, records, events, people and teams."""

from records.admin import events, objects, people, records, teams

__all__ = ["events", "objects", "people", "records", "teams"]
