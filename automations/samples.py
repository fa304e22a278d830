"""What a draft can be tried on: past events, records as if it happened to them now, ticks, requests, made-up ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from automations.document import TriggerPart
from automations.models import Automation
from automations.moments import due_moment
from automations.names import WEBHOOK_RECEIVED
from automations.ticks import TimetableError
from automations.timers import DUE, TICK
from automations.triggers import TRIGGERS
from automations.triggers.manual import CLICKED, CLICKED_ALONE
from records.eventtypes import RECORD_ATTRIBUTES
from records.ids import decode
from records.models import Event, ObjectDefinition, Record, User
from records.snapshots import changed_names
from webhooks.intake.content_types import media_type
from webhooks.intake.context import webhook_context
from webhooks.intake.parsed import Limits
from webhooks.intake.parsing import parse
from webhooks.intake.query import parse_query
from webhooks.intake.refusals import Refusal
from webhooks.jsontext import iso_moment
from webhooks.keptrequests import kept_requests
from webhooks.models import RequestLog
from webhooks.samples import MADE_UP, Choice, Sample, Samples

__all__ = ["MADE_UP", "Choice", "RequestRefused", "Sample", "TrialSamples", "WrittenRequest"]

# The prefix of ticks of the past; what follows is when.
TICK_KEY: Final = "tick_"
_OFFERED: Final = 15
_NOW: Final = {
    TICK: "A tick, now",
    CLICKED_ALONE: "A click, now",
    WEBHOOK_RECEIVED: "A request that you write",
}


class RequestRefused(ValueError):
    """A request that somebody wrote can't be read; in words."""


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    """A request as it is written into a form; `headers` has a line for each."""

    method: str = "POST"
    query: str = ""
    headers: str = "Content-Type: application/json"
    body: str = "{}"

    def received(self) -> dict[str, Any]:
        """What expressions see as `webhook`. Raises RequestRefused."""
        pairs = []
        for line in filter(str.strip, self.headers.splitlines()):
            name, colon, value = line.partition(":")
            if not colon or not name.strip():
                raise RequestRefused(f"“{line.strip()[:60]}” is no header; write Name: value.")
            pairs.append((name.strip(), value.strip()))
        content_type = next((text for name, text in pairs if name.lower() == "content-type"), "")
        try:
            parsed = parse(self.body.encode(errors="replace"), content_type)
            query = parse_query(self.query.lstrip("?"), Limits())
        except Refusal as refusal:
            raise RequestRefused(refusal.words) from None
        return webhook_context(self.method, pairs, query, parsed)


