"""The form “Edit and retry”."""

import json
import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from webhooks.addresses import Refusal, judge_url
from webhooks.binding import secret_in_origin
from webhooks.headers import SIGNING_HEADERS, check_headers
from webhooks.job_secrets import JobText
from webhooks.models import WebhookJob
from webhooks.outbound import network_policy

_NEW_LINE: Final = re.compile("\r\n|\r")

Pairs = list[tuple[str, str]]


def header_lines(pairs: Pairs) -> str:
    return "\n".join(f"{name}: {value.strip()}" for name, value in pairs)


class EditForm(forms.Form):
    """What a failed or pending job sends: URL, headers as lines, body."""

    url = forms.CharField(label="URL", max_length=8192, widget=forms.TextInput)
    headers = forms.CharField(
        required=False,
        max_length=200_000,
        strip=False,  # or the lines would be numbered otherwise than the person sees them
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One on each line, as Name: value.",
    )
    body = forms.CharField(
        required=False,
        max_length=2_000_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16}),
    )
    # What the person had before their eyes: a job that went on since is not overwritten.
    seen_attempts = forms.IntegerField(min_value=0, max_value=32767, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, job: WebhookJob) -> None:
        self.job = job
        self.text = JobText(job)
        self.pairs: Pairs = self.text.shown_headers()
        self.shown_body = self.text.shown(job.body)
        super().__init__(
            data,
            initial={
                "url": self.text.shown(job.url),
                "headers": header_lines(self.pairs),
                "body": self.shown_body,
                "seen_attempts": job.attempts,
            },
        )
        for name in ("url", "headers", "body"):
            self.fields[name].widget.attrs |= {"class": "jobs-input", "spellcheck": "false"}
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        stored = self.text.hidden(url)
        if secret_in_origin(stored, self.text.nonce):
            return url
        judged = judge_url(stored, network_policy())
        if isinstance(judged, Refusal):
            raise ValidationError(judged.reason.replace("`", ""))
        return url

    def clean_headers(self) -> Pairs:
        lines = _NEW_LINE.sub("\n", self.cleaned_data["headers"]).split("\n")
        pairs: Pairs = []
        problems: list[str] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon:
                problems.append(f"Line {number}: there is no colon. Write Name: value.")
                continue
            pairs.append((name, value))
            problems += [
                f"Line {number}, {wrong or 'no name'}: {reason}"
                for wrong, reason in check_headers([(name, value)], reserved=SIGNING_HEADERS)
            ]
        if problems:
            raise ValidationError(problems)
        unchanged = header_lines(pairs) == header_lines(self.pairs)
        return self.pairs if unchanged else pairs

    def clean_body(self) -> str:
        """A browser sends every line break as CR LF; what nobody touched stays as it was."""
        body: str = self.cleaned_data["body"]
        normal = _NEW_LINE.sub("\n", body)
        return self.shown_body if normal == _NEW_LINE.sub("\n", self.shown_body) else normal

    def warning(self) -> str:
        """What looks wrong but may be meant: a body that should be JSON and is not."""
        kind = next(
            (
                value
                for name, value in self.cleaned_data["headers"]
                if name.lower() == "content-type"
            ),
            "",
        )
        if "json" not in kind.lower():
            return ""
        try:
            json.loads(self.cleaned_data["body"])
        except json.JSONDecodeError as error:
            return (
                f"The body is not valid JSON (line {error.lineno}, column {error.colno}: "
                f"{error.msg}). It is sent as it is."
            )
        except (RecursionError, ValueError):
            return "The body is JSON that few programs can read. It is sent as it is."
        return ""
