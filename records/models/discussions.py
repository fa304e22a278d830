"""Discussions: every record has one, of comments, and the people who take part in it."""

from typing import Final

from django.conf import settings
from django.db import models

from records.ids import TypeIDField
from records.models.records import Record

# An event tells of a whole comment, before and after: this bounds its row.
MAX_COMMENT_LENGTH: Final = 5000


class Comment(models.Model):
    """What somebody said of a record. Write it through `records.services`, which tell of it."""

    id = TypeIDField("cmt", primary_key=True)
    record = models.ForeignKey(
        Record,
        models.CASCADE,
        related_name="comments",
        db_index=False,  # `comment_newest` begins with it
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="comments"
    )
    # What to show where there is no user: "Automation “Welcome”", or somebody who is gone.
    author_label = models.CharField(max_length=150, blank=True)
    body = models.TextField(max_length=MAX_COMMENT_LENGTH)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        # A record's discussion, from its end.
        indexes = [models.Index(fields=["record", "-id"], name="comment_newest")]

    def __str__(self) -> str:
        return excerpt(self.body)

    @property
    def author_name(self) -> str:
        return str(self.author) if self.author else self.author_label or "Signalbox"


class Participant(models.Model):
    """Somebody who takes part in a record's discussion, and is told of new comments."""

    record = models.ForeignKey(
        Record,
        models.CASCADE,
        related_name="participants",
        db_index=False,  # the constraint begins with it
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="participations"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record", "user"], name="one_participation_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.record}"


def excerpt(text: str, length: int = 100) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text[: 2 * length].split())
    return line if len(line) <= length else line[: length - 1] + "…"
