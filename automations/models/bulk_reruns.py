"""Bulk retries of runs: everything that failed under some filters is tried again, little by little."""

from django.db import models
from django.db.models import Q

from records.ids import TypeIDField
from webhooks.models.bulk_retries import BulkQuerySet, BulkWork


class BulkRerun(BulkWork):
    """Failed runs that are retried together. Change it through `automations.bulk_reruns` only.

    Which runs: all that fit the filters, failed before `until` and were not tried again yet. A retry that fails in
    its turn failed later, so no run is retried twice.
    """

    id = TypeIDField("rerun", primary_key=True)
    # Filters of the list of runs (automations.history.RunsQuery), those that are set; ids are plain texts.
    which = models.JSONField(default=dict)
    # As `automations.services.retry_plans.From` and `On`.
    begin = models.CharField(max_length=11)
    on = models.CharField(max_length=7)
    # Records in quarantine are released with the retry of their run.
    releases = models.BooleanField(default=False)

    count_cursor = TypeIDField("run", null=True)
    cursor = TypeIDField("run", null=True)

    objects = BulkQuerySet["BulkRerun"].as_manager()

    class Meta(BulkWork.Meta):
        verbose_name = "bulk retry of runs"
        verbose_name_plural = "bulk retries of runs"
        indexes = [
            # The sweep: is there one to go on with?
            models.Index(fields=["step_at"], name="rerun_running", condition=Q(status="running"))
        ]
