"""What became of a request, in words."""

import pytest

from webhooks.binding import SECRET_ERROR
from webhooks.claims import INTERRUPTED
from webhooks.destinations import DISABLED
from webhooks.subscriptions import TEMPLATE_ERROR
from webhooks.summaries import ERROR_NAMES, attempt_summary, hint_of, status_words, summary_of
from webhooks.transport.outcome import ErrorKind


@pytest.mark.parametrize(
    ("status_code", "words"),
    [(200, "200 OK"), (404, "404 Not Found"), (522, "522 Connection Timed Out"), (799, "799")],
)
def test_a_status_has_its_name(status_code: int, words: str) -> None:
    assert status_words(status_code) == words


@pytest.mark.parametrize(
    ("status", "status_code", "error_kind", "tone", "text"),
    [
        ("pending", None, "", "busy", "Waiting to be sent"),
        ("sending", 500, "", "busy", "Sending"),
        ("cancelled", 500, "", "quiet", "Cancelled"),
        ("succeeded", 204, "", "good", "204 No Content"),
        ("succeeded", 404, "", "good", "404 Not Found"),  # when the webhook says so
        ("failed", 200, "", "warn", "200 OK"),  # when the webhook wants a 201
        ("failed", 301, "", "warn", "301 Moved Permanently"),
        ("pending", 503, "", "bad", "503 Service Unavailable"),
        ("failed", None, "dns", "bad", "DNS: No address found for host x.invalid"),
    ],
)
def test_a_job_in_a_word(
    status: str, status_code: int | None, error_kind: str, tone: str, text: str
) -> None:
    error = "No address found for host `x.invalid`. Check the spelling." if error_kind else ""

    summary = summary_of(status=status, status_code=status_code, error_kind=error_kind, error=error)

    assert (summary.tone, summary.text) == (tone, text)


def test_a_long_error_is_cut() -> None:
    summary = attempt_summary(is_success=False, status_code=None, error_kind="tls", error="x" * 500)

    assert len(summary.text) < 130
    assert summary.text.endswith("…")


@pytest.mark.parametrize("kind", [*ErrorKind, *ERROR_NAMES])
def test_every_kind_of_error_has_a_name_and_advice(kind: str) -> None:
    assert ERROR_NAMES[kind]
    assert hint_of(is_success=False, status_code=None, error_kind=kind).endswith(".")


@pytest.mark.parametrize("status_code", [100, 200, 302, 401, 403, 404, 410, 418, 429, 500, 503])
def test_every_failure_has_advice(status_code: int) -> None:
    assert hint_of(is_success=False, status_code=status_code, error_kind="").endswith(".")
    assert hint_of(is_success=True, status_code=status_code, error_kind="") == ""


@pytest.mark.parametrize("kind", [INTERRUPTED, DISABLED, SECRET_ERROR, TEMPLATE_ERROR, "internal"])
def test_our_own_kinds_of_errors_have_a_name_and_advice_too(kind: str) -> None:
    assert ERROR_NAMES[kind] != kind
    assert hint_of(is_success=False, status_code=None, error_kind=kind).endswith(".")
