"""Where the runs that asked for jobs have their pages. The app above knows; it registers itself here."""

from collections.abc import Callable

from django.http import HttpRequest

# (request, the run's id, the path of the step that asked for the job) → the address; "" for who may not see it.
RunLinker = Callable[[HttpRequest, str, str], str]

_run_linkers: list[RunLinker] = []


def register_run_links(linker: RunLinker) -> RunLinker:
    """The app that runs automations says where their pages are. No queries: it is asked for each row of a list."""
    if linker not in _run_linkers:
        _run_linkers.append(linker)
    return linker


def run_url(request: HttpRequest, run_id: str | None, step_path: str = "") -> str:
    """The address of a run's page, at the step, or "" where there is none for this person."""
    if not run_id:
        return ""
    return next((url for link in _run_linkers if (url := link(request, run_id, step_path))), "")
