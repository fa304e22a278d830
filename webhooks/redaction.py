"""Taking the values of secrets out of what comes back: also escaped, encoded, or cut off. Pure.

A receiver that wants to can always disguise what it was sent. What is covered is what programs do by
themselves when they repeat a request: as it is, JSON-escaped (also twice), percent-encoded, HTML-escaped,
in hexadecimal, in UTF-16, and in base64, of the value alone or of a text around it.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK: Final = "••••"
# Shorter ones are only masked where they stand alone as they are: everything looks like them.
MIN_LENGTH: Final = 6
# Parts of a secret address that are masked on their own; shorter ones are words like “services”.
_MIN_URL_PART: Final = 10
_MIN_BASE64: Final = 7
# Beginnings that say nothing about the value behind them.
_is_known_start = re.compile(r"https?://|whsec_|whsk_", re.IGNORECASE).match
_NAMED: Final = {"<": "lt", ">": "gt", "&": "amp", '"': "quot", "'": "apos"}
# A backslash and an ampersand as they stand before what they escape, escaped themselves.
# Everything is bounded, and slashes are taken in once and for all (`}+`): no answer makes the search long.
_PERCENT: Final = "%(?:25){0,3}"
_AND: Final = rf"(?:&|{_PERCENT}26)(?:amp(?:;|%3[bB])){{0,3}}"
_SLASH: Final = rf"(?:\\|{_PERCENT}5[cC]|{_AND}(?:\#92|\#[xX]5[cC]);)"
# A backslash that escapes a letter was just taken in, in one of these forms.
_AFTER_SLASH: Final = r"(?<=[\\cC;])"
_MAX_SLASHES: Final = 8
_SLASHES: Final = f"{_SLASH}{{1,{_MAX_SLASHES}}}+"
_CONTROLS: Final = {"\n": "n", "\r": "r", "\t": "t"}


class Redactor:
    """Masks some values wherever they appear. Built once for a set of secrets, used for many answers."""

    __slots__ = ("_body", "_forms", "_text")

    def __init__(self, values: Iterable[str], *, with_hosts: bool = True) -> None:
        known = sorted({value for value in values if value}, key=len, reverse=True)
        parts = {part for value in known for part in _url_parts(value, with_hosts=with_hosts)}
        whole = sorted({*known, *parts}, key=len, reverse=True)
        patterns = [pattern for value in whole for pattern in _patterns(value)]
        self._text = re.compile("|".join(patterns)) if patterns else None
        wide = [form for value in whole for form in _wide_forms(value)]
        self._body = (
            re.compile(b"|".join([*(p.encode() for p in patterns), *wide])) if patterns else None
        )
        self._forms = [
            (form, least)
            for value in known
            for form in _written_forms(value)
            if (least := _least(form))
        ]

    def text(self, text: str) -> str:
        return self._text.sub(MASK, text) if self._text else text

    def body(self, body: bytes, *, is_cut: bool = False) -> bytes:
        """`is_cut`: the end is missing, so what stands there may be the beginning of a value."""
        if self._body is None:
            return body
        masked = self._body.sub(MASK.encode(), body)
        return self._without_tail(masked) if is_cut else masked

    def words(self, text: str) -> str:
        """For errors, which may quote the beginning of a value: that is masked too."""
        if not text:
            return text
        masked = self.text(text)
        for form, least in self._forms:
            for length in range(len(form), least - 1, -1):
                if form[:length] in masked:
                    masked = masked.replace(form[:length], MASK)
                    break
        return masked

    def _without_tail(self, body: bytes) -> bytes:
        longest = 0
        for form, least in self._forms:
            data = form.encode()
            for length in range(min(len(data), len(body)), max(least, longest + 1) - 1, -1):
                if body.endswith(data[:length]):
                    longest = length
                    break
        return body[: len(body) - longest] + MASK.encode() if longest else body


def _patterns(value: str) -> Iterator[str]:
    """Regular expressions for a value, the most telling first."""
    if len(value) < MIN_LENGTH:
        yield rf"(?<!\w){re.escape(value)}(?!\w)"
        return
    yield _spelt(value)
    if value.lower() != value and value.isascii():  # as the host of an address it comes back so
        yield _spelt(value.lower())
    for data in _raw_forms(value):
        yield data.hex()
        yield data.hex().upper()
        yield from _base64_patterns(data)


@lru_cache(maxsize=4096)
def _character(character: str, mistaken: bool = False) -> str:
    """A character in any of the ways in which it may be written; `mistaken`: as one of another coding."""
    if character.isascii() and character.isalnum():
        return character
    code, data = ord(character), character.encode("utf-8", "surrogatepass")
    units = character.encode("utf-16-be", "surrogatepass").hex()
    pairs = [_any_case(units[place : place + 4]) for place in range(0, len(units), 4)]
    escapes = ["u" + f"{_SLASHES}u".join(pairs)]
    ways = [
        re.escape(character),
        "".join(f"{_PERCENT}{_any_case(f'{byte:02x}')}" for byte in data),
        rf"{_AND}(?:\#|{_PERCENT}23)(?:0{{0,6}}+{code}|[xX]0{{0,6}}+{_any_case(f'{code:x}')})(?:;|%3[bB])",
    ]
    if character in _NAMED:
        ways.append(f"{_AND}{_NAMED[character]}(?:;|%3[bB])")
    if character in _CONTROLS:
        escapes.append(_CONTROLS[character])
    if character == "\n":
        ways.append("\r\n")
    if character == " ":
        ways.append(r"\+")
    if not character.isascii():  # as Python writes bytes, and UTF-8 taken for latin-1
        escapes.append(f"{_SLASHES}".join(f"x{byte:02x}" for byte in data))
        if not mistaken:
            ways.append("".join(_character(each, True) for each in data.decode("latin-1")))
    ways.append(f"{_AFTER_SLASH}(?:{'|'.join(escapes)})")
    return f"{_SLASH}{{0,{_MAX_SLASHES}}}+(?:{'|'.join(ways)})"


def _spelt(text: str) -> str:
    # A run of backslashes is one repetition: several in a row could share it out in countless ways.
    pieces = re.split(r"(\\+)", text)
    return "".join(
        f"{_SLASH}{{{len(piece)},{_MAX_SLASHES * len(piece)}}}+"
        if piece.startswith("\\")
        else "".join(map(_character, piece))
        for piece in pieces
    )


def _any_case(digits: str) -> str:
    return "".join(
        f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits.lower()
    )


def _base64_patterns(data: bytes) -> Iterator[str]:
    """A value within a longer text that is encoded: what is sure of it at each of three offsets.

    The characters beside hold some of its bits, so they are masked with it.
    """
    beside = "[A-Za-z0-9+/_-]?"
    for offset, unsure in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        sure = encoded[unsure : (offset + len(data)) * 8 // 6]
        if len(sure) >= _MIN_BASE64:
            yield (beside if offset else "") + "".join(map(_base64_character, sure)) + beside


def _base64_character(character: str) -> str:
    if character == "+":
        return rf"(?:\+|-|{_PERCENT}2[bB]|{_SLASHES}u002[bB])"
    if character == "/":
        return rf"(?:{_SLASH}{{0,{_MAX_SLASHES}}}/|_|{_PERCENT}2[fF])"
    return character


def _raw_forms(value: str) -> list[bytes]:
    """The bytes that may have been encoded: the value, and as JSON has it; UTF-8 also taken for latin-1."""
    mistaken = value.encode("utf-8", "surrogatepass").decode("latin-1")
    escaped = [
        json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        for text in (value, mistaken)
        for ascii_only in (False, True)
    ]
    forms = dict.fromkeys((value, mistaken, *escaped))
    return [form.encode("utf-8", "surrogatepass") for form in forms]


def _wide_forms(value: str) -> list[bytes]:
    """UTF-16, and for keys that are base64 the bytes they mean."""
    if len(value) < MIN_LENGTH:
        return []
    forms = [value.encode("utf-16-le", "surrogatepass"), value.encode("utf-16-be", "surrogatepass")]
    return [re.escape(form) for form in forms]


def _written_forms(value: str) -> list[str]:
    """Whole spellings of a value, to compare with what was cut off."""
    if len(value) < MIN_LENGTH:
        return []
    forms = [value, value.lower()]
    for encode in (quote, quote_plus):
        forms += [encode(value, safe="", errors="replace"), encode(value, errors="replace")]
    for data in _raw_forms(value):
        forms.append(data.decode("utf-8", "replace"))
        forms += [data.hex(), data.hex().upper()]
        for offset, unsure in ((0, 0), (1, 2), (2, 3)):
            encoded = base64.b64encode(b"\0" * offset + data).decode()
            sure = encoded[unsure : (offset + len(data)) * 8 // 6]
            forms += [sure, sure.translate(_URL_SAFE)]
    return list(dict.fromkeys(forms))


_URL_SAFE: Final = str.maketrans("+/", "-_")


def _least(form: str) -> int:
    """How much of a form has to be there to tell it; 0 when it is too short."""
    start = _is_known_start(form)
    least = MIN_LENGTH + (start.end() if start else 0)
    return least if len(form) >= least else 0


def _url_parts(value: str, *, with_hosts: bool) -> Iterator[str]:
    """What makes a secret address secret: its path, its longer steps and parameters; also its host."""
    if not value.lower().startswith(("http://", "https://")):
        return
    try:
        split = urlsplit(value)
    except ValueError:
        return
    if with_hosts and split.hostname:
        yield from (split.hostname, split.netloc)
    rest = split.path + (f"?{split.query}" if split.query else "")
    steps = [*split.path.split("/"), *re.split("[&=]", split.query), split.path, rest]
    for step in {*steps, *map(unquote, steps)}:
        if len(step) >= _MIN_URL_PART:
            yield step
