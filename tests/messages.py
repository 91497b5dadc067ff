"""
HTTP messages as bytes: a reader that takes a stream apart, and a connection to
ask on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

_CHUNK = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")


@dataclass(frozen=True)
class Message:
    """
    A request or an answer.

    @ivar first: the request line or the status line.
    @ivar raw: all its bytes.
    """

    first: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes

    @property
    def path(self) -> str:
        """
        The path of a request, without its query.
        """
        return self.first.split(" ")[1].partition("?")[0]

    @property
    def status(self) -> int:
        """
        The status of an answer.
        """
        return int(self.first.split(" ")[1])

    def all(self, name: str) -> list[str]:
        """
        The values of a header.
        """
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def isLast(self) -> bool:
        """
        True if the connection ends with this message.
        """
        words = ",".join(self.all("connection")).lower()
        return "close" in words or self.first.endswith("HTTP/1.0")


class MessageReader:
    """
    Takes the bytes of one direction of a connection apart into messages.

    @param isAnswers: whether messages are answers, which without a length go
        on to the end of the connection.
    """

    def __init__(self, isAnswers: bool) -> None:
        self._isAnswers = isAnswers
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """
        Take bytes in.

        @return: the messages that are whole now.
        """
        self._buffer += data
        while (message := self._take()) is not None:
            self._buffer = self._buffer[len(message.raw) :]
            yield message

    def end(self) -> Message | None:
        """
        The connection has ended.

        @return: the answer without a length that ended with it.
        """
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        if not (blank and self._isAnswers):
            return None
        first, headers = _head(head)
        if any(name.lower() in _LENGTHS for name, _ in headers):
            return None
        raw, self._buffer = self._buffer, b""
        return Message(first, headers, body, raw)

    def _take(self) -> Message | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        start = end + 4
        first, headers = _head(self._buffer[:end])
        values = {name.lower(): value for name, value in headers}
        if values.get("transfer-encoding", "").lower() == "chunked":
            return self._takeChunks(first, headers, start)
        if "content-length" in values:
            stop = start + int(values["content-length"])
        elif self._isAnswers and first.split(" ")[1] not in ("100", "204", "304"):
            return None
        else:
            stop = start
        if len(self._buffer) < stop:
            return None
        return Message(first, headers, self._buffer[start:stop], self._buffer[:stop])

    def _takeChunks(
        self, first: str, headers: tuple[tuple[str, str], ...], start: int
    ) -> Message | None:
        parts: list[bytes] = []
        at = start
        while (found := _CHUNK.match(self._buffer, at)) is not None:
            size = int(found[1], 16)
            if size == 0:
                end = self._buffer.find(b"\r\n", found.end())
                if end < 0:
                    return None
                raw = self._buffer[: end + 2]
                return Message(first, headers, b"".join(parts), raw)
            parts.append(self._buffer[found.end() : found.end() + size])
            at = found.end() + size + 2
        return None


_LENGTHS = ("content-length", "transfer-encoding")


def _head(head: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return first, tuple((name, value.strip()) for name, _, value in pairs)


# ---- asking


class _Asking(Protocol):
    """
    One connection to a server, with at most one question on it.
    """

    def __init__(self) -> None:
        self.isOpen = False
        self._reader = MessageReader(isAnswers=True)
        self._waiting: Deferred[Message] | None = None

    def connectionMade(self) -> None:
        self.isOpen = True
        transport: Any = self.transport
        transport.setTcpNoDelay(True)

    def ask(self, question: bytes) -> Deferred[Message]:
        """
        Ask; cancel it to hang up.
        """
        waiting: Deferred[Message] = Deferred(lambda _: self.hangUp())
        self._waiting = waiting
        assert self.transport is not None
        self.transport.write(question)
        return waiting

    def hangUp(self) -> None:
        """
        Close the connection at once.
        """
        self.isOpen, self._waiting = False, None
        transport: Any = self.transport
        transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            self._answered(message)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.isOpen = False
        last = self._reader.end()
        if last is not None:
            self._answered(last)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(ConnectionLost("no whole answer came"))

    def _answered(self, message: Message) -> None:
        if message.isLast and self.isOpen:
            self.isOpen = False
            assert self.transport is not None
            self.transport.loseConnection()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(message)


class Lost(Exception):
    """
    No whole answer came; the question may have been heard or not.
    """


class Asker:
    """
    A client of HTTP with one connection, which is kept or not. It asks one
    question after the other, and none twice.

    @param isKept: whether questions share a connection; without that each says
        C{Connection: close}.
    @param patience: the seconds that an answer is waited for.
    @ivar opened: the connections that were opened so far.
    """

    def __init__(
        self,
        endpoint: Callable[[], IStreamClientEndpoint],
        isKept: bool = True,
        patience: float = 15.0,
    ) -> None:
        self.opened = 0
        self._endpoint = endpoint
        self._isKept = isKept
        self._patience = patience
        self._asking: _Asking | None = None
        self._lock = DeferredLock()
        self._factory = Factory.forProtocol(_Asking)
        self._factory.noisy = False

    async def ask(
        self, method: str, target: str, body: bytes = b"", *headers: str
    ) -> Message:
        """
        Perform one exchange.

        @raise Lost: when no whole answer came.
        """
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *headers]
        if method == "POST":
            if not any(line.startswith("Content-Type:") for line in headers):
                lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        if not self._isKept:
            lines.append("Connection: close")
        question = "\r\n".join([*lines, "", ""]).encode() + body
        await self._lock.acquire()
        try:
            asking = self._asking
            if asking is None or not asking.isOpen:
                asking = self._asking = await self._open()
            asked = asking.ask(question)
            return await asked.addTimeout(self._patience, reactor, _late)
        except (ConnectError, ConnectionLost) as e:
            raise Lost(str(e)) from e
        finally:
            self._lock.release()

    async def _open(self) -> _Asking:
        self.opened += 1
        asking = await self._endpoint().connect(self._factory)
        assert isinstance(asking, _Asking)
        return asking

    def close(self) -> None:
        """
        Close the connection.
        """
        asking, self._asking = self._asking, None
        if asking is not None and asking.isOpen:
            asking.hangUp()


def _late(result: object, seconds: float) -> Any:
    raise ConnectionLost(f"no whole answer within {seconds:g} s")
