"""Automations that are run by hand are commands on the pages of records."""

from collections.abc import Callable, Iterable, Iterator

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from automations.compiled import Listener
from automations.exceptions import AutomationTrouble
from automations.models import Automation, RunMode
from automations.services.by_hand import automations_for, run_by_hand
from records.commands import Command, register
from records.exceptions import RecordsError
from records.models import ObjectDefinition, Record, User
from records.permissions import Anyone


@register
def automations_by_hand(user: Anyone, definition: ObjectDefinition) -> Iterator[Command]:
    for listener in automations_for(user, definition):
        config = listener.version.trigger_config
        yield Command(
            key=listener.automation_id,
            label=config.label or listener.name,
            run=_runner(listener),
            confirm=config.confirm,
        )


def _runner(listener: Listener) -> Callable[[HttpRequest, Iterable[Record]], str]:
    def run(request: HttpRequest, records: Iterable[Record]) -> str:
        automations = Automation.objects.select_related("published")
        automation = automations.filter(pk=listener.automation_id).first()
        if automation is None:
            raise RecordsError("The automation was deleted meanwhile; nothing was run.")
        try:
            count = run_by_hand(automation=automation, records=records, actor=_actor(request))
        except AutomationTrouble as error:
            raise RecordsError(str(error)) from None
        return _told(request, listener, count)

    return run


def _told(request: HttpRequest, listener: Listener, count: int) -> str:
    """How many, and for those who may see them, where."""
    records = "1 record" if count == 1 else f"{count:,} records"
    words = f"“{listener.name}” runs for {records}."
    if listener.mode == RunMode.TEST:
        words = f"“{listener.name}” runs for {records}, as a test: nothing is sent."
    if not request.user.has_perm("automations.view_run") or not request.user.is_staff:
        return words
    address = reverse("admin:automations_run_changelist")
    return format_html(
        '{} <a href="{}?automation={}">See its runs</a>', words, address, listener.automation_id
    )


def _actor(request: HttpRequest) -> User | None:
    return None if isinstance(request.user, AnonymousUser) else request.user
