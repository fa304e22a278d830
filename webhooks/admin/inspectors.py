"""Inspectors: what they answer, and how to try them."""

from typing import ClassVar

from django import forms
from unfold.widgets import UnfoldAdminTextareaWidget

from records.ids import decode
from webhooks.curl import curl_command
from webhooks.models import InboundEndpoint


class InspectorForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = InboundEndpoint
        fields = ("name", "answer_status", "answer_body")
        widgets: ClassVar = {"answer_body": UnfoldAdminTextareaWidget(attrs={"rows": 4})}
        help_texts: ClassVar = {
            "answer_status": "What the caller gets. 500 or 429, for example, to see how retries go.",
            "answer_body": "Text, or JSON if it begins with { or [.",
        }

    def clean_answer_status(self) -> int:
        status: int = self.cleaned_data["answer_status"]
        if not 200 <= status <= 599:
            raise forms.ValidationError(
                f"{status} is no status to answer with; use one from 200 to 599."
            )
        return status


def example_of(endpoint: InboundEndpoint, url: str = "") -> str:
    """A command that sends something to try it with."""
    return curl_command(
        method="POST",
        url=url or endpoint.url,
        headers=[("Content-Type", "application/json")],
        body='{"hello": "world"}',
    )


def request_id(text: str) -> str:
    """The id of a request, or "" for what is none."""
    try:
        decode("req", text)
    except ValueError:
        return ""
    return text
