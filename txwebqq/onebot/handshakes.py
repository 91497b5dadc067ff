"""
WebSockets of clients and servers: the opening handshake (RFC 6455, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import punctuation
from typing import Any
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from wsproto import ConnectionType
from wsproto.events import (
    AcceptConnection,
    Event,
    RejectConnection,
    RejectData,
    Request,
)

from txwebqq.net.failures import isPage
from txwebqq.onebot.websocket import WebSocket, WebSocketClosed, WebSocketHandler


class Handshake:
    """
    A request to open a WebSocket, as a server sees it.

    @ivar path: the path of the URL.
    @ivar query: the query of the URL, C{""} for none.
    @ivar headers: the headers, by their names in lower case.
    @ivar address: the IP address of the client, C{""} at a UNIX socket.
    """

    def __init__(self, request: Request, address: str = "") -> None:
        self.address = address
        self.path, _, self.query = request.target.partition("?")
        self.headers: Mapping[str, str] = {
            bytes(name).decode("latin-1").lower(): bytes(value).decode("latin-1")
            for name, value in reversed(list(request.extra_headers))
        }


class Refused(Exception):
    """
    A server refuses a handshake.

    @ivar status: the HTTP status of the reply.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class ClientWebSocket(WebSocket):
    """
    A WebSocket that is opened by us.

    @param host: the value of the header C{Host}.
    @param target: the path and the query of the URL.
    @param headers: further headers of the handshake.
    """

    def __init__(
        self,
        handler: WebSocketHandler,
        clock: IReactorTime,
        host: str,
        target: str,
        headers: Sequence[tuple[str, str]],
        sockets: set[WebSocket],
    ) -> None:
        super().__init__(ConnectionType.CLIENT, clock, sockets)
        self._handler = handler
        self._request = Request(
            host=host,
            # The path in a configuration file need not be ASCII.
            target=quote(target, safe=punctuation),
            extra_headers=[
                (name.encode("ascii"), value.encode("utf-8")) for name, value in headers
            ],
        )
        self._status: int | None = None
        self._isPage = False

    def connectionMade(self) -> None:
        super().connectionMade()
        self._write(self._wire.send(self._request))

    def _handshake(self, event: Event) -> None:
        match event:
            case AcceptConnection():
                self._open()
            case RejectConnection():
                self._status = event.status_code
                if not event.has_body:
                    self._refuse()
            case RejectData():
                # The body may have no end.
                self._isPage = isPage(bytes(event.data))
                self._refuse()

    def _refuse(self) -> None:
        status = self._status
        reason = f"the WebSocket was refused (HTTP {status})"
        if self._isPage:
            reason += " by a page of HTML: a proxy or a captive portal?"
        self._finish(WebSocketClosed(reason, status, isPage=self._isPage))


class ServerWebSocket(WebSocket):
    """
    A WebSocket that was opened by a client.

    @param accept: returns the handler of a new WebSocket, or raises L{Refused}.
    """

    def __init__(
        self,
        accept: Callable[[Handshake], WebSocketHandler],
        clock: IReactorTime,
        sockets: set[WebSocket],
    ) -> None:
        super().__init__(ConnectionType.SERVER, clock, sockets)
        self._accept = accept

    def _handshake(self, event: Event) -> None:
        if not isinstance(event, Request):
            return
        peer: Any = self.transport
        address = str(getattr(peer.getPeer(), "host", ""))
        try:
            self._handler = self._accept(Handshake(event, address))
        except Refused as e:
            body = f"{e}\n".encode()
            headers = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
            ]
            self._write(
                self._wire.send(
                    RejectConnection(
                        status_code=e.status, headers=headers, has_body=True
                    )
                )
            )
            self._write(self._wire.send(RejectData(data=body)))
            self._finish(WebSocketClosed(str(e), e.status))
            return
        self._write(self._wire.send(AcceptConnection()))
        self._open()


class WebSocketFactory(Factory):
    """
    Builds the WebSockets of a server.

    @ivar sockets: those whose connections are open.
    """

    noisy = False

    def __init__(
        self, accept: Callable[[Handshake], WebSocketHandler], clock: IReactorTime
    ) -> None:
        self._accept = accept
        self._clock = clock
        self.sockets: set[WebSocket] = set()

    def logPrefix(self) -> str:
        return "OneBot WebSocket server"

    def buildProtocol(self, address: object) -> ServerWebSocket:
        """
        Build the WebSocket of a new connection.
        """
        return ServerWebSocket(self._accept, self._clock, self.sockets)
