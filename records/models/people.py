"""People: users of this installation. Their teams are Django's groups."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import transaction

from records.ids import TypeIDField
from records.models.tracking import TrackedModel, TrackedQuerySet


class UserQuerySet(TrackedQuerySet["User"]):
    def active(self) -> "UserQuerySet":
        return self.filter(is_active=True)


class PeopleManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class User(TrackedModel, AbstractUser):
    """A person (or another system) that logs in."""

    # What an event tells of a user. Of the password it tells only that it changed.
    tracked: ClassVar = (
        "username",
        "first_name",
        "last_name",
        "email",
        "is_active",
        "is_staff",
        "is_superuser",
        "password",
    )

    id = TypeIDField("user", primary_key=True)

    objects: ClassVar[PeopleManager] = PeopleManager()

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def save(self, **kwargs: Any) -> None:
        """Write the change and its event in one transaction."""
        with transaction.atomic(using=kwargs.get("using")):
            super().save(**kwargs)
        self.remember(kwargs.get("update_fields"))
