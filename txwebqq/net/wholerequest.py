"""
A short way through twisted.web for the usual request: one that arrives at
once and is answered whole.

Nearly all requests of chat clients are of this kind. For them, twisted.web spends
more time on lines, headers and buffers than the server on the message: a send and
the poll that it wakes take about half the CPU time on this way. Everything else
takes the way of L{HTTPChannel}: requests in several parts, in chunks or several at
once, C{Expect}, C{Connection: close}, HTTP/1.0, and all that is malformed.
"""

from __future__ import annotations

import time
from functools import lru_cache
from io import BytesIO
from re import compile as pattern
from typing import Any

from twisted.python.failure import Failure
from twisted.web.http import datetimeToString, parse_qs
from twisted.web.http_headers import Headers
from twisted.web.server import Request
from twisted.web.server import version as SERVER

from txwebqq.net.directwrite import writeNow
from txwebqq.net.site import HTTP11Channel

MAX_HEAD = 8192
"""Maximum size of a head that is read on the short way, in bytes."""

# With as many lines as Twisted allows.
_HEAD = pattern(
    rb"(?:GET|POST) ([!-~]+) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n){0,500})\r\n"
)
_LENGTH = b"\ncontent-length:"
_CONNECTION = b"\nconnection:"
_ENCODING = b"\ntransfer-encoding:"
_EXPECT = b"\nexpect:"
_UPGRADE = b"\nupgrade:"


def wholeRequest(data: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """
    Take data apart that is exactly one request, as twisted.web would read it.

    @return: the method, the URI, the lines of the headers, and the body; L{None} for
        all other data, and for requests that need more of HTTP.
    """
    # Twisted allows for heads of this size.
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD) + 4
    found = _HEAD.fullmatch(data, 0, end)
    if found is None:
        return None
    uri, lines = found.groups()
    # Constants, since a request may be held for long.
    method = b"GET" if data.startswith(b"G") else b"POST"
    head = b"\n" + lines.lower()
    # Without a loop, which would cost more than the searches.
    if _ENCODING in head or _EXPECT in head or _UPGRADE in head:
        return None
    size = 0
    if (start := head.find(_LENGTH)) >= 0:
        text = _valueAt(head, start + len(_LENGTH))
        if head.count(_LENGTH) > 1 or not text.isdigit() or len(text) > 9:
            return None
        size = int(text)
    start = head.find(_CONNECTION)
    if start >= 0 and _valueAt(head, start + len(_CONNECTION)) != b"keep-alive":
        return None
    if len(data) - end != size:
        return None
    return method, uri, lines, data[end:]


def _valueAt(head: bytes, start: int) -> bytes:
    return head[start : head.index(b"\r", start)].strip(b" \t")


@lru_cache(maxsize=1)
def _dateAt(second: int) -> bytes:
    date: bytes = datetimeToString(second)
    return date


def usualHead(usual: bytes) -> bytes:
    """
    Return the beginning of the head of a reply with status 200.

    @param usual: the lines of headers that all replies have.
    """
    date = _dateAt(int(time.time()))
    return b"HTTP/1.1 200 OK\r\nServer: %b\r\nDate: %b\r\n%b" % (SERVER, date, usual)


class WholeRequestChannel(HTTP11Channel):
    """
    A server connection that reads whole requests on the short way.

    Its requests are L{WholeRequest}s.
    """

    # The lines of the usual headers.
    _usual = b""
    # Whether the last request was read on the short way, and since then nothing has
    # arrived and reading was not paused.
    isUndisturbed = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._usual = b"".join(
            b"%b: %b\r\n" % (name, value)
            for name, values in cls.usualHeaders.items()
            for value in values
        )

    def dataReceived(self, data: bytes) -> None:
        """
        Handle data of the client.
        """
        channel: Any = self
        whole = None
        if channel.line_mode and not (
            channel._buffer
            or channel.requests
            or channel.paused
            or channel.transport.disconnecting
        ):
            # A connection that is not persistent is not in line mode.
            whole = wholeRequest(data)
        if whole is None:
            self.isUndisturbed = False
            base: Any = super()
            base.dataReceived(data)
        else:
            self._receiveWhole(channel, *whole)

    def _receiveWhole(
        self, channel: Any, method: bytes, uri: bytes, lines: bytes, body: bytes
    ) -> None:
        self.isUndisturbed = True
        request: WholeRequest = channel.requestFactory(self)
        request.headerLines = lines
        channel.requests.append(request)
        # As for a request that is read line by line.
        channel._command, channel._path = method, uri
        channel._version = b"HTTP/1.1"
        request.gotLength(len(body))
        if body:
            request.handleContentChunk(body)
        channel.allContentReceived()

    def pauseProducing(self) -> None:
        """
        Stop reading and writing, because the client does not read.
        """
        self.isUndisturbed = False
        base: Any = super()
        base.pauseProducing()

    def requestDone(self, request: Any) -> None:
        """
        Wait for the next request.
        """
        channel: Any = self
        if (
            not self.isUndisturbed
            or channel._buffer
            or channel._dataBuffer
            or not channel.persistent
        ):
            base: Any = super()
            base.requestDone(request)
            return
        # Nothing has to be resumed or handled again.
        channel.requests.clear()
        channel._handlingRequest = False
        channel.line_mode = 1
        if channel._savedTimeOut:
            channel.setTimeout(channel._savedTimeOut)

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers
    ) -> None:
        # Request.process would do this.
        headers.setRawHeaders(b"server", [SERVER])
        headers.setRawHeaders(b"date", [_dateAt(int(time.time()))])
        super().writeHeaders(version, code, reason, headers)

    def writeWhole(self, contentType: bytes, body: bytes) -> None:
        """
        Write a reply with status 200 and the usual headers.
        """
        head = usualHead(self._usual)
        data = b"%bContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
            head,
            contentType,
            len(body),
            body,
        )
        writeNow(self.transport, data)


