"""The first steps on the home page: from an edited record to its job to what arrived.

They complete themselves: each looks at what is there, and the first that is not done leads on.
"""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from records.ids import decode, encode
from records.models import Event, ObjectDefinition, Record, RecordState, User
from records.permissions import can, visible_objects
from webhooks.models import InboundEndpoint, JobStatus, RequestLog, Webhook, WebhookJob

# What arrived for a job is looked for among so many requests after the job was made.
_LOOK_AT: Final = 50
# A change that leads on is looked for among so many of the record's last ones.
_LOOK_BACK: Final = 20
# The object of the demo; without it, the object that comes first.
_DEMO_OBJECT: Final = "leads"


@dataclass(frozen=True, slots=True)
class Step:
    """`address` is empty while the step has nowhere to lead to; `state` says in words how far it is."""

    title: str
    text: str
    action: str
    address: str = ""
    state: str = ""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class FirstSteps:
    heading: str
    steps: list[Step]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)

    @property
    def current(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)


def first_steps(request: HttpRequest) -> FirstSteps | None:
    """The steps for this user, or None when they may not do them."""
    user = request.user
    if not isinstance(user, User) or not user.has_perm("webhooks.view_webhookjob"):
        return None
    definition = _object_to_try(user)
    record = _record_to_try(definition) if definition else None
    if record is None or not Webhook.objects.active().exists():
        return _setting_up(user, definition)
    return _following(record, user)


def _object_to_try(user: User) -> ObjectDefinition | None:
    """The demo's object while there is one; else the first whose records the user may change."""
    objects = [each for each in visible_objects(user) if can(user, "change", each)]
    demo = next((each for each in objects if each.slug == _DEMO_OBJECT), None)
    return demo or next(iter(objects), None)


def _record_to_try(definition: ObjectDefinition) -> Record | None:
    """The one that changed last: whichever record a person edits, the steps follow it."""
    return (
        Record.objects.alive()
        .of(definition)
        .select_related("object")
        .order_by("-updated_at", "-pk")
        .first()
    )


# --- with something to try -------------------------------------------------------------------


def _following(record: Record, user: User) -> FirstSteps:
    event = _last_edit(record)
    job = _job_of(event) if event else None
    arrived = _what_arrived(job) if job else None
    name = record.object.name.lower()
    return FirstSteps(
        f"Change a {name}, and watch the change travel",
        [_edit_step(record, name, event), _job_step(job, event), _arrival_step(arrived, user)],
    )


def _last_edit(record: Record) -> Event | None:
    """The newest change of the record by a person that a webhook reacts to, or still may; else the newest."""
    changes = Event.objects.filter(record=record, actor__isnull=False)
    events = list(changes.select_related("actor").order_by("-pk")[:_LOOK_BACK])
    heard = set(WebhookJob.objects.filter(event__in=events).values_list("event_id", flat=True))
    newest = next(iter(events), None)
    return next((each for each in events if each.pk in heard or not each.dispatched_at), newest)


def _job_of(event: Event) -> WebhookJob | None:
    """The event's job; one that reached an inspector first, because there is more to see."""
    jobs = list(WebhookJob.objects.filter(event=event).order_by("pk")[:20])
    prefix = _inspector_prefix()
    return next((job for job in jobs if prefix in job.url), jobs[0] if jobs else None)


def _what_arrived(job: WebhookJob) -> RequestLog | None:
    """What an inspector recorded of this job, known by its `webhook-id`."""
    token = job.url.partition(_inspector_prefix())[2].partition("?")[0].strip("/")
    endpoint = InboundEndpoint.objects.filter(token=token).first() if token else None
    if endpoint is None:
        return None
    since = encode("req", decode("job", job.pk))
    rows = RequestLog.objects.filter(endpoint=endpoint, pk__gte=since).order_by("pk")[:_LOOK_AT]
    return next((row for row in rows if ["webhook-id", job.pk] in _lowered(row)), None)


def _lowered(row: RequestLog) -> list[list[str]]:
    return [[name.lower(), value] for name, value in row.request_headers]


def _inspector_prefix() -> str:
    return reverse("inspector", args=["_"]).removesuffix("_")


def _edit_step(record: Record, name: str, event: Event | None) -> Step:
    is_closed = record.state == RecordState.CLOSED
    return Step(
        f"Edit this {name}",
        f"Open {record}, change something and save it. The change is written as an event.",
        f"Open {record}" if is_closed else f"Edit {record}",
        # A closed one is reopened on its page.
        reverse(
            "record_detail" if is_closed else "record_edit", args=[record.object.slug, record.pk]
        ),
        f"Changed by {event.actor}" if event else "",
        is_done=event is not None,
    )


def _job_step(job: WebhookJob | None, event: Event | None) -> Step:
    text = "A webhook that reacts to the event made a job: one request to be delivered."
    if job is None:
        state = "No webhook reacts to this change" if event else "Waits for a change"
        if event and not event.dispatched_at:
            state = "Waits for a worker"
        return Step("See its job", text, "Open the job", state=state)
    return Step(
        "See its job",
        text,
        "Open the job",
        reverse("admin:webhooks_webhookjob_change", args=[job.pk]),
        f"{job.webhook_name}: {job.summary}",
        is_done=job.status not in (JobStatus.PENDING, JobStatus.SENDING),
    )


def _arrival_step(arrived: RequestLog | None, user: User) -> Step:
    text = "The request went to the inspector, which keeps what it gets: headers, body and all."
    title, action = "See what arrived", "Open the inspector"
    if arrived is None:
        return Step(title, text, action, state="Waits for the job")
    address = ""
    if user.has_perm("webhooks.view_inboundendpoint"):
        address = reverse("admin:webhooks_inboundendpoint_change", args=[arrived.endpoint_id])
        address += f"#{arrived.pk}"
    return Step(title, text, action, address, "Arrived", is_done=True)


# --- with nothing to try yet -----------------------------------------------------------------


def _setting_up(user: User, definition: ObjectDefinition | None) -> FirstSteps:
    has_record = bool(definition and _record_to_try(definition))
    return FirstSteps(
        "Set the line up",
        [
            Step(
                "Define an object",
                "Say what you keep: leads, deals, requests … and which fields they have.",
                "Define an object",
                _add_address(user, "records", "objectdefinition"),
                f"{definition} is there" if definition else "",
                is_done=definition is not None,
            ),
            Step(
                "Create a webhook",
                "Say which event sends which request. An inspector is an address to try it with.",
                "Create a webhook",
                _add_address(user, "webhooks", "webhook"),
                is_done=Webhook.objects.exists(),
            ),
            Step(
                "Add a record",
                "In the app, fill in the form. What happens then shows here.",
                "Open the app",
                "/",
                is_done=has_record,
            ),
        ],
    )


def _add_address(user: User, app: str, model: str) -> str:
    if not user.has_perm(f"{app}.add_{model}"):
        return ""
    return reverse(f"admin:{app}_{model}_add")
