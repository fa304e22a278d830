"""Models that remember what the database holds, so that a save knows what it changes without asking."""

from collections.abc import Collection, Iterable, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Self, TypeVar

from django.db import models, transaction
from django.dispatch import Signal

# How many rows one statement of a bulk change names: well under SQLite's limit of 32,766 variables.
CHUNK_SIZE = 2000

# Sent by bulk changes, inside their transaction, with `pairs`: the (row before, row after) of each row.
rows_changed = Signal()
# Sent by bulk_create, inside its transaction, with `instances`.
rows_created = Signal()


def copy_value(value: Any) -> Any:
    """A copy that does not change when the original is changed in place."""
    if isinstance(value, dict):
        return {
            key: deepcopy(item) if isinstance(item, dict | list) else item
            for key, item in value.items()
        }
    return deepcopy(value) if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Equality as JSON has it: true is not 1, but 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


class TrackedModel(models.Model):
    """Keeps the values of the columns named in `tracked` as they were loaded or last saved."""

    # Attribute names ("owner_id", not "owner").
    tracked: ClassVar[Sequence[str]] = ()

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loaded: dict[str, Any] = {}

    @classmethod
    def from_db(
        cls, db: str | None, field_names: Collection[str], values: Collection[Any], **kwargs: Any
    ) -> Self:
        instance = super().from_db(db, field_names, values, **kwargs)
        instance.remember()
        return instance

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        names = None if fields is None else set(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self.remember(names)

    def remember(self, names: Collection[str] | None = None) -> None:
        """What the instance holds now is what the database holds."""
        values = self.__dict__  # not getattr: that would load what was deferred
        for name in self.tracked:
            if name in values and (names is None or name in names or _bare(name) in names):
                self.loaded[name] = copy_value(values[name])

    def remember_rest(self) -> None:
        """Look up the tracked columns that were deferred: a change is told with all it changed."""
        missing = [name for name in self.tracked if name not in self.loaded]
        if missing and not self._state.adding:
            row = type(self)._base_manager.filter(pk=self.pk).values(*missing).first()
            self.loaded.update(row or {})

    def unsaved_changes(self, update_fields: Collection[str] | None = None) -> list[str]:
        """The tracked columns (of those in `update_fields`) that differ from what the database holds."""
        values = self.__dict__
        return [
            name
            for name in self.tracked
            if name in values
            and (update_fields is None or name in update_fields or _bare(name) in update_fields)
            and not (name in self.loaded and same(values[name], self.loaded[name]))
        ]

    def discard_changes(self) -> None:
        """Back to what the database holds."""
        for name, value in self.loaded.items():
            setattr(self, name, copy_value(value))


Row = TypeVar("Row", bound="TrackedModel")


class TrackedQuerySet(models.QuerySet[Row]):
    """Bulk changes that tell what they change, like single saves do."""

    def update(self, **kwargs: Any) -> int:
        watched = {_bare(name) for name in self.model.tracked} | set(self.model.tracked)
        if not watched.intersection(kwargs):
            return super().update(**kwargs)
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        manager = self.model._base_manager.using(self.db)
        count = 0
        with transaction.atomic(using=self.db):
            pks = list(self.order_by().values_list("pk", flat=True))
            for start in range(0, len(pks), CHUNK_SIZE):
                rows = manager.filter(pk__in=pks[start : start + CHUNK_SIZE])
                before = {row.pk: row for row in rows.select_for_update().order_by("pk")}
                count += self._update_rows(rows, kwargs)
                after = rows.in_bulk()
                pairs = [(before[pk], after[pk]) for pk in before if pk in after]
                rows_changed.send(sender=self.model, pairs=pairs)
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def _update_rows(self, rows: "models.QuerySet[Row]", values: dict[str, Any]) -> int:
        return rows.update(**values)

    def bulk_create(self, objs: Iterable[Row], *args: Any, **kwargs: Any) -> list[Row]:
        """Like Django's; what ends in an update or in nothing is not offered, for it could not be told."""
        if any(kwargs.get(name) for name in ("ignore_conflicts", "update_conflicts")):
            raise ValueError("bulk_create cannot tell here which rows it would leave or update.")
        instances = list(objs)
        with transaction.atomic(using=self.db):
            created = super().bulk_create(instances, *args, **kwargs)
            rows_created.send(sender=self.model, instances=created)
        for instance in created:
            instance.remember()
        return created


def _bare(name: str) -> str:
    """The field's name of a foreign key's column: "owner_id" → "owner"."""
    return name.removesuffix("_id")
