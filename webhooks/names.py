"""The names that a webhook's expressions can use: for the menu beside inputs, and to find unknown ones."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from records.eventtypes import RECORD_ATTRIBUTES, has_record
from records.expressions.errors import suggest
from records.linked import RECORD_NAMES, USER_NAMES, linked_object, names_behind
from records.models import FieldDefinition, FieldKind, ObjectDefinition
from webhooks.madeup import MADE_UP_SUBJECTS
from webhooks.payloads import (
    ACTOR_NAMES,
    EVENT_NAMES,
    OBJECT_NAMES,
    record_names,
)

# What can follow each first name; None where that is not known beforehand.
Known = Mapping[str, frozenset[str] | None]

# A request may name secrets; a filter may not.
SECRETS: Final = "secrets"
_NO_RECORD: Final = (
    "only events of records, their comments and tasks have a `record`; this one has a `subject`"
)
# Functions worth knowing, each as it is inserted and as it is explained.
_FUNCTIONS: Final = (
    ("date_add(now, 3, 'days')", "A date moved by a time"),
    ("date_diff(now, event.created_at, 'hours')", "The time between two dates"),
    ("format_date(now, '%d.%m.%Y')", "A date as text"),
    ("length(event.changed)", "How many items or characters"),
    ("coalesce(actor.name, 'somebody')", "The first that is not empty"),
)
_ATTRIBUTE_LABELS: Final = {
    "id": "Id of the record",
    "object_id": "Id of its object",
    "stage": "Stage",
    "state": "State: draft, submitted or closed",
    "owner": "Owner (id of the user)",
    "created_at": "When it was created",
    "updated_at": "When it was last changed",
}
_KIND_WORDS: Final = {
    FieldKind.NUMBER: "number",
    FieldKind.DECIMAL: "number",
    FieldKind.CURRENCY: "number",
    FieldKind.BOOLEAN: "true/false",
    FieldKind.DATE: "date",
    FieldKind.DATETIME: "date and time",
    FieldKind.MULTI_CHOICE: "list",
    FieldKind.JSON: "JSON",
}


@dataclass(frozen=True, slots=True)
class Name:
    """Something to insert: `record.name`, what it is in words, and its type."""

    path: str
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    names: list[Name]


class Names:
    """The namespace of one event name (and one object, or every object).

    `secrets` are the names of those there are; None where that is not asked.
    """

    def __init__(
        self,
        event_name: str,
        definition: ObjectDefinition | None = None,
        secrets: Collection[str] | None = None,
    ) -> None:
        self.secrets = None if secrets is None else frozenset(secrets)
        self.event_name = event_name
        self.of_record = event_name.startswith("record.")
        self.has_record = has_record(event_name)
        self.definition = definition if self.has_record else None

    def known(self, *more: str) -> Known:
        """With `more` first names, of which nothing else is known: path parameters, secrets."""
        known: dict[str, frozenset[str] | None] = {
            "event": frozenset(EVENT_NAMES),
            "record": None,
            "previous": None,
            "subject": None,
            "object": frozenset(OBJECT_NAMES),
            "actor": frozenset(ACTOR_NAMES),
            "now": None,
        }
        if self.definition:
            names = frozenset(record_names(self.definition))
            reason = ["quarantine_reason"] if self.event_name == "record.quarantined" else []
            known["record"] = names.union(reason)
            if self.of_record:
                known["previous"] = names - {"created_at", "updated_at"}
        known |= dict.fromkeys(more)
        if SECRETS in more:
            known[SECRETS] = self.secrets
        return known

    def problem_with(self, path: str, known: Known) -> tuple[str, str] | None:
        """What is wrong with a dotted path, and the step of it that is; None when nothing is known to be."""
        root, *steps = path.split(".")
        if root not in known:
            return suggest(f"unknown name `{root}`", root, known)[0], root
        if root == "record" and not self.has_record:
            return _NO_RECORD, root
        if root == SECRETS and not steps:
            return (
                "a secret is named as it is, such as `secrets.api_key`; it can't be worked out",
                root,
            )
        attributes = known[root]
        if attributes is None or not steps:
            return None
        if steps[0] in attributes:
            return self._problem_behind(root, steps)
        step = steps[0]
        if root == SECRETS:
            return suggest(f"there is no secret `{step}`", step, sorted(attributes))[0], step
        label = f"`{root}`"
        if root in ("record", "previous") and self.definition:
            label = str(self.definition)
        return suggest(f"{label} has no field `{step}`", step, sorted(attributes))[0], step

    def _problem_behind(self, root: str, steps: list[str]) -> tuple[str, str] | None:
        """What is wrong with the second step of a path through a link: `record.company.nmae`."""
        if root not in ("record", "previous") or len(steps) < 2 or self.definition is None:
            return None
        if steps[0] == "owner":
            behind: list[str] | None = list(USER_NAMES)
        else:
            field = self.definition.schema.by_slug.get(steps[0])
            behind = names_behind(field) if field else None
        if behind is None or steps[1] in behind:
            return None
        where = f"`{root}.{steps[0]}`"
        return suggest(f"{where} has no field `{steps[1]}`", steps[1], behind)[0], steps[1]

    def groups(self) -> list[Group]:
        """For the menu: the likeliest first."""
        groups = []
        if not self.of_record:
            told = MADE_UP_SUBJECTS.get(self.event_name, {})
            groups.append(Group("Subject", _names("subject", ("id", "label", *told))))
        if self.has_record:
            label = self.definition.name if self.definition else "Record"
            groups.append(Group(label, self._record_names("record")))
            groups += self._linked_groups()
        groups.append(Group("Event", _event_names()))
        if self.of_record:
            before = self._record_names("previous", without=("id", "object_id"))
            groups.append(Group("Before the change", before))
        groups.append(Group("Who did it", _names("actor", ACTOR_NAMES)))
        if self.has_record:
            groups.append(Group("Object", _names("object", OBJECT_NAMES)))
        if self.secrets:
            secrets = [
                Name(f"{SECRETS}.{name}", "Put in when it is sent") for name in sorted(self.secrets)
            ]
            groups.append(Group("Secrets, not in filters", secrets))
        functions = [Name("now", "When it happened", "date and time")]
        functions += [Name(call, words, "function") for call, words in _FUNCTIONS]
        groups.append(Group("Dates and functions", functions))
        return groups

    def _linked_groups(self) -> list[Group]:
        """What links of the record lead to."""
        groups = []
        for field in self.definition.schema.fields if self.definition else ():
            root = f"record.{field.slug}"
            if field.kind == FieldKind.USER:
                groups.append(Group(field.label, _names(root, USER_NAMES)))
            elif field.kind == FieldKind.LINK and (target := linked_object(field)):
                names = [
                    Name(f"{root}.{each.slug}", each.label, _kind_of(each))
                    for each in target.schema.fields
                ]
                names.append(Name(f"{root}.id", _ATTRIBUTE_LABELS["id"]))
                groups.append(Group(f"{field.label} ({target.name})", names))
        return groups

    def _record_names(self, root: str, *, without: tuple[str, ...] = ()) -> list[Name]:
        fields = self.definition.schema.fields if self.definition else ()
        names = [Name(f"{root}.{field.slug}", field.label, _kind_of(field)) for field in fields]
        attributes = RECORD_NAMES if root == "record" else RECORD_ATTRIBUTES
        names += [
            Name(f"{root}.{name}", _ATTRIBUTE_LABELS[name])
            for name in attributes
            if name not in without
        ]
        return names


def _kind_of(field: FieldDefinition) -> str:
    return _KIND_WORDS.get(FieldKind(field.kind), "text")


def _event_names() -> list[Name]:
    return [
        Name("event.name", "Name, such as record.submitted"),
        Name("event.id", "Id"),
        Name("event.changed", "Names of the fields that changed", "list"),
        Name("event.created_at", "When it happened", "date and time"),
    ]


def _names(root: str, names: tuple[str, ...]) -> list[Name]:
    return [Name(f"{root}.{name}", name.replace("_", " ").capitalize()) for name in names]


def menu_of(names: Names) -> list[dict[str, Any]]:
    """The groups as JSON for the page."""
    return [
        {
            "label": group.label,
            "names": [
                {"path": name.path, "label": name.label, "kind": name.kind} for name in group.names
            ],
        }
        for group in names.groups()
    ]
