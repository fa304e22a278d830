"""What people see whose browser has sent a form: a small page, where a script gets JSON."""

from collections.abc import Sequence
from typing import Final

from django.template.loader import render_to_string

from webhooks.inbound.answers import Answer
from webhooks.intake.refusals import Refusal

_HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)


def wants_html(accept: str) -> bool:
    """Whether a browser shows the answer as it is; scripts ask for JSON, or for anything."""
    accept = accept.lower()
    return "text/html" in accept and "json" not in accept


def thanks_page() -> Answer:
    return Answer(201, _page("Thank you", "It has arrived."), _HTML)


def refusal_page(refusal: Refusal, errors: Sequence[tuple[str, str]] = ()) -> Answer:
    """`errors`: fields and what is wrong with each."""
    words = "Go back, mend what is named here, and send it again." if errors else refusal.words
    page = _page("It was not taken", words, errors)
    return Answer(refusal.status, page, (*_HTML, *refusal.headers.items()))


def _page(title: str, words: str, errors: Sequence[tuple[str, str]] = ()) -> str:
    context = {"title": title, "words": words, "errors": errors}
    return render_to_string("webhooks/answer.html", context)
