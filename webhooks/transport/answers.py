"""Reading an HTTP/1.1 answer (RFC 9112) from a receiver that may be hostile.

Everything is bounded: the head, the number of fields and interim answers, the bytes kept, the bytes
read to get them, and what decompression may yield. Time is bounded by whoever hands in `receive`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from webhooks.transport.bodies import Body
from webhooks.transport.faults import Stage
from webhooks.transport.outcome import ErrorKind, Fault

MAX_HEAD_BYTES = 64 * 1024
# As `http.client` has it.
MAX_FIELDS = 100
# 100 Continue, 102 Processing, 103 Early Hints: a handful is honest.
MAX_INTERIM_ANSWERS = 16
# Size lines of chunks, with their extensions, and the trailer section.
MAX_LINE_BYTES = 4096
MAX_TRAILER_BYTES = 8192
# What is read of a body to get the bytes kept: compression and chunks may need more, never much.
MAX_BODY_WIRE_BYTES = 512 * 1024

_status_line = re.compile(r"HTTP/1\.([0-9]) +([1-9][0-9]{2})(?: .*)?").fullmatch
_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_chunk_size = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?", re.DOTALL).fullmatch
_fold = re.compile(r"\n[ \t]+")
_keep_alive_timeout = re.compile(r"timeout=([0-9]{1,6})").search
_FRAMING = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_BODILESS_STATUSES = frozenset({101, 204, 304})

Receive = Callable[[], bytes]  # some bytes; b"" at the end of the connection; OSError
Explain = Callable[[OSError, Stage], Fault]


@dataclass(slots=True)
class Answer:
    """An answer as far as it came. `fault`: why its body is not complete."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    truncated: bool = False
    reusable: bool = True  # the connection can carry another request
    keep_alive_s: int | None = None  # how long the receiver says it keeps an idle connection
    fault: Fault | None = None


