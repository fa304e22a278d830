"""What goes wrong in an expression, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

# What the Python operations behind an expression may raise. Anything else comes from the caller's
# own values (a lazy mapping that reads a database, say) and is passed on as it is.
FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, RecursionError)

MAX_SHOWN = 120  # characters of an expression quoted in a message
MAX_CANDIDATES = 500  # names compared for a suggestion; difflib is slow


class ExpressionError(Exception):
    """A template or expression is wrong, or cannot be worked out with these values.

    `message`: plain words, with the suggestion if there is one. `expression`: its source, braces
    included; empty when the error is not about one expression. `line` and `column`: where in the
    template, counted from 1. `suggestion`: the name probably meant, or None. `path`: a JSON Pointer
    to the text within a value given to `render_value` or `check_value`; empty for the value itself.
    """

    def __init__(
        self,
        message: str,
        *,
        expression: str = "",
        line: int = 1,
        column: int = 1,
        suggestion: str | None = None,
        path: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression
        self.line = line
        self.column = column
        self.suggestion = suggestion
        self.path = path

    def __str__(self) -> str:
        shown = shorten(self.expression)
        return f"`{shown}`: {self.message}" if shown else self.message

    @classmethod
    def at(
        cls, source: str, offset: int, expression: str, message: str, suggestion: str | None = None
    ) -> ExpressionError:
        """Build the error for a character offset in a template."""
        before = source[:offset]
        return cls(
            message,
            expression=expression,
            line=before.count("\n") + 1,
            column=offset - (before.rfind("\n") + 1) + 1,
            suggestion=suggestion,
        )


class Problem(Exception):
    """What is wrong, before it is known in which template: an ExpressionError in the making."""

    def __init__(
        self, message: str, offset: int | None = None, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.suggestion = suggestion

    def explain(self) -> tuple[str, str | None]:
        """Give the message and the suggestion."""
        return self.message, self.suggestion


class Missing(Problem):
    """A name, field or item that is not there; explained only if somebody wants to know."""

    def __init__(self, explanation: Callable[[], tuple[str, str | None]], offset: int) -> None:
        super().__init__("missing", offset)
        self.explanation = explanation

    def explain(self) -> tuple[str, str | None]:
        return self.explanation()


def suggest(message: str, name: object, candidates: Iterable[object]) -> tuple[str, str | None]:
    """Add "did you mean …?" to a message when one of the candidates is close."""
    names = [known for known in candidates if isinstance(known, str)][:MAX_CANDIDATES]
    by_folded = {known.casefold(): known for known in reversed(names)}
    close = get_close_matches(str(name)[:MAX_SHOWN].casefold(), by_folded, n=1, cutoff=0.6)
    if not close:
        return message, None
    suggestion = by_folded[close[0]]
    return f"{message}; did you mean `{suggestion}`?", suggestion


def shorten(text: str) -> str:
    """Quote a text in at most so many characters, on one line."""
    line = " ".join(text[: MAX_SHOWN * 4].split())
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"
