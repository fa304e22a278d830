"""multipart/form-data (RFC 7578), from a body that is already there and has its size. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from webhooks.intake.charsets import codec_of
from webhooks.intake.cleaning import clean_text
from webhooks.intake.content_types import media_type, parameters
from webhooks.intake.forms import gather
from webhooks.intake.parsed import IncomingFile, Limits
from webhooks.intake.refusals import Malformed, TooLarge

# RFC 2046, section 5.1.1: 70; some senders write more.
_is_boundary = re.compile(r"[ -~]{0,199}[!-~]").fullmatch
_MAX_PART_HEADERS_BYTES: Final = 8 * 1024
_MAX_FILENAME_LENGTH: Final = 150
_PLAIN_ENCODINGS: Final = ("", "7bit", "8bit", "binary")


@dataclass(frozen=True, slots=True)
class _Part:
    number: int
    name: str
    filename: str | None
    content_type: str
    charset: str
    content: bytes


def parse_multipart(
    body: bytes, boundary: str, limits: Limits
) -> tuple[dict[str, Any], tuple[IncomingFile, ...]]:
    """The fields, and the files. In the fields a file is its name, content type and size.

    Raises Malformed, TooLarge, UnsupportedMedia.
    """
    pairs: list[tuple[str, Any]] = []
    files: list[IncomingFile] = []
    for part in _parts(body, boundary, limits):
        if part.filename is None:
            codec = codec_of(part.charset or "utf-8")
            pairs.append((part.name, part.content.decode(codec, errors="replace")))
        elif part.filename or part.content:  # else a browser says that no file was chosen
            file = _file(part)
            files.append(file)
            pairs.append((part.name, _summary(file)))
    return gather(pairs), tuple(files)


def clean_filename(name: str) -> str:
    """A name without a path and without what cannot be shown; “file” when nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if char.isprintable()).strip(" .")
    if len(shown) > _MAX_FILENAME_LENGTH:
        stem, dot, suffix = shown.rpartition(".")
        keeps_suffix = bool(dot) and len(suffix) <= 10
        ending = f".{suffix}" if keeps_suffix else ""
        shown = (stem if keeps_suffix else shown)[: _MAX_FILENAME_LENGTH - len(ending)] + ending
    return shown or "file"


def _file(part: _Part) -> IncomingFile:
    return IncomingFile(
        field=clean_text(part.name),
        filename=clean_filename(part.filename or ""),
        content_type=part.content_type or "application/octet-stream",
        content=part.content,
    )


def _summary(file: IncomingFile) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "size": len(file.content),
    }


def _parts(body: bytes, boundary: str, limits: Limits) -> list[_Part]:
    if not _is_boundary(boundary):
        raise Malformed(
            "The header Content-Type says multipart and names no usable boundary. "
            "Let your HTTP library write this header: it knows the boundary."
        )
    delimiter = re.compile(
        rb"(?:\A|\r\n)--" + re.escape(boundary.encode("ascii")) + rb"(?:(--)|[ \t]*+(?=\r\n))"
    )
    parts: list[_Part] = []
    start: int | None = None
    for found in delimiter.finditer(body):
        if start is not None:
            if len(parts) == limits.parts:
                raise TooLarge(
                    f"The multipart body has more than {limits.parts:,} parts. Send fewer at once."
                )
            parts.append(_part(len(parts) + 1, body[start : found.start()]))
        if found[1]:
            return parts
        start = found.end()
    raise Malformed(
        "The multipart body ends before its closing boundary, or has another than Content-Type names. "
        "Send all of it, with the boundary of the header."
    )


def _part(number: int, text: bytes) -> _Part:
    """A part from behind its boundary: CRLF, header lines, an empty line, the content."""
    ending = text.find(b"\r\n\r\n", 0, _MAX_PART_HEADERS_BYTES)
    if ending < 0:
        raise Malformed(
            f"Part {number} of the multipart body has no end of its headers. "
            "An empty line (CRLF twice) stands before the content."
        )
    headers = _headers(text[:ending])
    disposition = headers.get("content-disposition", "")
    found = parameters(disposition)
    name = found.get("name")
    if media_type(disposition) != "form-data" or not name:
        raise Malformed(
            f"Part {number} of the multipart body has no name. "
            'It needs a header like `Content-Disposition: form-data; name="photo"`.'
        )
    if headers.get("content-transfer-encoding", "").lower() not in _PLAIN_ENCODINGS:
        raise Malformed(
            f"Part {number} of the multipart body has a Content-Transfer-Encoding, "
            "which forms no longer have (RFC 7578, section 4.7). Send its bytes as they are."
        )
    content_type = headers.get("content-type", "")
    return _Part(
        number=number,
        name=name,
        filename=_filename(found),
        content_type=clean_text(media_type(content_type))[:100],
        charset=parameters(content_type).get("charset", ""),
        content=text[ending + 4 :],
    )


def _headers(lines: bytes) -> dict[str, str]:
    found = {}
    for line in lines.decode("utf-8", errors="replace").split("\r\n"):
        name, _, value = line.partition(":")
        found[name.strip().lower()] = value.strip()
    return found


def _filename(found: dict[str, str]) -> str | None:
    """Of `filename*` (RFC 5987: UTF-8''na%C3%AFve.txt) or `filename`; None for a field."""
    extended = found.get("filename*", "")
    charset, quotes, encoded = extended.partition("''")
    if quotes and charset.lower() == "utf-8":
        return unquote(encoded, errors="replace")
    return found.get("filename")
