"""The form of a webhook: rows of names and values, delays as people write them, and what is wrong where."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from records.eventtypes import CATALOGUE, TYPE_LABELS
from records.models import ObjectDefinition
from webhooks.durations import DelayError, format_delay, format_delays, parse_delay, parse_delays
from webhooks.models import BodyKind, Method, Webhook
from webhooks.names import Names
from webhooks.outbound import network_policy
from webhooks.rendering import ROW_TYPES, RequestTemplate
from webhooks.retries import DEFAULT_DELAYS_S
from webhooks.statuses import StatusSyntaxError, parse_statuses
from webhooks.validation import Mistake, check_filter, check_request, judge_destination

Row = dict[str, str]

_EVERY_NETWORK: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_refuse_null = ProhibitNullCharactersValidator()
_TYPE_WORDS: Final = {
    "string": "Text",
    "number": "Number",
    "boolean": "True/false",
    "json": "JSON",
}


class RowsWidget(forms.Widget):
    """Rows of inputs with the same names: they work without a script, which only adds and moves them."""

    def __init__(self, *, noun: str, name_hint: str, value_hint: str, typed: bool = False) -> None:
        super().__init__()
        self.noun = noun
        self.hints = {"name": name_hint, "value": value_hint}
        self.typed = typed
        # Set by the form: row → what is wrong with it.
        self.mistakes: Mapping[int, Sequence[str]] = {}

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        rows = [
            {**row, "mistakes": self.mistakes.get(place, ())}
            for place, row in enumerate(value or [])
        ]
        types = [(kind, _TYPE_WORDS[kind]) for kind in ROW_TYPES] if self.typed else []
        context = {
            "name": name,
            "id": (attrs or {}).get("id", name),
            "noun": self.noun,
            "hints": self.hints,
            "types": types,
            "rows": [*rows, {"name": "", "value": "", "type": "string", "is_blank": True}],
        }
        return render_to_string("admin/webhooks/webhook/_rows.html", context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        columns = [_list_of(data, f"{name}-{part}") for part in ("name", "value", "type")]
        rows = []
        for place in range(max(len(columns[0]), len(columns[1]))):
            cells = [column[place] if place < len(column) else "" for column in columns]
            row = {"name": cells[0].strip(), "value": cells[1].replace("\r\n", "\n")}
            if self.typed:
                row["type"] = cells[2] or "string"
            if row["name"] or row["value"].strip():
                rows.append(row)
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None) -> str:
        return ""


class RowsField(forms.Field):
    """A list of {"name", "value"}, and "type" where the rows are typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> list[Row]:
        rows: list[Row] = value or []
        for row in rows:
            for text in row.values():
                _refuse_null(text)
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != (data or [])


class DelaysField(forms.CharField):
    """[60, 300] as "1 min, 5 min"."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else format_delays(value or [])

    def to_python(self, value: Any) -> Any:
        try:
            return parse_delays(str(value or ""))
        except DelayError as error:
            raise ValidationError(str(error)) from None

    def validate(self, value: Any) -> None:
        """An empty list is a choice: no retries."""

    def run_validators(self, value: Any) -> None:
        """What CharField checks of texts does not fit a list."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != (data or "").strip())