class TrialSamples(Samples):
    """What one person may try one automation's draft on. Its trigger is known and has no mistakes."""

    def __init__(self, user: User, automation: Automation, part: TriggerPart) -> None:
        self.user = user
        self.automation = automation
        self.trigger = TRIGGERS[part.type]
        self.config: Any = self.trigger.Config.model_validate(part.config)
        slug = self.trigger.object_slug(self.config)
        definition = ObjectDefinition.objects.filter(slug=slug).first() if slug else None
        super().__init__(user, min(self.trigger.event_names(self.config)), definition)

    @property
    def may_be_seen(self) -> bool:
        """Whether this person may see the records that it is about."""
        return self.definition is None or self.definition.pk in self._visible

    @property
    def takes_requests(self) -> bool:
        return self.event_name == WEBHOOK_RECEIVED

    def choices(self, query: str = "") -> list[tuple[str, list[Choice]]]:
        groups = super().choices(query)
        if self.event_name in _NOW:
            groups[-1] = ("Now", [Choice(MADE_UP, _NOW[self.event_name])])
            groups.insert(0, groups.pop())
        if self.takes_requests and (kept := self._kept()):
            groups.insert(1, ("Kept requests", [_request_choice(log) for log in kept]))
        return groups

    def get(self, key: str) -> Sample:
        if self.event_name == TICK and key.startswith(TICK_KEY):
            return self._tick(key)
        if self.takes_requests and key.startswith("req_"):
            log = next((log for log in self._kept() if log.pk == key), None)
            if log is not None:
                return self.of_request(written_of(log))
        if not key and self.event_name in _NOW:
            key = MADE_UP
        return super().get(key)

    def of_request(self, request: WrittenRequest) -> Sample:
        """A request as if it came in now. Raises RequestRefused."""
        event = self._event(None, request.received())
        return Sample(MADE_UP, "A request", event)

    def request_to_edit(self, key: str = "") -> WrittenRequest:
        """The kept request or past event with this key, else the newest, as a form shows it."""
        kept = self._kept()
        log = next((log for log in kept if log.pk == key), None)
        if log is not None:
            return written_of(log)
        events = self._named(self._event_rows().filter(target=self.automation.pk)[:1])
        if _is_id("evt", key):
            events = self._named(self._event_rows().filter(pk=key)) or events
        if events and isinstance(events[0].after, dict):
            return _written_from(events[0].after)
        return written_of(kept[0]) if kept else WrittenRequest()

    # --- what Samples finds, made to fit the trigger ---

    def _named(self, events: Iterable[Event]) -> list[Event]:
        """Only what the trigger means: of targeted events those for this automation."""
        return [
            event
            for event in super()._named(events)
            if event.target in ("", self.automation.pk)
            and self.trigger.matches(self.config, event, self.event_name)
        ]

    def _of_record(self, record: Record) -> Sample:
        sample = super()._of_record(record)
        if self.event_name == DUE and (moment := self._due(record)):
            label = f"{record} · due {timezone.localtime(moment):%d %b %Y, %H:%M}"
            return Sample(sample.key, label, sample.event, sample.note)
        return sample

    def _due(self, record: Record) -> datetime | None:
        try:
            return due_moment(record.data.get(self.config.field), self.config)
        except TimetableError:
            return None

    def _made_up(self) -> Sample:
        """With a record that exists for the time of the dry run."""
        if self.event_name in _NOW:
            return self._now()
        sample = super()._made_up()
        event = sample.event
        if self.of_record and self.definition and event.record is None:
            values = event.after or event.before or {}
            kept = ("data", "stage", "state")
            event.record = Record(object=self.definition, **{name: values[name] for name in kept})
            event.subject_id = event.record.pk
            if event.type == "record.deleted":
                event.record.deleted_at = timezone.now()
        elif event.record is not None:
            event.record.owner = None
        return sample

    def _now(self) -> Sample:
        if self.takes_requests:
            return self.of_request(WrittenRequest())
        return self._tick("") if self.event_name == TICK else self._click()

    def _click(self) -> Sample:
        return Sample(MADE_UP, _NOW[CLICKED_ALONE], self._event(None, {}))

    def _tick(self, key: str) -> Sample:
        """One of the past by its moment, or one now."""
        moment = moment_of_tick(key) or timezone.now()
        after = {"scheduled_for": iso_moment(moment), "missed": 0, "missed_since": None}
        event = self._event(None, after)
        event.created_at = moment
        label = f"The tick of {timezone.localtime(moment):%d %b %Y, %H:%M}" if key else _NOW[TICK]
        return Sample(key or MADE_UP, label, event)

    def _event(self, definition: ObjectDefinition | None, after: dict[str, Any]) -> Event:
        event = super()._event(definition, after)
        if self.trigger.is_targeted:
            event.target = self.automation.pk
        if self.event_name in (CLICKED, CLICKED_ALONE):
            event.actor, event.actor_label = self.user, str(self.user)
        if self.event_name not in (CLICKED, DUE) and self.trigger.is_targeted:
            event.subject_id, event.subject_label = self.automation.pk, self.automation.name
        self._fit_to_trigger(event)
        return event

    def _fit_to_trigger(self, event: Event) -> None:
        """What was before, so that the fields or stages changed that the trigger is about."""
        if event.before is None or event.after is None:
            return
        before = dict(event.before)
        if fields := getattr(self.config, "fields", ()):
            name = fields[0]
            if name in RECORD_ATTRIBUTES:
                before[name] = None
            else:
                before["data"] = {**before["data"], name: _other(event.after["data"].get(name))}
        elif stages := getattr(self.config, "from_stages", ()):
            others = [slug for slug in stages if slug != event.after["stage"]]
            before["stage"] = (others or stages)[0]
        event.before = before
        event.changed = changed_names(before, event.after)

    def _kept(self) -> list[RequestLog]:
        """Requests to this automation that somebody kept as samples, for those who may see the request log."""
        if not self.user.has_perm("webhooks.view_requestlog"):
            return []
        return kept_requests(self.automation.pk)


def key_of_tick(moment: datetime) -> str:
    return f"{TICK_KEY}{moment:%Y-%m-%dT%H:%M:%S%z}"


def moment_of_tick(key: str) -> datetime | None:
    try:
        return datetime.strptime(key.removeprefix(TICK_KEY), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def written_of(log: RequestLog) -> WrittenRequest:
    """A request that was received, as it can be written."""
    headers = "\n".join(f"{name}: {value}" for name, value in log.request_headers)
    query = log.url.partition("?")[2]
    return WrittenRequest(log.method, query, headers, log.request_body)


def _written_from(received: Mapping[str, Any]) -> WrittenRequest:
    headers = received.get("headers") or {}
    lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
    raw = str(received.get("raw") or "")
    return WrittenRequest(str(received.get("method") or "POST"), "", lines, raw)


def _other(value: Any) -> Any:
    """Another value than the one that there is."""
    return "?" if value in (None, "", []) else None


def _request_choice(log: RequestLog) -> Choice:
    kind = media_type(dict(log.request_headers).get("Content-Type", ""))
    words = log.name or f"{log.method} {kind}".strip()
    return Choice(log.pk, f"{words} · {timezone.localtime(log.started_at):%d %b, %H:%M:%S}"[:120])


def _is_id(prefix: str, text: str) -> bool:
    try:
        decode(prefix, text)
    except ValueError:
        return False
    return True
