"""The query of a request. Pure."""

from typing import Any

from webhooks.intake.forms import gather, split_pairs
from webhooks.intake.parsed import Limits


def parse_query(query_string: str, limits: Limits) -> dict[str, Any]:
    """A mapping of the query string; a name that comes several times has a list. Raises TooLarge.

    As WSGI hands it over (PEP 3333): one character for each byte. Text that is none of that is taken as it is.
    """
    try:
        text = query_string.encode("latin-1").decode("utf-8", errors="replace")
    except UnicodeEncodeError:
        text = query_string
    return gather(split_pairs(text, "utf-8", limits, what="The query"))