class DurationTextField(forms.CharField):
    """86400 as "1 day"; empty is None."""

    def prepare_value(self, value: Any) -> Any:
        return format_delay(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = str(value or "").strip()
        try:
            return parse_delay(text) if text else None
        except DelayError as error:
            raise ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (self.prepare_value(initial) or "") != (data or "").strip()


class WebhookForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none when it runs
    """The event's type is no field of its own: the drop-down of events has a group for each type."""

    event = forms.ChoiceField(widget=UnfoldAdminSelectWidget(), initial="record.submitted")
    object = forms.ModelChoiceField(
        queryset=ObjectDefinition.objects.alive(),
        widget=UnfoldAdminSelectWidget(),
        required=False,
        empty_label="Every object",
    )
    body_kind = forms.ChoiceField(
        label="Body", choices=BodyKind.choices, initial=BodyKind.DEFAULT, widget=forms.RadioSelect
    )
    method = forms.ChoiceField(
        choices=[(method, method) for method in Method.values],
        initial=Method.POST,
        widget=UnfoldAdminSelectWidget(),
    )
    path_params = RowsField(
        label="Path parameters",
        widget=RowsWidget(
            noun="path parameter", name_hint="customer", value_hint="{{ record.id }}"
        ),
    )
    query_params = RowsField(
        label="Query parameters",
        widget=RowsWidget(noun="query parameter", name_hint="page", value_hint="1"),
    )
    headers = RowsField(
        widget=RowsWidget(noun="header", name_hint="Authorization", value_hint="Bearer …")
    )
    body_rows = RowsField(
        label="Rows",
        widget=RowsWidget(
            noun="row", name_hint="customerName", value_hint="{{ record.name }}", typed=True
        ),
    )
    retry_delays_s = DelaysField(
        label="Retries after",
        required=False,
        initial=list(DEFAULT_DELAYS_S),
        widget=UnfoldAdminTextInputWidget(),
        help_text="One time for each retry, such as 1 min, 5 min, 30 min. Empty: it is not retried.",
    )
    max_age_s = DurationTextField(
        label="Maximum age",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A job older than this is not tried again, such as 1 day. Empty: no limit.",
    )

    class Meta:
        model = Webhook
        fields = (
            "name", "description", "is_active", "event", "object", "filter", "method", "url",
            "path_params", "query_params", "headers", "body_kind", "body", "body_rows", "timeout_s",
            "retry_delays_s", "jitter_percent", "max_age_s", "success_statuses", "retry_statuses",
            "halt_statuses", "max_redirects", "is_ordered",
        )  # fmt: skip
        widgets = {
            "description": UnfoldAdminExpandableTextareaWidget({"rows": 1}),
            "is_active": UnfoldBooleanSwitchWidget(),
            "filter": UnfoldAdminExpandableTextareaWidget(
                {"placeholder": "record.value > 10000", "spellcheck": "false"}
            ),
            "url": UnfoldAdminTextInputWidget(
                {"placeholder": "https://api.example.com/hook", "spellcheck": "false"}
            ),
            "body": UnfoldAdminTextareaWidget({"rows": 10, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["event"].choices = event_choices(self.instance.event)
        current = ObjectDefinition.objects.filter(pk=self.instance.object_id)
        fields["object"].queryset = ObjectDefinition.objects.alive() | current
        if "body" in fields:  # not for those who may only look
            fields["body"].strip = False

    # What is entered, whether or not it is right

    def draft(self) -> Webhook:
        """The webhook as it stands in the form; unsaved, and with its mistakes."""
        webhook: Webhook = self.instance
        for name in ("event", "filter", "method", "url", "body_kind", "body"):
            setattr(webhook, name, self._entered(name) or "")
        for name in ("path_params", "query_params", "headers", "body_rows"):
            setattr(webhook, name, self._entered(name) or [])
        webhook.object = self.cleaned_data.get("object")
        return webhook

    def _entered(self, name: str) -> Any:
        if name in self.cleaned_data:
            return self.cleaned_data[name]
        return self.fields[name].widget.value_from_datadict(
            self.data, self.files, self.add_prefix(name)
        )

    # What is wrong with it

    def clean_filter(self) -> str:
        return str(self.cleaned_data["filter"]).replace("\r\n", "\n")

    def clean_url(self) -> str:
        return "".join(str(self.cleaned_data["url"]).split("\r\n"))

    def clean_body(self) -> str:
        return str(self.cleaned_data["body"]).replace("\r\n", "\n")

    def clean_success_statuses(self) -> str:
        if not str(self.cleaned_data["success_statuses"]).strip():
            raise ValidationError("Say which statuses are a success, such as 2xx.")
        return self._clean_statuses("success_statuses")

    def clean_retry_statuses(self) -> str:
        return self._clean_statuses("retry_statuses")

    def clean_halt_statuses(self) -> str:
        return self._clean_statuses("halt_statuses")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        event = values.get("event") or ""
        if not event.startswith("record."):
            values["object"] = None
        names = Names(event, values.get("object"))
        mistakes = check_filter(values.get("filter") or "", names)
        mistakes += check_request(self._request(), names)
        if "url" not in self.errors and not any(one.field == "url" for one in mistakes):
            mistakes += self._check_destination()
        self._add_mistakes(mistakes)
        return values

    def _clean_statuses(self, name: str) -> str:
        text = str(self.cleaned_data[name]).strip()
        try:
            parse_statuses(text)
        except StatusSyntaxError as error:
            raise ValidationError(str(error)) from None
        return text

    def _request(self) -> RequestTemplate:
        names = (
            "method", "url", "path_params", "query_params", "headers", "body_kind", "body",
            "body_rows",
        )  # fmt: skip
        values: dict[str, Any] = {name: self._entered(name) or "" for name in names}
        return RequestTemplate(**values)

    def _check_destination(self) -> list[Mistake]:
        """A request to Signalbox itself is refused here; other networks may be opened later."""
        only_own = replace(network_policy(), allowed_networks=_EVERY_NETWORK)
        refusal = judge_destination(self.cleaned_data["url"], only_own)
        return [Mistake("url", f"URL: {refusal.reason}")] if refusal else []

    def _add_mistakes(self, mistakes: Sequence[Mistake]) -> None:
        by_row: dict[str, dict[int, list[str]]] = {}
        for mistake in mistakes:
            if mistake.field == "url" and "url" in self.errors:
                continue  # it is missing, which was said
            self.add_error(mistake.field, mistake.message)
            if mistake.row is not None:
                rows = by_row.setdefault(mistake.field, {})
                rows.setdefault(mistake.row, []).append(mistake.message)
        for name, rows in by_row.items():
            widget: Any = self.fields[name].widget
            widget.mistakes = rows


def event_choices(current: str = "") -> list[tuple[str, Any]]:
    """Groups of full event names; one that the catalogue has no more stays choosable where it stands."""
    groups: list[tuple[str, Any]] = [
        (TYPE_LABELS[kind], [(f"{kind}.{event}", label) for event, label in events.items()])
        for kind, events in CATALOGUE.items()
    ]
    known = {name for _, events in groups for name, _ in events}
    return groups if not current or current in known else [*groups, (current, current)]


def _list_of(data: Any, name: str) -> list[str]:
    values = data.getlist(name) if isinstance(data, MultiValueDict) else data.get(name, [])
    return [values] if isinstance(values, str) else [str(value) for value in values]
