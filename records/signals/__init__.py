"""Every change becomes an event, in the transaction of the change: one file for each kind of subject."""

from records.signals import logins, objects, people, records, teams

__all__ = ["logins", "objects", "people", "records", "teams"]
