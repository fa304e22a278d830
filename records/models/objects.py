"""Objects that admins define: their fields and stages."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction

# Names in expressions: `record.estimated_value`.
slug_validator = RegexValidator(
    r"^[a-z][a-z0-9_]*\Z",
    "Start with a small letter; use only small letters, digits and underscores.",
)

# In expressions these stand beside the fields: `record.stage`, `record.email`.
RESERVED_FIELD_SLUGS = frozenset(
    {
        "id",
        "object",
        "object_id",
        "stage",
        "state",
        "owner",
        "created_at",
        "updated_at",
        "version",
        "previous",
        "quarantined",
    }
)
# Permissions are named after models and objects alike (`view_record`, `view_leads`): these are models' names.
RESERVED_OBJECT_SLUGS = frozenset(
    {"record", "event", "user", "upload", "stage", "comment", "discussion", "invitation", "task"}
    | {"notification", "participant", "objectdefinition", "fielddefinition", "uniquevalue", "mail"}
)


@dataclass(frozen=True)
class Schema:
    """The fields and stages of an object, in their order. Shared between requests: never change them."""

    fields: "tuple[FieldDefinition, ...]" = ()
    stages: "tuple[Stage, ...]" = ()
    by_slug: "dict[str, FieldDefinition]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_slug", {item.slug: item for item in self.fields})

    @cached_property
    def unique_fields(self) -> "tuple[FieldDefinition, ...]":
        return tuple(item for item in self.fields if item.unique)

    @cached_property
    def stage_labels(self) -> dict[str, str]:
        return {stage.slug: stage.label for stage in self.stages}

    @property
    def first_stage(self) -> str:
        return self.stages[0].slug if self.stages else ""


# Enough for the definitions of a large installation; each is a few kilobytes.
@lru_cache(maxsize=512)
def _schema(pk: int, revision: uuid.UUID) -> Schema:
    """Every record that is saved needs these. Each change of a definition makes a new revision."""
    return Schema(
        tuple(FieldDefinition.objects.filter(object_id=pk)),
        tuple(Stage.objects.filter(object_id=pk)),
    )


Row = TypeVar("Row", bound=models.Model)


class SavingQuerySet(models.QuerySet[Row]):
    """Objects, fields and stages are few, and each change of them is told: bulk changes save one by one."""

    def bulk_create(self, objs: Iterable[Row], *args: Any, **kwargs: Any) -> list[Row]:
        rows = list(objs)
        with transaction.atomic(using=self.db):
            for row in rows:
                row.save(force_insert=True, using=self.db)
        return rows

    def bulk_update(
        self, objs: Iterable[Row], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        names, rows = set(fields), list(objs)
        with transaction.atomic(using=self.db):
            for row in rows:
                row.save(update_fields=names, using=self.db)
        return len(rows)

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            rows = list(self)
            for row in rows:
                for name, value in kwargs.items():
                    setattr(row, name, value)
                row.save(update_fields=set(kwargs), using=self.db)
        return len(rows)

    update.alters_data = True  # type: ignore[attr-defined]


class ObjectDefinitionQuerySet(SavingQuerySet["ObjectDefinition"]):
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
        default=True,
        help_text="People may save an unfinished record as a draft and submit it later.",
    )
    # New with every change of the object, its fields or its stages.
    revision = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ObjectDefinitionQuerySet.as_manager()

    class Meta:
        verbose_name = "object"
        ordering = ["position", "plural"]

    def __str__(self) -> str:
        return self.plural

    def save(self, **kwargs: Any) -> None:
        """Write the change and its event in one transaction."""
        self.revision = uuid.uuid4()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "revision", "updated_at"}
        with transaction.atomic(using=kwargs.get("using")):
            super().save(**kwargs)

    @property
    def public_id(self) -> str:
        return f"obj_def_{self.slug}"

    @property
    def schema(self) -> Schema:
        """Fields and stages, from memory when this revision was read before."""
        return Schema() if self.pk is None else _schema(self.pk, self.revision)

    def clean(self) -> None:
        if self.slug in RESERVED_OBJECT_SLUGS:
            raise ValidationError(
                {
                    "slug": f"“{self.slug}” has a meaning of its own; choose another, such as “{self.slug}s”."
                }
            )
        if not re.fullmatch(r"[a-z0-9_]*", self.icon):
            raise ValidationError(
                {"icon": "The name of a Material Symbol has small letters, digits and underscores."}
            )
        if self.pk is None:
            return
        old = ObjectDefinition.objects.filter(pk=self.pk).values_list("slug", flat=True).first()
        if old and old != self.slug and self.records.exists():
            raise ValidationError(
                {"slug": f"Records and expressions know this object as “{old}”; keep that name."}
            )


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


class ObjectPart(models.Model):
    """A field or a stage of an object."""

    objects = SavingQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        """Write the change and its object's event in one transaction."""
        with transaction.atomic(using=kwargs.get("using")):
            super().save(**kwargs)


class FieldDefinition(ObjectPart):
    """A field of an object. How its kind behaves is told by `records.fieldkinds`."""

    # Set while it is saved: whether the values in it have to be claimed (or released) anew.
    claims_differ: bool

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
            models.UniqueConstraint(
                fields=["object", "slug"], name="one_field_of_a_name_per_object"
            )
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        from records.definitions import clean_field  # the kinds know this model

        clean_field(self)


class Stage(ObjectPart):
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
            models.UniqueConstraint(
                fields=["object", "slug"], name="one_stage_of_a_name_per_object"
            )
        ]

    def __str__(self) -> str:
        return self.label

    def clean(self) -> None:
        from records.definitions import clean_stage

        clean_stage(self)
