"""Objects that admins define: their fields and stages."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models

from records.ids import TypeIDField

# Names in expressions: `record.estimated_value`.
slug_validator = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z",
    "Start with a small letter; use only small letters, digits and underscores.",
)


class ObjectDefinitionQuerySet(models.QuerySet["ObjectDefinition"]):
    def alive(self) -> "ObjectDefinitionQuerySet":
        return self.filter(deleted_at=None)


class ObjectDefinition(models.Model):
    """A kind of record: Leads, Deals. Its public id is `obj_def_<slug>`."""

    slug = models.SlugField(
        max_length=50,
        unique=True,
        validators=[slug_validator],
        help_text="The name in addresses and expressions. It stays as it is once records exist.",
    )
    name = models.CharField(max_length=80, help_text="One of them: “Lead”.")
    plural = models.CharField(max_length=80, help_text="Many of them: “Leads”.")
    icon = models.CharField(
        max_length=40, default="description", help_text="A Material Symbols name, such as “person”."
    )
    description = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    allow_drafts = models.BooleanField(
        default=True, help_text="People may save an unfinished record as a draft and submit it later."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ObjectDefinitionQuerySet.as_manager()

    class Meta:
        verbose_name = "object"
        ordering = ["position", "plural"]

    def __str__(self) -> str:
        return self.plural

    @property
    def public_id(self) -> str:
        return f"obj_def_{self.slug}"


class FieldKind(models.TextChoices):
    TEXT = "text", "Text"
    LONG_TEXT = "long_text", "Long text"
    NUMBER = "number", "Number (whole)"
    DECIMAL = "decimal", "Decimal"
    CURRENCY = "currency", "Currency"
    BOOLEAN = "boolean", "Yes or no"
    DATE = "date", "Date"
    DATETIME = "datetime", "Date and time"
    CHOICE = "choice", "Choice"
    MULTI_CHOICE = "multi_choice", "Several choices"
    EMAIL = "email", "E-mail address"
    URL = "url", "Web address"
    PHONE = "phone", "Phone number"
    USER = "user", "User"
    LINK = "link", "Link to a record"
    FILE = "file", "File"
    JSON = "json", "JSON"


class FieldDefinition(models.Model):
    """A field of an object. How its kind behaves is told by `records.fieldkinds`."""

    object = models.ForeignKey(ObjectDefinition, models.CASCADE, related_name="fields")
    slug = models.SlugField(max_length=50, validators=[slug_validator])
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=FieldKind, default=FieldKind.TEXT)
    required = models.BooleanField(default=False)
    unique = models.BooleanField(default=False)
    in_list = models.BooleanField("shown in lists", default=False)
    default = models.JSONField(null=True, blank=True)
    help_text = models.CharField(max_length=200, blank=True)
    # choices: [{"value", "label"}]; currency: "EUR"; places: 2; object: slug of the linked object;
    # min, max: bounds. Which of them a kind knows is told by records.fieldkinds.
    options = models.JSONField(default=dict, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "field"
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["object", "slug"], name="one_field_of_a_name_per_object")
        ]

    def __str__(self) -> str:
        return self.label


class Stage(models.Model):
    """A step on a record's way: New → Contacted → Won. Records hold the slug."""

    object = models.ForeignKey(ObjectDefinition, models.CASCADE, related_name="stages")
    slug = models.SlugField(max_length=50, validators=[slug_validator])
    label = models.CharField(max_length=80)
    colour = models.CharField(
        max_length=10,
        default="slate",
        choices=[(c, c.title()) for c in ("slate", "blue", "violet", "amber", "green", "red")],
    )
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["object", "slug"], name="one_stage_of_a_name_per_object")
        ]

    def __str__(self) -> str:
        return self.label
