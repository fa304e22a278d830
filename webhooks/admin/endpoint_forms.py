"""The forms of endpoints, one for each kind."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from records.expressions import ExpressionError, names_used, names_used_in_expression
from records.models import ObjectDefinition
from webhooks.admin.endpoint_schemes import (
    read_scheme,
    scheme_choices,
    scheme_field_names,
    scheme_fields,
)
from webhooks.form_fields import DurationTextField
from webhooks.inbound.origins import origin_problem
from webhooks.inbound.waiting import MAX_WAIT_S
from webhooks.intake.content_types import pattern_problem
from webhooks.models import AnswerMode, EndpointKind, InboundEndpoint
from webhooks.verification.addresses import parse_networks

METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "GET")
# A body is in memory while it is read, several times over while it is understood.
MAX_BODY_KIB: Final = 10 * 1024
_MAP: Final = "map_"
# A year: what is kept for longer is kept for ever.
_LONGEST_WINDOW_S: Final = 366 * 86_400

Section = tuple[str | None, dict[str, Any]]


class LinesField(forms.CharField):
    """A list, one entry to a line. `problem_of` says what is wrong with one, or nothing."""

    def __init__(self, problem_of: Callable[[str], str | None], **values: Any) -> None:
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"})
        super().__init__(required=False, widget=widget, **values)
        self._problem_of = problem_of

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        entries = list(
            dict.fromkeys(filter(None, map(str.strip, super().clean(value).split("\n"))))
        )
        problems = [problem for entry in entries if (problem := self._problem_of(entry))]
        if problems:
            raise forms.ValidationError(problems)
        return entries

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """What endpoints of automations and forms have in common."""

    methods = forms.MultipleChoiceField(
        choices=[(name, name) for name in METHODS],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="What the sender may use; most webhooks are POSTs.",
    )
    content_types = LinesField(
        pattern_problem,
        label="Allowed content types",
        help_text="One to a line, such as application/json or text/*. Empty: every type.",
    )
    origins = LinesField(
        origin_problem,
        label="Allowed origins",
        help_text="Sites whose pages may send from a browser (CORS), one to a line: https://www.example.com. "
        "Empty: no page may read the answer.",
    )
    max_body_kib = forms.IntegerField(
        label="Largest body, in KiB",
        min_value=1,
        max_value=MAX_BODY_KIB,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=f"Larger ones are refused before they are read (413). At most {MAX_BODY_KIB:,}.",
    )
    window = DurationTextField(
        label="Duplicates are known for",
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as 1 day. Within this time the same delivery gets the first answer and starts nothing.",
    )

    redirect_url = forms.URLField(
        label="Then redirects to",
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget(),
        help_text="The page that thanks. When values do not fit, it gets ?error= with the fields' names.",
    )

    class Meta:
        model = InboundEndpoint
        fields: ClassVar = (
            "name", "is_active", "methods", "scheme", "allowed_networks", "content_types", "per_minute",
            "per_address_per_minute", "duplicate_key", "answer_mode", "wait_s", "origins", "honeypot_field",
            "redirect_url", "object",
        )  # fmt: skip
        widgets: ClassVar = {
            "name": UnfoldAdminTextInputWidget(),
            "is_active": UnfoldBooleanSwitchWidget(),
            "scheme": UnfoldAdminSelectWidget(choices=scheme_choices()),
            "allowed_networks": UnfoldAdminTextareaWidget(attrs={"rows": 2, "spellcheck": "false"}),
            "per_minute": UnfoldAdminIntegerFieldWidget(),
            "per_address_per_minute": UnfoldAdminIntegerFieldWidget(),
            "duplicate_key": UnfoldAdminTextInputWidget(),
            "answer_mode": UnfoldAdminSelectWidget(choices=AnswerMode.choices),
            "wait_s": UnfoldAdminIntegerFieldWidget(),
            "honeypot_field": UnfoldAdminTextInputWidget(),
            "object": UnfoldAdminSelectWidget(),
        }
        help_texts: ClassVar = {
            "is_active": "Switched off, callers are told to try again later (503).",
            "allowed_networks": "Addresses and networks that may send, one to a line: 192.0.2.0/24. Empty: all.",
            "per_minute": "Beyond it callers are told when to try again (429). Empty: no limit.",
            "per_address_per_minute": "The same for each sender's address.",
            "duplicate_key": "Where the sender has no delivery id in its headers, an expression that tells "
            "one delivery from another: webhook.body.id",
            "wait_s": f"Seconds, {MAX_WAIT_S} at most. A run that takes longer is asked for later: the caller gets 202 "
            "and an address that tells its state.",
            "honeypot_field": "A field of the form that people do not see. Who fills it in is a robot, and is thanked "
            "all the same.",
            "object": "What the posts become.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        endpoint = self.instance
        for name in [name for name in self.fields if name not in names_in(sections_for(endpoint))]:
            del self.fields[name]
        if "max_body_kib" in self.fields:
            self.initial["max_body_kib"] = max(1, endpoint.max_body_bytes // 1024)
            self.initial["window"] = endpoint.duplicate_window_s
        if "scheme" in self.fields:
            self.fields.update(scheme_fields(endpoint))
        if "object" in self.fields:
            alive = ObjectDefinition.objects.alive()
            self.fields["object"].queryset = alive  # type: ignore[attr-defined]
            self.fields["object"].required = True
            self.fields["object"].empty_label = "Choose…"  # type: ignore[attr-defined]
        self.fields.update(map_fields(endpoint))

    def clean_allowed_networks(self) -> str:
        text: str = self.cleaned_data["allowed_networks"]
        problems = parse_networks(text)[1]
        if problems:
            raise forms.ValidationError(list(problems))
        return text

    def clean_duplicate_key(self) -> str:
        source: str = self.cleaned_data["duplicate_key"].strip()
        return _checked(source, names_used_in_expression) if source else ""

    def clean_wait_s(self) -> int:
        seconds: int = self.cleaned_data["wait_s"]
        if not 1 <= seconds <= MAX_WAIT_S:
            raise forms.ValidationError(f"Enter a number from 1 to {MAX_WAIT_S}.")
        return seconds

    def clean_window(self) -> int:
        seconds: int = self.cleaned_data["window"]
        if not 1 <= seconds <= _LONGEST_WINDOW_S:
            raise forms.ValidationError("Enter a time of a second to a year.")
        return seconds

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("scheme"):
            settings, secrets, problems = read_scheme(values["scheme"], values)
            for name, words in problems.items():
                self.add_error(name if name in self.fields else "scheme", words)
            self.instance.scheme_settings, self.instance.scheme_secrets = settings, secrets
        if "max_body_kib" in values:
            self.instance.max_body_bytes = values["max_body_kib"] * 1024
        if "window" in values:
            self.instance.duplicate_window_s = values["window"]
        self._clean_map(values)
        return values

    def _clean_map(self, values: dict[str, Any]) -> None:
        """One expression for each field of the object; those that are empty are not in the map."""
        names = [name for name in self.fields if name.startswith(_MAP)]
        found = {name: values[name].strip() for name in names if values.get(name, "").strip()}
        for name, source in found.items():
            try:
                _checked(source, names_used)
            except forms.ValidationError as error:
                self.add_error(name, error)
        if names and values.get("object") == map_object(self.instance):
            self.instance.field_map = {
                name.removeprefix(_MAP): source for name, source in found.items()
            }
        elif "object" in self.changed_data:
            self.instance.field_map = {}


def _checked(source: str, names_of: Callable[[str], Iterable[str]]) -> str:
    """An expression or a template that only asks for what came in. Raises ValidationError."""
    try:
        names = names_of(source)
    except ExpressionError as error:
        raise forms.ValidationError(str(error)) from None
    others = sorted({name.partition(".")[0] for name in names} - {"webhook"})
    if others:
        raise forms.ValidationError(
            f"There is no `{others[0]}` here, only what came in: webhook.body, webhook.query, webhook.headers."
        )
    return source


def map_object(endpoint: InboundEndpoint) -> ObjectDefinition | None:
    """The object whose fields the form shows: the saved one."""
    if endpoint.kind != EndpointKind.FORM or endpoint._state.adding:
        return None
    return endpoint.object


def map_fields(endpoint: InboundEndpoint) -> dict[str, forms.Field]:
    definition = map_object(endpoint)
    if definition is None:
        return {}
    return {
        f"{_MAP}{field.slug}": forms.CharField(
            label=field.label,
            required=False,
            initial=endpoint.field_map.get(field.slug, ""),
            widget=UnfoldAdminTextInputWidget(
                attrs={"placeholder": f"{{{{ webhook.body.{field.slug} }}}}", "spellcheck": "false"}
            ),
        )
        for field in definition.schema.fields
    }


# --- sections ----------------------------------------------------------------------------------


def names_in(sections: Sequence[Section]) -> set[str]:
    return {name for _, section in sections for name in section["fields"]}


def sections_for(endpoint: InboundEndpoint) -> list[Section]:
    is_form = endpoint.kind == EndpointKind.FORM
    sections: list[Section] = []
    if is_form:
        sections.append((None, {"fields": ["name", "is_active", "object"]}))
        if endpoint._state.adding:
            return sections
        words = "What stands in each field; with none of them filled in, fields get what was sent under their names."
        names = list(map_fields(endpoint))
        if names:
            sections.append(("Fields", {"fields": names, "description": words}))
        sections.append(
            ("Page of the form", {"fields": ["origins", "honeypot_field", "redirect_url"]})
        )
    else:
        sections.append(("Answer", {"fields": ["answer_mode", "wait_s"]}))
    sections += [
        (
            "Who may send",
            {"fields": ["scheme", *scheme_field_names(), "allowed_networks"]},
        ),
        (
            "What may come",
            {
                "fields": [
                    *("methods", "content_types", "max_body_kib"),
                    *("per_minute", "per_address_per_minute"),
                ]
            },
        ),
        ("The same once more", {"fields": ["duplicate_key", "window"]}),
    ]
    if not is_form:
        sections.append(("Browsers", {"fields": ["origins"]}))
    return sections


# For who may only look: what the form's own fields are made of.
_COLUMNS: Final = {"max_body_kib": "max_body_bytes", "window": "duplicate_window_s"}


def sections_to_read(endpoint: InboundEndpoint) -> list[Section]:
    of_schemes = set(scheme_field_names())
    sections: list[Section] = []
    for title, section in sections_for(endpoint):
        names = [_COLUMNS.get(name, name) for name in section["fields"] if name not in of_schemes]
        if "scheme" in names and endpoint.scheme_settings:
            names.insert(names.index("scheme") + 1, "scheme_settings")
        if any(name.startswith(_MAP) for name in names):
            names = ["field_map"]
        sections.append((title, {**section, "fields": names}))
    return sections
