"""Changing the definition of an object: what is allowed, so that no record is ever broken by it."""

from django.core.exceptions import ValidationError

from records.fieldkinds import kind_of, suggestion
from records.models.objects import RESERVED_FIELD_SLUGS, FieldDefinition, FieldKind, Stage
from records.models.records import Record
from records.uniqueness import find_duplicates


def clean_field(field: FieldDefinition) -> None:
    """Check and normalise a field's definition. Raises ValidationError with the messages by column."""
    errors: dict[str, str] = {}
    if field.slug in RESERVED_FIELD_SLUGS:
        errors["slug"] = f"`record.{field.slug}` has a meaning of its own; choose another name."
    elif renamed_from := _old_slug(field):
        errors["slug"] = (
            f"Records and expressions know this field as “{renamed_from}”; keep that name."
        )
    if field.kind in FieldKind.values:
        errors |= _check_kind(field)
    if errors:
        raise ValidationError(errors)


def clean_stage(stage: Stage) -> None:
    """Raises ValidationError when the stage is renamed while records are in it."""
    if stage.pk is None:
        return
    old = Stage.objects.filter(pk=stage.pk).values_list("slug", flat=True).first()
    records = Record.objects.filter(object_id=stage.object_id, stage=old)
    if old and old != stage.slug and records.exists():
        raise ValidationError(
            {"slug": f"Records are in this stage under the name “{old}”; keep it."}
        )


def _old_slug(field: FieldDefinition) -> str:
    """The slug that is in use, when the field would be renamed."""
    if field.pk is None:
        return ""
    old = FieldDefinition.objects.filter(pk=field.pk).values_list("slug", flat=True).first() or ""
    if old == field.slug or not Record.objects.filter(object_id=field.object_id).exists():
        return ""
    return old


def _check_kind(field: FieldDefinition) -> dict[str, str]:
    """Options, default and uniqueness depend on the kind."""
    kind = kind_of(field)
    errors: dict[str, str] = {}
    try:
        field.options = _check_options(field)
    except ValidationError as error:
        return {"options": " ".join(error.messages)}
    if field.default == "":
        field.default = None
    if field.default is not None:
        try:
            kind.clean(field.default, field)
        except ValidationError as error:
            errors["default"] = " ".join(error.messages)
    if field.unique:
        if not kind.can_be_unique:
            errors["unique"] = f"A field of the kind “{field.get_kind_display()}” cannot be unique."
        elif field.pk and (text := find_duplicates(field)):
            errors["unique"] = text
    return errors


def _check_options(field: FieldDefinition) -> dict[str, object]:
    kind = kind_of(field)
    options = field.options or {}
    if not isinstance(options, dict):
        raise ValidationError("Options are an object, such as {}.")
    unknown = [name for name in options if name not in kind.option_names]
    if unknown:
        known = ", ".join(kind.option_names) or "none"
        raise ValidationError(
            f"“{field.get_kind_display()}” has no option `{unknown[0]}`; it has {known}."
            f"{suggestion(unknown[0], kind.option_names)}"
        )
    return kind.clean_options(options)