class AnswerReader:
    """Reads one answer. A fault in the head is raised, one in the body is noted in the answer."""

    __slots__ = ("_buffer", "_explain", "_framing", "_receive", "_wire")

    def __init__(self, receive: Receive, explain: Explain) -> None:
        self._receive = receive
        self._explain = explain
        self._buffer = bytearray()
        self._framing: dict[str, str] = {}
        self._wire = 0

    def read(self, method: str) -> Answer:
        try:
            answer = self._read_head()
        except OSError as error:
            raise self._explain(error, Stage.ANSWER) from None
        if method == "HEAD" or answer.status in _BODILESS_STATUSES:
            answer.reusable &= answer.status != 101
        else:
            self._read_body(answer)
        if self._buffer:
            # Bytes nobody asked for: whatever they are, they would be taken for the next answer.
            answer.reusable = False
        return answer

    # Head

    def _read_head(self) -> Answer:
        for _ in range(MAX_INTERIM_ANSWERS + 1):
            answer = self._parse_head(self._read_head_bytes())
            if answer.status >= 200 or answer.status == 101:
                return answer
        raise Fault(
            ErrorKind.PROTOCOL,
            f"The receiver sent more than {MAX_INTERIM_ANSWERS} interim answers (status 1xx)"
            " and no final one.",
        )

    def _read_head_bytes(self) -> bytes:
        buffer = self._buffer
        searched = 0
        while True:
            end = buffer.find(b"\n\r\n", searched)
            bare = buffer.find(b"\n\n", searched, end if end >= 0 else len(buffer))
            if bare >= 0:
                size, rest = bare, bare + 2
                break
            if end >= 0:
                size, rest = end, end + 3
                break
            if len(buffer) > MAX_HEAD_BYTES:
                size = len(buffer)
                break
            searched = max(0, len(buffer) - 2)
            self._receive_more_head()
        if size > MAX_HEAD_BYTES:
            raise Fault(
                ErrorKind.TOO_LARGE,
                f"The headers of the answer are larger than {MAX_HEAD_BYTES // 1024} KiB.",
            )
        head = bytes(buffer[:size])
        del buffer[:rest]
        return head

    def _receive_more_head(self) -> None:
        data = self._receive()
        if not data:
            if self._buffer:
                raise Fault(
                    ErrorKind.PROTOCOL,
                    "The receiver closed the connection in the middle of its answer's headers.",
                )
            raise ConnectionResetError
        self._buffer += data
        if not self._buffer.startswith(b"HTTP/1."[: len(self._buffer)]):
            raise self._not_http()

    def _not_http(self) -> Fault:
        # Only the first word: an echoed request line would go on with a path, and its secrets.
        word = bytes(self._buffer[:40]).split(None, 1)
        shown = word[0].decode("ascii", "replace") if word else ""
        shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in shown)
        return Fault(
            ErrorKind.PROTOCOL,
            f"The receiver did not answer in HTTP/1.1: its answer begins with `{shown}`."
            " Check the port, and whether it expects `https://`.",
        )

    def _parse_head(self, head: bytes) -> Answer:
        text = head.decode("latin-1").replace("\r\n", "\n").removesuffix("\r")
        if "\n " in text or "\n\t" in text:
            text = _fold.sub(" ", text)
        if "\r" in text or "\0" in text:  # RFC 9110, section 5.5
            text = text.replace("\r", " ").replace("\0", " ")
        lines = text.split("\n")
        if len(lines) > MAX_FIELDS + 1:
            raise Fault(ErrorKind.TOO_LARGE, f"The answer has more than {MAX_FIELDS} header lines.")
        match = _status_line(lines[0])
        if match is None:
            raise Fault(ErrorKind.PROTOCOL, "The answer's status line is not valid HTTP.")
        answer = Answer(status=int(match[2]), headers=[])
        self._framing = {}
        for line in lines[1:]:
            self._parse_field(line, answer)
        self._judge_connection(answer, modern=match[1] != "0")
        return answer

    def _parse_field(self, line: str, answer: Answer) -> None:
        name, colon, value = line.partition(":")
        if not colon or not _is_token(name):
            # Not a header. Nothing is lost by passing over it, except trust in what follows.
            answer.reusable = False
            name = name.rstrip()
            if not colon or not _is_token(name):
                return
        value = value.strip(" \t")
        answer.headers.append((name, value))
        lower = name.lower()
        if lower in _FRAMING:
            before = self._framing.get(lower)
            self._framing[lower] = value if before is None else f"{before}, {value}"

    def _judge_connection(self, answer: Answer, *, modern: bool) -> None:
        framing = self._framing
        connection = framing.get("connection")
        if connection is not None or not modern:
            options = {option.strip().lower() for option in (connection or "").split(",")}
            if "close" in options or not (modern or "keep-alive" in options):
                answer.reusable = False
        if "keep-alive" in framing:
            match = _keep_alive_timeout(framing["keep-alive"].lower())
            answer.keep_alive_s = int(match[1]) if match else None

    # Body

    def _read_body(self, answer: Answer) -> None:
        body = Body(self._framing.get("content-encoding", ""))
        try:
            complete = self._read_framed(answer, body)
        except (OSError, Fault) as error:
            answer.fault = error if isinstance(error, Fault) else self._explain(error, Stage.BODY)
            complete = False
        answer.body = body.kept()
        answer.truncated = body.overflowed or (not complete and answer.fault is None)
        if not complete:
            answer.reusable = False
            self._buffer.clear()

    def _read_framed(self, answer: Answer, body: Body) -> bool:
        """True when the whole body was read, False when there is more than is kept."""
        coding = self._framing.get("transfer-encoding", "").lower()
        length = self._framing.get("content-length")
        if coding and coding != "identity":
            if length is not None:  # RFC 9112, section 6.3: could be an attempt at smuggling
                answer.reusable = False
            if coding.rpartition(",")[2].strip() == "chunked":
                return self._read_chunks(body)
            return self._read_to_end(answer, body)
        if length is not None:
            return self._read_length(_parse_length(length), body)
        return self._read_to_end(answer, body)

    def _read_length(self, length: int, body: Body) -> bool:
        left = length
        while left:
            data = self._take(left)
            left -= len(data)
            if not body.feed(data):
                return left == 0
        return True

    def _read_to_end(self, answer: Answer, body: Body) -> bool:
        answer.reusable = False
        while self._buffer or self._fill():
            if not body.feed(self._take(MAX_BODY_WIRE_BYTES)):
                return False
        return True

    def _read_chunks(self, body: Body) -> bool:
        while True:
            match = _chunk_size(self._take_line())
            if match is None:
                raise Fault(
                    ErrorKind.PROTOCOL, "The answer's body is not valid: a chunk without a size."
                )
            left = int(match[1], 16)
            if not left:
                self._skip_trailer()
                return True
            while left:
                data = self._take(left)
                left -= len(data)
                if not body.feed(data):
                    return False
            if self._take_line() not in (b"\r", b""):
                raise Fault(
                    ErrorKind.PROTOCOL, "The answer's body is not valid: a chunk of wrong length."
                )

    def _skip_trailer(self) -> None:
        read = 0
        while (line := self._take_line()) not in (b"\r", b""):
            read += len(line)
            if read > MAX_TRAILER_BYTES:
                raise Fault(ErrorKind.TOO_LARGE, "The trailer of the answer is too large.")

    # Bytes

    def _fill(self) -> bool:
        data = self._receive()
        self._buffer += data
        return bool(data)

    def _take(self, limit: int) -> bytes:
        """Some bytes of the body, at least one and at most `limit`."""
        if not self._buffer and not self._fill():
            raise ConnectionResetError
        data = bytes(self._buffer[:limit])
        del self._buffer[: len(data)]
        self._count(len(data))
        return data

    def _take_line(self) -> bytes:
        """A line of the chunked coding, without its line feed."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_LINE_BYTES:
                break
            if not self._fill():
                raise ConnectionResetError
        if not 0 <= end <= MAX_LINE_BYTES:
            raise Fault(ErrorKind.PROTOCOL, "The answer's body is not valid: a chunk without end.")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._count(end + 1)
        return line

    def _count(self, size: int) -> None:
        self._wire += size
        if self._wire > MAX_BODY_WIRE_BYTES:
            raise Fault(
                ErrorKind.TOO_LARGE, "The answer's body is mostly packaging: chunks or compression."
            )


def _parse_length(text: str) -> int:
    values = {value.strip() for value in text.split(",")}
    value = values.pop()
    if values or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Fault(ErrorKind.PROTOCOL, "The answer's Content-Length is not a number.")
    return int(value)
