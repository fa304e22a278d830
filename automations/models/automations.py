"""Automations: a draft that people edit, and published versions that never change."""

from django.conf import settings
from django.db import models

from records.ids import TypeIDField


class AutomationState(models.TextChoices):
    DRAFT = "draft", "Draft"
    TEST = "test", "Test"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"


REACTING_STATES = (AutomationState.TEST, AutomationState.ACTIVE)


class AutomationQuerySet(models.QuerySet["Automation"]):
    def reacting(self) -> "AutomationQuerySet":
        return self.filter(state__in=REACTING_STATES, published__isnull=False)


class Automation(models.Model):
    """A trigger, conditions and steps. Only `automations.services` changes it."""

    id = TypeIDField("auto", primary_key=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    state = models.CharField(max_length=6, choices=AutomationState, default=AutomationState.DRAFT)
    # automations.document: what the builder edits; nothing runs it but tests.
    draft = models.JSONField(default=dict)
    # The version that reacts.
    published = models.ForeignKey(
        "automations.AutomationVersion", models.SET_NULL, null=True, related_name="+"
    )
    # Why the installation itself paused it.
    paused_reason = models.CharField(max_length=300, blank=True)
    failures_in_a_row = models.PositiveIntegerField(default=0)
    # When people last heard of failed runs, and whether some have failed since: they hear at most once an hour.
    told_of_failures_at = models.DateTimeField(null=True)
    has_untold_failures = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AutomationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AutomationVersion(models.Model):
    """One published document. A run points at the version that it runs, so it is never changed."""

    id = TypeIDField("ver", primary_key=True)
    automation = models.ForeignKey(
        Automation, models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    document = models.JSONField()
    # What changed, in the words of who published it.
    note = models.CharField(max_length=200, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            # Also the list of an automation's versions, newest first.
            models.UniqueConstraint(fields=["automation", "number"], name="one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"Version {self.number}"


class Catalogue(models.Model):
    """One row: its generation is another with each change of what reacts to events, so that whoever has read it
    all knows with one look whether that still holds."""

    generation = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"Generation {self.generation}"
