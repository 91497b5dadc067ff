"""
Reader of HTTP/1.1 responses, as their bytes arrive: heads, bodies with a length,
in chunks or up to the end of the connection, compressed or not.
"""

from __future__ import annotations

import re
import zlib
from enum import Enum

MAX_HEAD = 64 * 1024
"""Maximum size of the head of a reply, and of a line between chunks, in bytes."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})(?: |\n|\Z)")
_LENGTH = re.compile(rb"[0-9]{1,18}")
# The last line end of a head, from its LF, and the empty line after it.
_HEAD_END = re.compile(rb"\n\r?\n")
# Its longest form, of which all bytes but one may have come before.
_LONGEST_END = 3
# A line that begins with a space continues the line before.
_FOLD = re.compile(rb"\n[ \t]+")
# The fields that matter, and lines without a colon as fields without a name. It takes
# a third of the time of a loop over all lines.
_FIELDS = re.compile(
    rb"\n(?:(content-length|content-encoding|transfer-encoding|connection|set-cookie"
    rb"|location):([^\n]*)|[^:\n]*(?=\n|\Z))",
    re.IGNORECASE,
)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|\Z)")


class InvalidResponse(Exception):
    """
    The data received is not an HTTP reply, or the reply is too long.
    """


class Response:
    """
    A reply.

    @ivar cookies: the values of C{Set-Cookie}.
    @ivar location: the value of C{Location}, C{""} when there is none.
    """

    __slots__ = ("body", "cookies", "location", "status")

    def __init__(
        self, status: int, cookies: list[str], body: bytes, location: str = ""
    ) -> None:
        self.status = status
        self.cookies = cookies
        self.body = body
        self.location = location


class _State(Enum):
    """
    The part of a reply that a reader expects next.
    """

    HEAD = "head"
    LENGTH = "body of known length"
    CHUNKS = "body in chunks"
    END = "body up to the end of the connection"


# Reading them from the class takes longer than comparing them.
_IN_HEAD, _IN_LENGTH, _IN_CHUNKS, _IN_END = _State


class ResponseReader:
    """
    Reads the replies of one connection, one after the other.

    @param limit: the maximum size of a body, in bytes.

    @ivar isBegun: whether a byte of the present reply has arrived.
    @ivar keeps: whether the server keeps the connection open after the reply that
        was read last, and has sent nothing after it.
    """

    __slots__ = (
        "_buffer",
        "_cookies",
        "_isCompressed",
        "_isLast",
        "_length",
        "_limit",
        "_location",
        "_parts",
        "_size",
        "_state",
        "_status",
        "isBegun",
        "keeps",
    )

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.isBegun = False
        self.keeps = True
        self._state = _IN_HEAD
        # The beginning of a head, or of a line between chunks, that is not complete.
        self._buffer = b""
        self._status = 0
        self._cookies: list[str] = []
        self._location = ""
        # The length of the body, or what is left of the current chunk, in bytes;
        # -1 between chunks.
        self._length = 0
        # The parts of the body, and their size.
        self._parts: list[bytes] = []
        self._size = 0
        self._isLast = False
        self._isCompressed = False

    def feed(self, data: bytes) -> Response | None:
        """
        Read the next bytes of a reply.

        @return: the reply when it is complete.

        @raise InvalidResponse: when this is no reply, or one that is too long.
        """
        self.isBegun = True
        if self._state is _IN_HEAD:
            rest = self._readHeads(data)
            if rest is None:
                return None
            data = rest
        if self._state is _IN_LENGTH:
            missing = self._length - self._size
            if len(data) >= missing:
                return self._complete(data[:missing], data[missing:])
            self._keep(data)
            return None
        if self._state is _IN_CHUNKS:
            return self._readChunks(data)
        if self._size + len(data) > self._limit:
            raise self._tooLong()
        self._keep(data)
        return None

    def end(self) -> Response | None:
        """
        Read the end of the connection.

        @return: the reply that ends with it, if there is one.

        @raise InvalidResponse: when the reply cannot be decompressed.
        """
        return self._complete(b"", b"") if self._state is _IN_END else None

    def _readHeads(self, data: bytes) -> bytes | None:
        """
        Read the head, and the heads of interim responses before it.

        @return: the bytes after the head, L{None} while it is not complete.
        """
        start = 0
        if self._buffer:
            start = max(0, len(self._buffer) - _LONGEST_END + 1)
            data = self._buffer + data
        while True:
            found = _HEAD_END.search(data, start)
            if (len(data) if found is None else found.start()) > MAX_HEAD:
                raise InvalidResponse("the head of the reply has no end")
            if found is None:
                self._buffer = data
                return None
            head, data = data[: found.start() + 1], data[found.end() :]
            start = 0
            if self._readHead(head.replace(b"\r\n", b"\n")[:-1]):
                self._buffer = b""
                return data

    def _readHead(self, head: bytes) -> bool:
        """
        @param head: lines, with LF between them.

        @return: whether it is a head of a reply, and not of an interim response.
        """
        if b"\n " in head or b"\n\t" in head:
            head = _FOLD.sub(b" ", head)
        found = _STATUS.match(head)
        if found is None:
            raise InvalidResponse("the reply is not HTTP")
        self._status = int(found[2])
        if self._status < 200:
            return False
        self.keeps = found[1] == b"1"
        self._cookies = []
        self._location = ""
        self._isCompressed = False
        state, length = _IN_END, -1
        for name, value in _FIELDS.findall(head):
            name = name.lower()
            if name == b"content-length":
                length = _lengthOf(value, length)
            elif name == b"content-encoding":
                # Some proxies compress without being asked to.
                self._isCompressed = value.strip().lower() in (b"gzip", b"x-gzip")
            elif name == b"transfer-encoding":
                if value.strip().lower() != b"chunked":
                    raise InvalidResponse("the reply has an unknown encoding")
                state = _IN_CHUNKS
            elif name == b"connection":
                words = [word.strip() for word in value.lower().split(b",")]
                self.keeps = b"close" not in words and (
                    self.keeps or b"keep-alive" in words
                )
            elif name == b"set-cookie":
                # It is sent again, as a line of its own.
                text = value.replace(b"\r", b" ").decode("latin-1")
                self._cookies.append(text.strip())
            elif name == b"location":
                self._location = value.strip().decode("latin-1")
            elif not name:
                raise InvalidResponse("a header without a value")
        if state is not _IN_CHUNKS and length >= 0:
            state = _IN_LENGTH
        if self._status in (204, 304):
            state, length = _IN_LENGTH, 0
        if length > self._limit:
            raise self._tooLong()
        self._state = state
        self._length = -1 if state is _IN_CHUNKS else length
        return True

    def _readChunks(self, data: bytes) -> Response | None:
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        while True:
            if self._length > 0:
                part = data[: self._length]
                self._keep(part)
                self._length -= len(part)
                data = data[len(part) :]
                if self._length > 0:
                    return None
            if self._length == 0 and not self._isLast:
                # The line end after a chunk.
                if len(data) < 2 and b"\r\n".startswith(data):
                    self._buffer = data
                    return None
                if data[:2] != b"\r\n":
                    raise InvalidResponse("a chunk has another length than announced")
                data, self._length = data[2:], -1
            line, end, rest = data.partition(b"\r\n")
            if len(line) > MAX_HEAD:
                raise InvalidResponse("a line between chunks has no end")
            if not end:
                self._buffer = data
                return None
            data = rest
            if self._isLast:
                # Trailers, which are ignored, up to an empty line.
                if not line:
                    return self._complete(b"", data)
                continue
            found = _CHUNK.match(line)
            if found is None:
                raise InvalidResponse("a chunk has no length")
            self._length = int(found[1], 16)
            if self._size + self._length > self._limit:
                raise self._tooLong()
            self._isLast = self._length == 0

    def _keep(self, data: bytes) -> None:
        if data:
            self._parts.append(data)
            self._size += len(data)

    def _complete(self, last: bytes, rest: bytes) -> Response:
        """
        Make the reply, and be ready for the next one.

        @param rest: the bytes after the reply.
        """
        body = last
        if self._parts:
            self._parts.append(last)
            body = b"".join(self._parts)
            self._parts, self._size = [], 0
        if self._isCompressed and body:
            body = _decompressed(body, self._limit)
        if rest:
            self.keeps = False
        response = Response(self._status, self._cookies, body, self._location)
        self._state, self.isBegun, self._isLast = _IN_HEAD, False, False
        self._cookies = []
        return response

    def _tooLong(self) -> InvalidResponse:
        return InvalidResponse(f"the reply has more than {self._limit} bytes")


def _lengthOf(value: bytes, known: int) -> int:
    """
    Read the value of C{Content-Length}, in which proxies repeat the number.

    @param known: the length that another header has given, or -1.
    """
    for number in value.split(b","):
        number = number.strip()
        if _LENGTH.fullmatch(number) is None or known not in (-1, int(number)):
            raise InvalidResponse("the length of the reply is not a number")
        known = int(number)
    return known


def _decompressed(body: bytes, limit: int) -> bytes:
    """
    Decompress a body.

    @raise InvalidResponse: when the body is not in the format of gzip, or
        becomes longer than C{limit}.
    """
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        data = reader.decompress(body, limit + 1)
    except zlib.error as e:
        raise InvalidResponse("the reply cannot be decompressed") from e
    if len(data) > limit:
        raise InvalidResponse(f"the reply has more than {limit} bytes")
    if not reader.eof:
        raise InvalidResponse("the compressed reply has no end")
    return data
