"""One or some of what there is: fields, stages, teams, people, secrets."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from automations.builder.fields import FormField
from automations.builder.inputs.base import MISSING, Data, Input, input_kind, text_in, texts_in
from automations.builder.inputs.texts import split_outside_braces
from automations.builder.place import Place

Choices = list[tuple[str, str]]
# More choices than this are shown in groups, where their words have some.
_MANY: Final = 12
# More people than this are written, not ticked.
_MAX_TICKS: Final = 20


class Chosen(Input):
    """A drop-down, or where the config has a list: boxes to tick."""

    template = "choice"
    # What stands there while nothing is chosen.
    nothing = "Choose…"

    def choices(self, field: FormField, place: Place) -> Choices:
        raise NotImplementedError

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        chosen = [str(each) for each in value] if isinstance(value, list) else [str(value or "")]
        chosen = [each.removeprefix("obj_def_") for each in chosen]
        choices = self.choices(field, place)
        known = {key for key, _ in choices}
        gone = [(each, f"{each} (not there)") for each in chosen if each and each not in known]
        groups, single = _grouped(choices)
        return {
            "groups": groups,
            "choices": [*single, *gone],
            "chosen": chosen,
            "is_many": field.is_list,
            "nothing": self.nothing_for(field),
        }

    def nothing_for(self, field: FormField) -> str:
        return str(field.options.get("nothing", self.nothing))

    def read(self, field: FormField, data: Data, name: str) -> Any:
        if field.is_list:
            return [text for text in texts_in(data, name) if text] or MISSING
        return text_in(data, name) or MISSING

    def is_sent(self, data: Data, name: str) -> bool:
        return f"{name}-sent" in data or name in data


@input_kind("choice")
class Choice(Chosen):
    template = "choice"

    def choices(self, field: FormField, place: Place) -> Choices:
        labels = field.options.get("labels") or {}
        offered = field.options.get("choices") or field.choices
        if isinstance(offered, Mapping):
            return [(str(key), str(words)) for key, words in offered.items()]
        return [_pair(each, labels) for each in offered]

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        shown = field.default if value is None else value
        context = dict(super().context(field, shown, place))
        has_empty = any(key == "" for key, _ in context["choices"])
        if has_empty or (not field.required and field.default is not None):
            context["nothing"] = ""
        return context


@input_kind("checkbox")
class Checkbox(Input):
    template = "checkbox"

    def shown(self, field: FormField, value: Any) -> Any:
        return bool(field.default if value is None else value)

    def read(self, field: FormField, data: Data, name: str) -> Any:
        return name in data

    def is_sent(self, data: Data, name: str) -> bool:
        return f"{name}-sent" in data


@input_kind("object")
class ObjectChoice(Chosen):
    nothing = "Choose an object…"

    def choices(self, field: FormField, place: Place) -> Choices:
        return [(each.slug, each.plural) for each in place.objects]

    def nothing_for(self, field: FormField) -> str:
        return "Every object" if not field.required and field.default == "" else self.nothing


@input_kind("field", "fields")
class FieldChoice(Chosen):
    nothing = "Choose a field…"

    def choices(self, field: FormField, place: Place) -> Choices:
        return [(each.slug, each.label) for each in place.fields()]


@input_kind("date_field")
class DateFieldChoice(FieldChoice):
    def choices(self, field: FormField, place: Place) -> Choices:
        return [
            (each.slug, each.label) for each in place.fields() if each.kind in ("date", "datetime")
        ]


@input_kind("stage", "stages")
class StageChoice(Chosen):
    nothing = "Any stage"

    def choices(self, field: FormField, place: Place) -> Choices:
        slug = str(field.options.get("object_slug") or "")
        stages = place.any_stages if field.options.get("any_object") else place.stages(slug)
        return [(each.slug, each.label) for each in stages]


@input_kind("team", "teams")
class TeamChoice(Chosen):
    nothing = "Choose a team…"

    def choices(self, field: FormField, place: Place) -> Choices:
        return _same(place.teams)


@input_kind("user")
class UserChoice(Chosen):
    nothing = "Choose a person…"

    def choices(self, field: FormField, place: Place) -> Choices:
        return user_choices(place)


@input_kind("users")
class People(Chosen):
    """People to tick, and a line for all others: addresses, expressions."""

    template = "people"
    expression = "text"
    is_group = True

    def context(self, field: FormField, value: Any, place: Place) -> Mapping[str, Any]:
        chosen = [str(each) for each in value] if isinstance(value, list) else []
        choices = user_choices(place) if len(place.users) <= _MAX_TICKS else []
        known = {key for key, _ in choices}
        others = [each for each in chosen if each not in known]
        return {"choices": choices, "chosen": chosen, "others": ", ".join(others)}

    def read(self, field: FormField, data: Data, name: str) -> Any:
        ticked = [text for text in texts_in(data, name) if text]
        return [*ticked, *split_outside_braces(text_in(data, f"{name}-others"))] or MISSING


@input_kind("mail_template")
class MailTemplateChoice(Chosen):
    nothing = "None: write it here"

    def choices(self, field: FormField, place: Place) -> Choices:
        return place.mail_templates


@input_kind("secret")
class SecretChoice(Chosen):
    nothing = "None"

    def choices(self, field: FormField, place: Place) -> Choices:
        kinds = field.options.get("kinds") or _kinds_for(field.key)
        return _same(name for name, kind in place.secrets.items() if not kinds or kind in kinds)


def _kinds_for(key: str) -> tuple[str, ...]:
    if "certificate" in key:
        return ("cert",)
    return ("symmetric", "ed25519") if "signing" in key else ()


def _pair(value: Any, labels: Mapping[str, Any]) -> tuple[str, str]:
    if isinstance(value, list | tuple) and len(value) == 2:
        return str(value[0]), str(value[1])
    text = str(value)
    words = text.replace("_", " ")
    return text, str(labels.get(text) or (words[:1].upper() + words[1:]))


def user_choices(place: Place) -> Choices:
    return [(name, label if label == name else f"{label} ({name})") for name, label in place.users]


def _grouped(choices: Choices) -> tuple[list[tuple[str, Choices]], Choices]:
    """Choices whose words are all of the form “Record · Created”, by what stands before the dot."""
    if len(choices) < _MANY or not all(" · " in words for _, words in choices):
        return [], choices
    groups: dict[str, Choices] = {}
    for key, words in choices:
        group, _, rest = words.partition(" · ")
        groups.setdefault(group, []).append((key, f"{group} {rest[:1].lower()}{rest[1:]}"))
    return list(groups.items()), []


def _same(names: Iterable[str]) -> Choices:
    return [(name, name) for name in names]
