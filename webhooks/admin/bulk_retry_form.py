"""What a bulk retry's form or address asks for. Whatever an address says, there is a page: mistakes are told."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from webhooks.admin.filters import PERIODS, STATUS_CLASSES, clean_id, read_moment
from webhooks.models import Destination, Webhook
from webhooks.retry_filters import RetryFilter
from webhooks.summaries import ERROR_NAMES

# What fails mostly, first.
_CLASSES: Final = [(name, STATUS_CLASSES[name]) for name in ("4xx", "5xx", "3xx")]
_TIMES: Final = [(name, label) for name, (label, _) in PERIODS.items()]
# The drop-downs name no more than this.
_MAX_CHOICES: Final = 300


class BulkRetryForm(forms.Form):
    """Which failed jobs. At least one of webhook, destination, error and status has to be said."""

    webhook = forms.CharField(required=False, max_length=60)
    destination = forms.CharField(required=False, max_length=270)
    error = forms.ChoiceField(required=False, choices=[("", "Any"), *ERROR_NAMES.items()])
    status = forms.RegexField(r"\A[1-5](xx|\d\d)\Z", required=False, max_length=3)
    # Failed since: a period, or a moment.
    time = forms.ChoiceField(
        required=False,
        choices=[("", "Any time"), *_TIMES],
    )
    since = forms.CharField(required=False, max_length=60)
    # When a person was shown how many there are: what fails later is none of it.
    until = forms.CharField(required=False, max_length=60)

    default_error_messages = {"status": "That is no status such as 503, or 5xx."}

    def clean_webhook(self) -> str:
        text: str = self.cleaned_data["webhook"]
        pk = clean_id(Webhook, text)
        if text and not pk:
            raise ValidationError(f"“{text}” is no id of a webhook.")
        return pk

    def clean_since(self) -> datetime | None:
        return _moment(self.cleaned_data["since"])

    def clean_until(self) -> datetime | None:
        return _moment(self.cleaned_data["until"])

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        named = ("webhook", "destination", "error", "status")
        if not self.errors and not any(values.get(name) for name in named):
            raise ValidationError("Choose a webhook, a destination, an error or a status.")
        return values

    def retry_filter(self, now: datetime) -> RetryFilter:
        values = self.cleaned_data
        since = values["since"]
        if values["time"]:
            since = now - PERIODS[values["time"]][1]
        return RetryFilter(
            webhook_id=values["webhook"],
            lane=values["destination"],
            error_kind=values["error"],
            http_status=values["status"],
            since=since,
            until=values["until"],
        )


def form_choices(form: BulkRetryForm) -> dict[str, Any]:
    """The drop-downs, each with what was asked for, also where it is not among the first."""
    webhooks = list(Webhook.objects.order_by("name").values_list("pk", "name")[:_MAX_CHOICES])
    lanes = Destination.objects.order_by("-failing_since", "lane")
    return {
        "webhooks": _with(webhooks, form["webhook"].value()),
        "lanes": _with([(lane, lane) for lane in lanes.values_list("lane", flat=True)[:_MAX_CHOICES]],
                       form["destination"].value()),
        "errors": list(ERROR_NAMES.items()),
        "statuses": _with(list(_CLASSES), form["status"].value()),
        "times": _TIMES,
    }  # fmt: skip


def _with(choices: list[tuple[str, str]], value: Any) -> list[tuple[str, str]]:
    text = str(value or "")[:270]
    if text and text not in {key for key, _ in choices}:
        choices.append((text, text))
    return choices


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return read_moment(text)
    except ValueError as error:
        raise ValidationError(f"{error}.") from None
