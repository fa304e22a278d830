"""Links to what acted, where it was no person: histories name a run, and the app that runs automations knows its page.

    @records.actorlinks.register
    def run_page(request: HttpRequest, run_id: str) -> str:
        return …  # "" for who may not see it

It is asked for each line of a history, so it makes no queries of its own.
"""

from collections.abc import Callable

from django.http import HttpRequest

Linker = Callable[[HttpRequest, str], str]

_linkers: list[Linker] = []


def register(linker: Linker) -> Linker:
    """Usable as a decorator."""
    if linker not in _linkers:
        _linkers.append(linker)
    return linker


def run_url(request: HttpRequest, run_id: str | None) -> str:
    """The address of the run's page, or "" where there is none for this person."""
    if not run_id:
        return ""
    return next((url for linker in _linkers if (url := linker(request, run_id))), "")
