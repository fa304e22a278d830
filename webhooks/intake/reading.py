"""A request's body, read off the wire within bounds of size and time."""

import socket
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from django.http import HttpRequest

from webhooks.intake.patience import Watch, watch
from webhooks.intake.refusals import (
    LengthRequired,
    Malformed,
    TooLarge,
    TooSlow,
    UnsupportedMedia,
)

_PIECE_BYTES: Final = 64 * 1024
# A gzip file may be several, one behind the other (RFC 1952, section 2.2); each costs time, however small it is.
_MAX_GZIP_MEMBERS: Final = 16
_ENDED_EARLY: Final = "The body ended before it was complete. Send it again."


def read_body(request: HttpRequest, *, max_bytes: int, deadline_s: float) -> bytes:
    """The whole body, unpacked if it came as gzip: `max_bytes` at most, packed and unpacked.

    One whose announced length is too large is not read at all. A sender that has not sent everything within
    `deadline_s` is cut off. Raises TooLarge, TooSlow, Malformed, UnsupportedMedia, LengthRequired.
    """
    is_gzip = _is_gzip(request.META.get("HTTP_CONTENT_ENCODING", ""))
    body = _read(request, max_bytes, deadline_s)
    return gunzip(body, max_bytes=max_bytes) if is_gzip and body else body


def gunzip(body: bytes, *, max_bytes: int) -> bytes:
    """Unpack gzip, no further than one byte past what is allowed. Raises TooLarge, Malformed."""
    unpacked: list[bytes] = []
    room = max_bytes + 1
    for _ in range(_MAX_GZIP_MEMBERS):
        member = zlib.decompressobj(wbits=31)
        try:
            piece = member.decompress(body, room)
        except zlib.error:
            raise Malformed(
                "The header Content-Encoding says that the body is gzip, and it is not, or was damaged. "
                "Pack it again, or send it as it is without this header."
            ) from None
        unpacked.append(piece)
        room -= len(piece)
        if room <= 0:
            raise _too_large(max_bytes, "unpacked")
        if not member.eof:
            raise Malformed("The gzip body ended before it was complete. Send it again.")
        body = member.unused_data
        if not body:
            return b"".join(unpacked)
    raise Malformed(f"The gzip body has more than {_MAX_GZIP_MEMBERS} members. Pack it as one.")


def _is_gzip(encoding: str) -> bool:
    names = [name for part in encoding.lower().split(",") if (name := part.strip())]
    packed = [name for name in names if name != "identity"]
    if not packed:
        return False
    if packed in (["gzip"], ["x-gzip"]):
        return True
    raise UnsupportedMedia(
        "This Content-Encoding is not taken. Send the body as it is, or as gzip, once.",
        headers={"Accept-Encoding": "gzip, identity"},
    )


def _read(request: HttpRequest, max_bytes: int, deadline_s: float) -> bytes:
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        # It has no length, and Django takes it for empty; where the server marks its end, it is read from there.
        if not request.META.get("wsgi.input_terminated"):
            raise LengthRequired(
                "The server that runs Signalbox cannot read a chunked body. Send Content-Length, or run gunicorn."
            )
        read = request.META["wsgi.input"].read
        return _read_within(request, read, None, max_bytes, deadline_s)
    length = _announced_length(request)
    if length > max_bytes:
        raise _too_large(max_bytes, "long")
    if not length:
        return b""
    return _read_within(request, request.read, length, max_bytes, deadline_s)


def _announced_length(request: HttpRequest) -> int:
    """Content-Length; 0 without it. Raises Malformed."""
    text = str(request.META.get("CONTENT_LENGTH") or "0").strip()
    if not (text.isascii() and text.isdigit()):
        raise Malformed(
            "The header Content-Length is no number. Let your HTTP library write it: it knows the length."
        )
    # More digits than any length has would not even become a number.
    return int(text[:30])


def _read_within(
    request: HttpRequest,
    read: Callable[[int], bytes],
    length: int | None,
    max_bytes: int,
    deadline_s: float,
) -> bytes:
    """`length` bytes, or all there are."""
    until = time.monotonic() + deadline_s
    wanted = max_bytes + 1 if length is None else length
    pieces: list[bytes] = []
    # Other servers than gunicorn do not show their socket: there time is looked at only between the pieces.
    sock = request.META.get("gunicorn.socket")
    watching: AbstractContextManager[Watch | None] = (
        watch(sock, for_s=deadline_s) if isinstance(sock, socket.socket) else nullcontext()
    )
    with watching as watched:
        while wanted > 0:
            try:
                piece = read(min(_PIECE_BYTES, wanted))
            except Exception:  # noqa: BLE001  (a server's errors have no class in common, nor has Django's)
                piece = b""
                is_broken = True
            else:
                is_broken = False
            if (watched is not None and watched.ran_out) or time.monotonic() > until:
                raise TooSlow(
                    f"The body did not arrive within {deadline_s:g} seconds. Send less at once, or over a faster line."
                )
            if is_broken or (not piece and length is not None):
                raise Malformed(_ENDED_EARLY)
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
    if length is None and wanted <= 0:
        raise _too_large(max_bytes, "long")
    return b"".join(pieces)


def _too_large(max_bytes: int, how: str) -> TooLarge:
    size = f"{max_bytes // 1024:,} KiB" if max_bytes >= 1024 else f"{max_bytes} bytes"
    return TooLarge(
        f"The body is more than {size} {how}. Send it in several requests, or allow more in the endpoint's settings."
    )
