"""Names of objects, fields and stages as they stand in sentences; of what is not there, what was written."""

from collections.abc import Sequence

from records.models import ObjectDefinition


def one_of(definition: ObjectDefinition | None) -> str:
    """ "a lead", "an account"."""
    if definition is None:
        return "a record"
    name = definition.name.lower()
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def field_label(definition: ObjectDefinition | None, slug: str) -> str:
    field = definition.schema.by_slug.get(slug) if definition else None
    return field.label.lower() if field else slug


def stage_label(definition: ObjectDefinition | None, slug: str) -> str:
    return definition.schema.stage_labels.get(slug, slug) if definition else slug


def either(words: Sequence[str], joined: str = "or") -> str:
    """ "name", "name or email", "name, email or phone"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joined} {words[-1]}"


def amount_of(number: int, unit: str) -> str:
    """ "1 day", "3 days"."""
    return f"{number} {unit.removesuffix('s') if number == 1 else unit}"
