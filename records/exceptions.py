"""What can go wrong with records. The docstring is the message where an instance has none of its own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from records.models import Record


class RecordsError(Exception):
    """Base of this app's expected errors."""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").strip()


class InvalidData(RecordsError):
    """Some values do not fit. `errors` has the messages of each field (or "stage", "owner", "state")."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        self.errors: dict[str, list[str]] = {name: list(texts) for name, texts in errors.items()}
        super().__init__(" ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()))


class StaleRecord(RecordsError):
    """The record has changed since it was loaded; nothing was saved.

    `current` is the record as it is now (None when it is gone for good), `attempted` what was to be
    written by name (field slugs, "stage", "state", "owner"), `differs` the names where the two differ.
    """

    def __init__(
        self, *, current: "Record | None" = None, attempted: Mapping[str, Any] | None = None
    ) -> None:
        self.current = current
        self.attempted: dict[str, Any] = dict(attempted or {})
        super().__init__("The record has changed since it was loaded; nothing was saved.")

    @property
    def differs(self) -> list[str]:
        from records.models.tracking import same

        if self.current is None:
            return list(self.attempted)
        now = {
            **self.current.data,
            "stage": self.current.stage,
            "state": self.current.state,
            "owner": self.current.owner_id,
        }
        return [name for name, value in self.attempted.items() if not same(value, now.get(name))]


class RecordDeleted(RecordsError):
    """The record is deleted; restore it before you change it."""


class ObjectDeleted(RecordsError):
    """The object is deleted; restore it before you add or restore its records."""


class CannotRestore(RecordsError):
    """This cannot be restored."""


class AlreadyGone(RecordsError):
    """Somebody has deleted this meanwhile."""


class InvitationClosed(RecordsError):
    """This invitation can be answered no more."""
