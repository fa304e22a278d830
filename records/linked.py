"""Links and users in expressions: ids, and through them what they lead to, looked up when somebody asks."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from django.core.exceptions import ValidationError

from records.eventtypes import RECORD_ATTRIBUTES
from records.expressions import Namespace, Reference
from records.models import FieldDefinition, FieldKind, ObjectDefinition, Record, User

USER_NAMES: Final = ("id", "username", "name", "email")
# What a record has beside its fields.
RECORD_NAMES: Final = ("id", "object_id", *RECORD_ATTRIBUTES, "created_at", "updated_at")
# `record.company.parent.parent…`: behind so many records a link is its id and nothing more.
MAX_LINKS: Final = 5


class Gone(Namespace):
    """What is behind the id of something deleted: every name is there, and empty."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        return self.get(name)


def with_links(
    values: Mapping[str, Any], definition: ObjectDefinition | None, links: int = 0
) -> dict[str, Any]:
    """A record's values by name; those that are ids of records and users lead on. No query."""
    found = dict(values)
    if links >= MAX_LINKS:
        return found
    for field in definition.schema.fields if definition else ():
        value = found.get(field.slug)
        if not isinstance(value, str) or not value:
            continue
        if field.kind == FieldKind.USER:
            found[field.slug] = user_reference(value)
        elif field.kind == FieldKind.LINK:
            found[field.slug] = Reference(value, partial(_find_record, value, links + 1))
    owner = found.get("owner")
    if isinstance(owner, str) and owner:
        found["owner"] = user_reference(owner)
    return found


def user_reference(pk: str) -> Reference:
    return Reference(pk, partial(_find_user, pk))


def names_behind(field: FieldDefinition) -> list[str] | None:
    """What `record.<field>.` can be followed by; None for a field that leads nowhere. At most one query."""
    if field.kind == FieldKind.USER:
        return list(USER_NAMES)
    if field.kind != FieldKind.LINK:
        return None
    target = linked_object(field)
    fields = [each.slug for each in target.schema.fields] if target else []
    return [*fields, *RECORD_NAMES]


def linked_object(field: FieldDefinition) -> ObjectDefinition | None:
    """The object whose records a link leads to."""
    return ObjectDefinition.objects.filter(slug=field.options.get("object", "")).first()


def record_values(record: Record, links: int = 0) -> dict[str, Any]:
    """All that expressions see of a record as it is now; fields without a value are there, and empty."""
    values = {
        **dict.fromkeys(record.object.schema.by_slug),
        **record.data,
        "id": record.pk,
        "object_id": record.object.public_id,
        "stage": record.stage,
        "state": record.state,
        "owner": record.owner_id,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    }
    return with_links(values, record.object, links)


def _find_record(pk: str, links: int) -> Namespace:
    records = Record.objects.alive().select_related("object")
    record = records.filter(pk=pk).first() if _is_id(Record, pk) else None
    if record is None:
        return Gone({"id": pk}, label="The linked record")
    return Namespace(record_values(record, links), label=str(record.object))


def _find_user(pk: str) -> Namespace:
    user = User.objects.filter(pk=pk).first() if _is_id(User, pk) else None
    if user is None:
        return Gone({"id": pk}, label="The user")
    values = (user.pk, user.username, str(user), user.email)
    return Namespace(zip(USER_NAMES, values, strict=True), label="A user")


def _is_id(model: type[Record] | type[User], text: str) -> bool:
    """Fields change their kind, values stay: what is no id leads nowhere."""
    try:
        model._meta.pk.to_python(text)
    except ValidationError:
        return False
    return True
