"""Events: what changed, who changed it, and why. The log is also every record's history."""

from django.conf import settings
from django.db import models

from records.ids import TypeIDField
from records.models.objects import ObjectDefinition
from records.models.records import Record


class EventQuerySet(models.QuerySet["Event"]):
    def undispatched(self) -> "EventQuerySet":
        return self.filter(dispatched_at=None).order_by("id")


class Event(models.Model):
    """One change. Which event names it carries (`record.updated`, `record.stage_changed` …) is told by
    `records.eventtypes.names_of`, from these columns alone."""

    id = TypeIDField("evt", primary_key=True)
    # The kind of change, such as "record.updated".
    type = models.CharField(max_length=50)
    object = models.ForeignKey(
        ObjectDefinition, models.SET_NULL, null=True, related_name="events", db_index=False
    )
    record = models.ForeignKey(
        Record, models.SET_NULL, null=True, related_name="events", db_index=False
    )
    # Who or what the event is about, also when it is no record: "user_01…", "team 4", "obj_def_leads".
    subject_id = models.CharField(max_length=80, blank=True)
    subject_label = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    actor_label = models.CharField(max_length=150, blank=True)
    # The subject's values, null where there was none (before a creation) or is none (after a deletion).
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    # Names of what differs, in the subject's own order: ["stage", "email"].
    changed = models.JSONField(default=list)
    # The run that caused it, and how many runs stand between it and a person's act.
    run_id = TypeIDField("run", null=True)
    depth = models.PositiveSmallIntegerField(default=0)
    # The one automation that an event is meant for: a due date, a tick of a schedule, a click, a request that came in.
    target = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)
    dispatch_error = models.TextField(blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The dispatcher's question, in order; tiny, because dispatched events leave it.
            models.Index(
                fields=["id"], name="event_undispatched", condition=models.Q(dispatched_at=None)
            ),
            # The list of events of one type.
            models.Index(fields=["type", "-id"], name="event_type"),
            # A record's history.
            models.Index(
                fields=["record", "-id"],
                name="event_record",
                condition=models.Q(record__isnull=False),
            ),
            # For objects and users that are deleted.
            models.Index(
                fields=["object"], name="event_object", condition=models.Q(object__isnull=False)
            ),
            models.Index(
                fields=["actor"], name="event_actor", condition=models.Q(actor__isnull=False)
            ),
            # What happened to a user, a team, an object.
            models.Index(fields=["subject_id", "-id"], name="event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.type} · {self.subject_label}"
