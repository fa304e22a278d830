"""People: users of this installation. Their teams are Django's groups."""

from django.contrib.auth.models import AbstractUser

from records.ids import TypeIDField


class User(AbstractUser):
    """A person (or another system) that logs in."""

    id = TypeIDField("user", primary_key=True)

    def __str__(self) -> str:
        return self.get_full_name() or self.username
