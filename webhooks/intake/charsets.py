"""From bytes to text. Pure."""

import re
from typing import Final

from webhooks.intake.refusals import Malformed, UnsupportedMedia

# What senders really use. More would only be more ways to say the same thing twice differently.
_CODECS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "utf-16": "utf-16",
}
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_XML_ENCODING: Final = re.compile(
    rb"<\?xml[^>]{0,100}?\sencoding\s*=\s*[\"']([A-Za-z0-9._\-]{1,40})"
)


def codec_of(charset: str) -> str:
    """Python's name of a charset. Raises UnsupportedMedia for one that is not taken."""
    codec = _CODECS.get(charset.strip().lower())
    if codec is None:
        shown = "".join(char if char.isprintable() else "?" for char in charset[:40])
        raise UnsupportedMedia(
            f"The charset `{shown}` is not taken. Send UTF-8 (also taken: us-ascii, iso-8859-1, "
            "utf-16 with a byte order mark)."
        )
    return codec


def decode(body: bytes, charset: str = "") -> str:
    """The text of a body, exactly; without its byte order mark. No charset means UTF-8.

    Raises UnsupportedMedia for a charset that is not taken, Malformed for bytes that are not of it.
    """
    codec = codec_of(charset) if charset else _codec_seen(body)
    if codec == "utf-16" and not body.startswith(_UTF16_BOMS):
        raise Malformed("The body says it is UTF-16 and has no byte order mark. Send UTF-8.")
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        raise Malformed(
            f"The body is no {codec}: byte {error.start + 1:,} does not fit. "
            "Send UTF-8, or name the charset in Content-Type."
        ) from None
    return text.removeprefix("\ufeff")


def decode_leniently(body: bytes) -> tuple[str, bool]:
    """UTF-8 with marks where bytes are none, and whether it was all UTF-8: text whose sender named no charset."""
    try:
        return decode(body), True
    except Malformed:
        return body.decode("utf-8", errors="replace").removeprefix("\ufeff"), False


def xml_charset(body: bytes) -> str:
    """What the XML declaration says; "" where it says nothing.

    One that can be read like this and says UTF-16 is wrong: its sender wrote a text and encoded it later.
    """
    found = _XML_ENCODING.match(body.removeprefix(b"\xef\xbb\xbf"))
    charset = found[1].decode("ascii").lower() if found else ""
    return "" if charset.startswith("utf-16") else charset


def _codec_seen(body: bytes) -> str:
    return "utf-16" if body.startswith(_UTF16_BOMS) else "utf-8"
