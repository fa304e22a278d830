"""Changing the definition of an object: what is allowed, so that no record is ever broken by it."""

from django.core.exceptions import ValidationError

from records.fieldkinds import kind_of, suggestion
from records.models.objects import RESERVED_FIELD_SLUGS, FieldDefinition, FieldKind, Stage
from records.models.records import Record
from records.uniqueness import find_duplicates


def clean_field(field: FieldDefinition) -> None:
    """Check and normalise a field's definition. Raises ValidationError with the messages by column."""
    errors: dict[str, str] = {}
    old = FieldDefinition.objects.filter(pk=field.pk).first() if field.pk else None
    if field.slug in RESERVED_FIELD_SLUGS:
        errors["slug"] = f"`record.{field.slug}` has a meaning of its own; choose another name."
    elif old and old.slug != field.slug and Record.objects.filter(object=old.object_id).exists():
        errors["slug"] = f"Records and expressions know this field as “{old.slug}”; keep that name."
    if field.kind in FieldKind.values:
        errors |= _check_kind(field, old)
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


def _check_kind(field: FieldDefinition, old: FieldDefinition | None) -> dict[str, str]:
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
        errors |= _check_unique(field, old)
    return errors


def _check_unique(field: FieldDefinition, old: FieldDefinition | None) -> dict[str, str]:
    if not kind_of(field).can_be_unique:
        return {"unique": f"A field of the kind “{field.get_kind_display()}” cannot be unique."}
    if (
        field.object_id is None
        or (old and old.unique and old.kind == field.kind)
        or not (text := find_duplicates(field))
    ):
        return {}
    return {"unique": text}


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
