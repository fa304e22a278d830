"""What documents refer to: objects, secrets, teams and users, each asked for once for a document."""

from functools import cached_property

from django.contrib.auth.models import Group
from django.db.models import Q

from records.ids import decode
from records.models import ObjectDefinition, User
from webhooks.keyring import SecretKind
from webhooks.models import Secret


class Installation:
    """As it is now; made anew for each document that is looked at."""

    @cached_property
    def objects(self) -> dict[str, ObjectDefinition]:
        return {each.slug: each for each in ObjectDefinition.objects.alive()}

    @cached_property
    def secrets(self) -> dict[str, str]:
        """The kinds of the secrets by name."""
        return dict(Secret.objects.values_list("name", "kind"))

    @cached_property
    def text_secrets(self) -> frozenset[str]:
        """Those that expressions may name."""
        return frozenset(name for name, kind in self.secrets.items() if kind == SecretKind.TEXT)

    @cached_property
    def teams(self) -> list[str]:
        return list(Group.objects.values_list("name", flat=True))

    def has_user(self, value: str) -> bool:
        """By id, user name or e-mail address, as `automations.people` finds them."""
        users = User.objects.active()
        try:
            decode("user", value)
        except ValueError:
            called = users.filter(Q(username=value) | Q(email__iexact=value))
        else:
            called = users.filter(pk=value)
        return bool(called.exists())