def _headersOf(request: WholeRequest) -> Headers:
    headers = Headers()
    for line in request.headerLines.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            headers.addRawHeader(name, value.strip(b" \t"))
    return headers


_NONE: dict[bytes, list[bytes]] = {}

_RARE: dict[str, Any] = {
    "requestHeaders": _headersOf,
    "responseHeaders": lambda request: Headers(),
    "client": lambda request: request.channel.getPeer(),
    "host": lambda request: request.channel.getHost(),
    "received_cookies": lambda request: {},
    "cookies": lambda request: [],
    "notifications": lambda request: [],
    "_adapterCache": lambda request: {},
}
"""Attributes of requests that most requests do not need, and how they are made."""


_RARELY_WRITTEN = {"responseHeaders", "notifications"}
"""The attributes that make a request end in the usual way of twisted.web."""


class WholeRequest(Request):
    """
    A request whose rarely used attributes are made when they are used: headers,
    addresses, cookies. Its cookies and its form are not parsed.

    @ivar headerLines: the headers of a request that was read on the short way.
    @ivar body: the body as far as it has arrived.
    """

    headerLines = b""
    # Whether no rare attribute has been used.
    _isUsual = True
    body: bytes | bytearray = b""

    def __init__(self, channel: Any, queued: object = False) -> None:
        self.channel = channel
        self.transport = channel.transport
        self.queued = False

    def __getattr__(self, name: str) -> Any:
        make = _RARE.get(name)
        if make is None:
            raise AttributeError(name)
        value = make(self)
        setattr(self, name, value)
        self._isUsual = False
        return value

    def keepHeaders(self, beginnings: tuple[bytes, ...]) -> None:
        """
        Forget the headers of a request that was read on the short way, since it is
        held for long.

        @param beginnings: the beginnings of the lines to keep, in lower case. They
            are in lower case afterwards.
        """
        lines = self.headerLines.lower().splitlines(True)
        if lines:
            kept = [line for line in lines if line.startswith(beginnings)]
            self.headerLines = b"".join(kept)
            # Made again when they are used.
            vars(self).pop("requestHeaders", None)

    def parseCookies(self) -> None:
        """
        Do nothing: L{HTTPChannel} calls this for each request.
        """

    def gotLength(self, length: int | None) -> None:
        """
        Do nothing: a body of any length is collected in memory.
        """

    def handleContentChunk(self, data: bytes) -> None:
        """
        Collect a part of the body.
        """
        if not self.body:
            self.body = data
            return
        if not isinstance(self.body, bytearray):
            self.body = bytearray(self.body)
        self.body += data

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """
        Render the resource of the site, which is the same for all paths.
        """
        self.method, self.uri, self.clientproto = command, path, version
        self.path, _, query = path.partition(b"?")
        self.args = parse_qs(query, True) if query else _NONE
        self.content = BytesIO(self.body)
        self.body = b""
        untyped: Any = self
        untyped.site = untyped.channel.site
        if path == b"*":
            untyped.process()
            return
        try:
            untyped.render(untyped.site.resource)
        except BaseException:
            untyped.processingFailed(Failure())

    def reply(self, contentType: bytes, body: bytes) -> None:
        """
        Write the whole reply, with the status 200 unless another one is set.
        """
        untyped: Any = self
        isUsual = self._isUsual or not _RARELY_WRITTEN.intersection(vars(self))
        if (
            not isUsual
            or self.clientproto != b"HTTP/1.1"
            or self.startedWriting
            or self.code != 200
            or self._disconnected
            or self.producer is not None
        ):
            headers = self.responseHeaders
            headers.setRawHeaders(b"content-type", [contentType])
            headers.setRawHeaders(b"content-length", [b"%d" % len(body)])
            untyped.write(body)
            untyped.finish()
            return
        self.startedWriting = self.finished = 1
        self.sentLength = len(body)
        channel = untyped.channel
        channel.writeWhole(contentType, body)
        self.answered()
        channel.requestDone(self)
        del untyped.channel
        self.content = None

    def answered(self) -> None:
        """
        Be told that the reply is written.
        """
