"""The form of a webhook: rows of names and values, delays as people write them, and what is wrong where."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from records.eventtypes import CATALOGUE, RECORD_TYPES, TYPE_LABELS, has_record
from records.models import ObjectDefinition
from webhooks.auth_form import AuthFields
from webhooks.form_fields import DelaysField, DurationTextField, RowsField, RowsWidget
from webhooks.models import BodyKind, Method, Webhook
from webhooks.names import Names
from webhooks.outbound import network_policy
from webhooks.rendering import RequestTemplate
from webhooks.retries import DEFAULT_DELAYS_S
from webhooks.statuses import StatusSyntaxError, parse_statuses
from webhooks.validation import Mistake, check_filter, check_request, judge_destination

_EVERY_NETWORK: Final = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class WebhookForm(AuthFields, forms.ModelForm):  # type: ignore[type-arg]  # it takes none when it runs
    """The event's type is no field of its own: the drop-down of events has a group for each type."""

    event = forms.ChoiceField(
        # The page's script offers an object for these types.
        widget=UnfoldAdminSelectWidget(attrs={"data-with-object": " ".join(sorted(RECORD_TYPES))}),
        initial="record.submitted",
    )
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
        label="Body rows",
        widget=RowsWidget(
            noun="row", name_hint="customerName", value_hint="{{ record.name }}", typed=True
        ),
    )
    retry_delays_s = DelaysField(
        label="Retries after",
        required=False,
        initial=list(DEFAULT_DELAYS_S),
        widget=UnfoldAdminTextInputWidget(),
        help_text="One time for each retry, such as 1 min, 5 min, 30 min; or doubling from 30 s up to 1 h,"
        " 8 times. Empty: it is not retried.",
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
            "path_params", "query_params", "headers", "signing_secret", "client_certificate", "body_kind", "body",
            "body_rows", "timeout_s", "retry_delays_s", "jitter_percent", "max_age_s", "success_statuses",
            "retry_statuses", "halt_statuses", "max_redirects", "is_ordered",
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
        self.offer_secrets(self.instance)

    # What is entered, whether or not it is right

    def draft(self) -> Webhook:
        """The webhook as it stands in the form; unsaved, and with its mistakes."""
        webhook: Webhook = self.instance
        for name in ("event", "filter", "method", "url", "body_kind", "body"):
            setattr(webhook, name, self._entered(name) or "")
        for name in ("path_params", "query_params", "headers", "body_rows"):
            setattr(webhook, name, self._entered(name) or [])
        webhook.object = self.cleaned_data.get("object")
        webhook.auth = self.entered_auth().to_json()
        webhook.signing_secret = self.cleaned_data.get("signing_secret") or ""
        webhook.client_certificate = self.cleaned_data.get("client_certificate") or ""
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
        if not has_record(event):
            values["object"] = None
        names = Names(event, values.get("object"), self.secret_names)
        mistakes = check_filter(values.get("filter") or "", names)
        mistakes += check_request(self._request(), names)
        mistakes += self.headers_set_twice(self._entered("headers") or [])
        if "url" not in self.errors and not any(one.field == "url" for one in mistakes):
            mistakes += self._check_destination()
        self._add_mistakes(mistakes)
        self.check_client_certificate(values.get("url") or "")
        self.instance.auth = self.check_auth_fields()
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
