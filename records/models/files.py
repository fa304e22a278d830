"""Files in records."""

from django.conf import settings
from django.db import models

from records.ids import TypeIDField


def upload_path(upload: "Upload", filename: str) -> str:
    """Stored under the id alone: a name that a person chose never becomes a path."""
    return f"uploads/{upload.pk}"


class Upload(models.Model):
    """An uploaded file. A record's data holds its id."""

    id = TypeIDField("file", primary_key=True)
    file = models.FileField(upload_to=upload_path)
    name = models.CharField(max_length=255)
    size_bytes = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=120, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name
