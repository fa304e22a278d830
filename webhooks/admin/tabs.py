"""The tabs above a history: of jobs, and of whatever else has one."""

from dataclasses import dataclass

from webhooks.history import Count


@dataclass(frozen=True, slots=True)
class TabLink:
    """One tab, as the page shows it."""

    tab: str
    label: str
    icon: str
    address: str
    count: Count
    is_active: bool
