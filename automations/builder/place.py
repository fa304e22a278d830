"""What is known at the place of a card: the object that the automation is about, and what can be chosen there."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from django.contrib.auth.models import Group
from pydantic import ValidationError

from automations.models import Automation, MailTemplate
from automations.names import WEBHOOK_RECEIVED
from automations.triggers import TRIGGERS
from records.models import FieldDefinition, ObjectDefinition, Stage, User
from records.permissions import visible_objects
from webhooks.models import Secret

# More people than this are not listed one by one.
MAX_USERS: Final = 300


class Place:
    """One automation's draft as its forms see it; what they don't ask for is not looked up."""

    def __init__(self, draft: Mapping[str, Any], user: User) -> None:
        self.draft = draft
        self.user = user

    @cached_property
    def trigger_config(self) -> Any:
        """The trigger's validated config; None where it has mistakes."""
        part = self.draft.get("trigger") or {}
        kind = TRIGGERS.get(str(part.get("type")))
        if kind is None:
            return None
        try:
            return kind.Config.model_validate(part.get("config") or {})
        except ValidationError:
            return None

    @cached_property
    def object_slug(self) -> str:
        """Also when the rest of the trigger has mistakes."""
        part = self.draft.get("trigger") or {}
        kind = TRIGGERS.get(str(part.get("type")))
        if kind is not None and self.trigger_config is not None:
            return kind.object_slug(self.trigger_config)
        return str((part.get("config") or {}).get("object") or "")

    @cached_property
    def definition(self) -> ObjectDefinition | None:
        return self.definition_of(self.object_slug)

    @cached_property
    def objects(self) -> list[ObjectDefinition]:
        return list(visible_objects(self.user))

    def definition_of(self, slug: str) -> ObjectDefinition | None:
        return next((each for each in self.objects if each.slug == slug), None)

    def fields(self, slug: str = "") -> list[FieldDefinition]:
        """Those of the object with this slug, or of the trigger's."""
        definition = self.definition_of(slug) if slug else self.definition
        return list(definition.schema.fields) if definition else []

    @cached_property
    def any_fields(self) -> list[FieldDefinition]:
        """Those of all objects, for records that may be of any; of several with one name the first."""
        every = [each for definition in self.objects for each in definition.schema.fields]
        return list({each.slug: each for each in reversed(every)}.values())[::-1]

    @cached_property
    def any_stages(self) -> list[Stage]:
        every = [each for definition in self.objects for each in definition.schema.stages]
        return list({each.slug: each for each in reversed(every)}.values())[::-1]

    @cached_property
    def labels(self) -> dict[str, str]:
        """What people call the fields of the trigger's object, by their paths."""
        return {each.slug: each.label for each in self.fields()}

    def stages(self, slug: str = "") -> list[Stage]:
        definition = self.definition_of(slug) if slug else self.definition
        return list(definition.schema.stages) if definition else []

    @cached_property
    def event_name(self) -> str:
        """One that the trigger fires on, to make examples of."""
        part = self.draft.get("trigger") or {}
        kind = TRIGGERS.get(str(part.get("type")))
        if kind is None or self.trigger_config is None:
            return "record.created"
        return next(iter(sorted(kind.event_names(self.trigger_config))), "record.created")

    @cached_property
    def has_record(self) -> bool:
        """While the trigger has mistakes, whether it may have one."""
        kind = TRIGGERS.get(str((self.draft.get("trigger") or {}).get("type")))
        if kind is None:
            return True
        config = self.trigger_config
        return kind.has_record if config is None else kind.is_about_record(config)

    @property
    def takes_requests(self) -> bool:
        """Whether it starts with what other systems send."""
        return self.event_name == WEBHOOK_RECEIVED

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Names of secrets, each with its kind."""
        return dict(Secret.objects.order_by("name").values_list("name", "kind"))

    @cached_property
    def teams(self) -> list[str]:
        return list(Group.objects.order_by("name").values_list("name", flat=True))

    @cached_property
    def mail_templates(self) -> list[tuple[str, str]]:
        return list(MailTemplate.objects.order_by("name").values_list("id", "name"))

    @cached_property
    def automations(self) -> list[tuple[str, str, str, bool]]:
        """Id, name, state, and whether anything of it is published."""
        rows = Automation.objects.order_by("name").values_list("id", "name", "state", "published")
        return [(pk, name, state, version is not None) for pk, name, state, version in rows]

    @cached_property
    def users(self) -> list[tuple[str, str]]:
        """User names, each with the name of the person."""
        rows = User.objects.filter(is_active=True).order_by("username")[:MAX_USERS]
        return [(user.username, str(user)) for user in rows]
