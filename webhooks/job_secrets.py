"""Jobs that need secrets, when a person edits them: names are written and read, values stay where they are."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from records.models import User
from webhooks.binding import (
    Credentials,
    hidden,
    names_of_placeholders,
    new_nonce,
    secret_names_in,
    shown,
)
from webhooks.exceptions import SecretGoesElsewhere, SecretIsNotTheirs
from webhooks.models import WebhookJob
from webhooks.rendering import lane_of
from webhooks.subscriptions import TEMPLATE_ERROR, template_of

Pairs = Sequence[tuple[str, str]]

_looks_like_secret: Final = re.compile(r"\{\{\s*secrets\.").search


class JobText:
    """The texts of one job as they are edited: `{{ secrets.name }}` where its placeholders are.

    Where its data happen to look like that, the placeholders are shown themselves, so that none is forged.
    """

    def __init__(self, job: WebhookJob) -> None:
        self.job = job
        self.credentials = Credentials.from_json(job.credentials)
        texts = [job.url, job.body, *(value for _, value in job.headers)]
        # A request that was never made is still the webhook's own text.
        self.is_plain = job.error_kind == TEMPLATE_ERROR or not any(
            _looks_like_secret(text) for text in texts
        )
        self.nonce = self.credentials.nonce or new_nonce()
        self.names = names_of_placeholders(texts, self.credentials.nonce)

    def shown(self, text: str) -> str:
        return shown(text, self.credentials.nonce) if self.is_plain else text

    def hidden(self, text: str) -> str:
        """The way back: as it is stored."""
        return hidden(text, self.nonce) if self.is_plain else text

    def shown_headers(self) -> list[tuple[str, str]]:
        return [(name, self.shown(value)) for name, value in self.job.headers]

    def put(self, *, url: str, headers: Pairs, body: str, actor: User | None) -> None:
        """Put edited texts into the unsaved job. Raises JobRefused for secrets where they don't belong."""
        job = self.job
        url, body = self.hidden(url), self.hidden(body)
        pairs = [[name, self.hidden(value)] for name, value in headers]
        names = names_of_placeholders([url, body, *(value for _, value in pairs)], self.nonce)
        if names - self.names - self._names_of_webhook():
            raise SecretIsNotTheirs
        lane = lane_of(url, self.nonce)
        used = names | {self.credentials.auth.secret, self.credentials.certificate} - {""}
        if used and lane != job.lane and actor and not actor.has_perm("webhooks.change_webhook"):
            raise SecretGoesElsewhere
        job.url, job.headers, job.body, job.lane = url, pairs, body, lane
        nonce = self.nonce if names else ""
        job.credentials = replace(self.credentials, nonce=nonce).to_json()

    def _names_of_webhook(self) -> set[str]:
        return secret_names_in(template_of(self.job.webhook)) if self.job.webhook else set()
