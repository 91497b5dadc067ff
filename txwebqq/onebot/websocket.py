"""
WebSockets (RFC 6455) on Twisted connections, of clients and servers alike; wsproto
reads and writes the frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from typing import Any, Protocol

from h11 import ProtocolError as HTTPProtocolError
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import (
    IDelayedCall,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError
from zope.interface import implementer

MAX_MESSAGE = 64 * 1024 * 1024
"""Maximum length of a received message, in characters: pictures travel within
messages."""

MAX_UNSENT = 128 * 1024 * 1024
"""Maximum size of the messages that wait because the peer reads slowly, in bytes."""

HANDSHAKE_TIMEOUT = 20.0
"""Seconds that a handshake may take."""

PING_INTERVAL = 30.0
"""Seconds without data from the peer after which it is sent a ping. After as many
seconds again the connection is closed."""

CLOSE_TIMEOUT = 5.0
"""Seconds that a peer has to answer a close frame."""

MAX_REASON = 120
"""Maximum size of the reason in a close frame, in bytes."""


class WebSocketHandler(Protocol):
    """
    Receives what happens on a WebSocket.
    """

    def opened(self, socket: WebSocket) -> None:
        """
        Called first, after the handshake.
        """

    def textReceived(self, socket: WebSocket, text: str) -> None:
        """
        Called with each text message.
        """

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        """
        Called once and last, also when the handshake failed: then without L{opened}.
        """


class WebSocketClosed(Exception):
    """
    A WebSocket is closed, or was never open.

    @ivar status: the HTTP status with which the handshake was refused, L{None} when
        it was not.
    @ivar code: the code of the peer's close frame, L{None} without one.
    @ivar isPage: whether the handshake was refused by a page of HTML.
    """

    def __init__(
        self,
        reason: str,
        status: int | None = None,
        code: int | None = None,
        isPage: bool = False,
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.isPage = isPage


@implementer(IPushProducer)
class WebSocket(StreamProtocol, ABC):
    """
    One WebSocket, of a client or a server.

    Messages of a peer that reads slowly are kept, up to L{MAX_UNSENT}; beyond it the
    connection is closed. A peer that says nothing is pinged.

    @param sockets: contains it as long as its connection is open.
    """

    def __init__(
        self, kind: ConnectionType, clock: IReactorTime, sockets: set[WebSocket]
    ) -> None:
        self._sockets = sockets
        self._wire = WSConnection(kind)
        self._clock = clock
        self._handler: WebSocketHandler | None = None
        self._timer: IDelayedCall | None = None
        self._wasPinged = False
        self._isOpen = False
        self._isOver = False
        # A message may come in very many parts.
        self._parts = StringIO()
        self._isPaused = False
        self._unsent: list[bytes] = []
        self._unsentSize = 0
        self._end: WebSocketClosed | None = None
        self._lost: list[Deferred[None]] = []

    # For those who use it.

    @property
    def isOpen(self) -> bool:
        """
        Whether messages can be sent.
        """
        return self._isOpen and self._wire.state is ConnectionState.OPEN

    def sendText(self, text: str) -> None:
        """
        Send a text message. No effect unless the WebSocket is open.
        """
        if self.isOpen:
            self._write(self._wire.send(Message(data=text)))

    def close(self, code: int = 1000, reason: str = "") -> Deferred[None]:
        """
        Close the WebSocket, after the messages that are on their way.

        @return: fires when the connection is closed, after L{CLOSE_TIMEOUT} seconds
            at the latest.
        """
        lost: Deferred[None] = Deferred()
        if self._isOver:
            lost.callback(None)
            return lost
        self._lost.append(lost)
        if self.isOpen:
            short = reason.encode()[:MAX_REASON].decode("utf-8", "ignore")
            self._write(self._wire.send(CloseConnection(code=code, reason=short)))
            self._limit(CLOSE_TIMEOUT, self.abort)
        elif not self._isClosing():
            self.abort()
        return lost

    def probe(self) -> None:
        """
        Close the connection unless the peer answers a ping at once.
        """
        if self.isOpen:
            self._write(self._wire.send(Ping()))
            self._wasPinged = True
            self._limit(CLOSE_TIMEOUT, self._silent)

    def _isClosing(self) -> bool:
        """
        Whether a close frame was sent, and the connection ends by itself.
        """
        return self._isEnding() or (
            self._isOpen and self._wire.state is ConnectionState.LOCAL_CLOSING
        )

    def abort(self) -> None:
        """
        Close the connection at once.
        """
        self._isOpen = False
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    # Called by Twisted.

    def connectionMade(self) -> None:
        self._sockets.add(self)
        transport: Any = self.transport
        transport.registerProducer(self, True)
        with suppress(AttributeError):
            transport.setTcpNoDelay(True)
        self._limit(HANDSHAKE_TIMEOUT, self._handshakeTimedOut)

    def dataReceived(self, data: bytes) -> None:
        if self._isEnding():
            return
        if self.isOpen:
            self._heard()
        try:
            self._receive(data)
            for event in self._wire.events():
                self._happened(event)
                if self._isEnding():
                    return
        except RemoteProtocolError as e:
            if e.event_hint is not None:
                # To a server there is no reply.
                with suppress(LocalProtocolError, HTTPProtocolError):
                    self._write(self._wire.send(e.event_hint))
            self._finish(WebSocketClosed(f"not a WebSocket: {e}"))
        except LocalProtocolError as e:
            self._finish(WebSocketClosed(f"the WebSocket is over: {e}"))

    def _receive(self, data: bytes) -> None:
        try:
            self._wire.receive_data(data)
        except UnicodeError as e:
            # wsproto decodes some headers of a handshake.
            raise RemoteProtocolError("a header is not readable") from e

    def _isEnding(self) -> bool:
        return self._end is not None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._isOver:
            return
        self._sockets.discard(self)
        self._isOver = True
        self._isOpen = False
        self._stopTimer()
        end = self._end or WebSocketClosed(
            f"the connection was lost: {reason.getErrorMessage().rstrip('.')}"
        )
        if self._handler is not None:
            self._handler.closed(self, end)
        lost, self._lost = self._lost, []
        for each in lost:
            each.callback(None)

    def pauseProducing(self) -> None:
        """
        Keep messages: the peer reads slowly.
        """
        self._isPaused = True

    def resumeProducing(self) -> None:
        """
        Send the messages that were kept.
        """
        self._isPaused = False
        unsent, self._unsent = self._unsent, []
        self._unsentSize = 0
        if unsent and self.transport is not None:
            self.transport.write(b"".join(unsent))

    def stopProducing(self) -> None:
        """
        Drop the messages that were kept.
        """
        self._unsent.clear()

    # Events of the peer.

    def _happened(self, event: Event) -> None:
        match event:
            case TextMessage():
                self._text(event)
            case BytesMessage():
                self._fail(1003, "binary messages are not understood")
            case Ping():
                if self.isOpen:
                    self._write(self._wire.send(event.response()))
            case Pong():
                pass
            case CloseConnection():
                self._closeReceived(event)
            case _:
                self._handshake(event)

    @abstractmethod
    def _handshake(self, event: Event) -> None:
        """
        Read an event of the handshake, or of a refusal.
        """

    def _open(self) -> None:
        self._isOpen = True
        self._heard()
        assert self._handler is not None
        self._handler.opened(self)

    def _text(self, event: TextMessage) -> None:
        self._parts.write(event.data)
        if self._parts.tell() > MAX_MESSAGE:
            self._fail(1009, "the message is too long")
        elif event.message_finished:
            parts, self._parts = self._parts, StringIO()
            assert self._handler is not None
            self._handler.textReceived(self, parts.getvalue())

    def _closeReceived(self, event: CloseConnection) -> None:
        if self._wire.state is ConnectionState.REMOTE_CLOSING:
            self._write(self._wire.send(event.response()))
        elif self._wire.state is ConnectionState.OPEN:
            # A frame that is no frame.
            self._write(
                self._wire.send(CloseConnection(code=event.code, reason=event.reason))
            )
        said = f": {event.reason}" if event.reason else ""
        code = int(event.code)
        self._finish(
            WebSocketClosed(f"the WebSocket was closed (code {code}){said}", code=code)
        )

    def _fail(self, code: int, reason: str) -> None:
        if self.isOpen:
            self._write(self._wire.send(CloseConnection(code=code, reason=reason)))
        self._finish(WebSocketClosed(reason))

    def _finish(self, end: WebSocketClosed) -> None:
        """
        Close the connection after what was written.
        """
        self._end = self._end or end
        self._isOpen = False
        transport: Any = self.transport
        self.resumeProducing()
        transport.unregisterProducer()
        transport.loseConnection()
        self._limit(CLOSE_TIMEOUT, transport.abortConnection)

    def _write(self, data: bytes) -> None:
        if not self._isPaused:
            assert self.transport is not None
            self.transport.write(data)
            return
        self._unsent.append(data)
        self._unsentSize += len(data)
        if self._unsentSize > MAX_UNSENT:
            self._end = self._end or WebSocketClosed("the peer reads too slowly")
            self.abort()

    # Time.

    def _limit(self, seconds: float, call: Callable[[], None]) -> None:
        self._stopTimer()

        def due() -> None:
            self._timer = None
            call()

        self._timer = self._clock.callLater(seconds, due)

    def _stopTimer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _heard(self) -> None:
        self._wasPinged = False
        self._limit(PING_INTERVAL, self._silent)

    def _silent(self) -> None:
        if self._wasPinged:
            self._end = self._end or WebSocketClosed("the peer does not answer pings")
            self.abort()
            return
        if self.isOpen:
            self._write(self._wire.send(Ping()))
        self._wasPinged = True
        self._limit(PING_INTERVAL, self._silent)

    def _handshakeTimedOut(self) -> None:
        self._end = self._end or WebSocketClosed(
            f"no handshake within {HANDSHAKE_TIMEOUT:g} s"
        )
        self.abort()


def closeAll(sockets: set[WebSocket], code: int, reason: str) -> Deferred[None]:
    """
    Close WebSockets.

    @return: fires when their connections are closed.
    """
    closing = [socket.close(code, reason) for socket in list(sockets)]
    return gatherResults(closing).addCallback(lambda _: None)
