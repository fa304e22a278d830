"""The part of an answer's body that is kept: decompressed, and never more than the limit."""

import zlib
from typing import Protocol

from webhooks.transport.outcome import KEEP_BYTES


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Body:
    """Takes the bytes of a body as they come. `overflowed`: there was more than is kept."""

    __slots__ = ("_coding", "_decompressor", "_kept", "overflowed")

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        self._decompressor: _Decompressor | None = None
        self._kept = bytearray()
        self.overflowed = False

    def kept(self) -> bytes:
        return bytes(self._kept)

    def feed(self, data: bytes) -> bool:
        """False when no further bytes are wanted."""
        if self._coding in ("gzip", "x-gzip", "deflate"):
            data = self._decompress(data)
        room = KEEP_BYTES - len(self._kept)
        self._kept += data[:room]
        self.overflowed = self.overflowed or len(data) > room
        return not self.overflowed

    def _decompress(self, data: bytes) -> bytes:
        """One byte more than there is room for, at most."""
        first = self._decompressor is None
        limit = KEEP_BYTES - len(self._kept) + 1
        try:
            if self._decompressor is None:
                self._decompressor = _decompressor_for(self._coding, data)
            if self._decompressor.eof:
                self.overflowed = True  # a second gzip member: nobody sends it but to hide things
                return b""
            decompressed = self._decompressor.decompress(data, limit)
        except zlib.error:
            if first:  # The receiver labelled it wrongly: what it sent is still worth seeing.
                self._coding = ""
                return data
            self.overflowed = True
            return b""
        if self._decompressor.unused_data:
            self.overflowed = True
        return decompressed


def _decompressor_for(coding: str, data: bytes) -> _Decompressor:
    if coding != "deflate":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    # RFC 9110, section 8.4.1.2: "deflate" means the zlib format, but some send it bare.
    wrapped = (
        data[:1] and data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
    )
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
