"""
The two ways to a OneBot program: we connect to it, or it connects to us.
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

from twisted.application.service import IService, MultiService
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import URI

from txwebqq.model import Number
from txwebqq.net.endpoints import EndpointCache, listeningService
from txwebqq.net.failures import unreachable
from txwebqq.net.tls import policyFor
from txwebqq.onebot.authorization import TOO_MANY, TokenAuthenticator
from txwebqq.onebot.handshakes import (
    ClientWebSocket,
    Handshake,
    Refused,
    WebSocketFactory,
)
from txwebqq.onebot.link import EventsOnly, LinkListener, OneBotLink
from txwebqq.onebot.websocket import WebSocket, WebSocketHandler, closeAll
from txwebqq.wire.command import printable

CONNECT_TIMEOUT = 20
"""Seconds that connecting may take."""


class Connector(Protocol):
    """
    Makes the links of one account.
    """

    service: IService | None
    """Runs as long as the account's service, L{None} if nothing has to run."""

    def connect(self, listener: LinkListener) -> Deferred[OneBotLink]:
        """
        Make a link, or wait for one.

        @return: fires with the link, once it is open; fails with L{LoginRefused} when
            the token is refused, and with L{Unreachable}. Cancel it to give up.
        """

    def close(self) -> Deferred[None]:
        """
        Close all connections.

        @return: fires when they are closed.
        """


class EndpointDialler:
    """
    Connects to a OneBot program at an endpoint.

    @param host: the value of the header C{Host}.
    @param target: the path of the URL.
    @param token: C{""} for none.
    """

    service: IService | None = None

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        clock: IReactorTime,
        number: Number,
        token: str = "",
        host: str = "localhost",
        target: str = "/",
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._number = number
        self._host = host
        self._target = target
        self._headers = [("Authorization", f"Bearer {token}")] if token else []
        self._sockets: set[WebSocket] = set()

    def connect(self, listener: LinkListener) -> Deferred[OneBotLink]:
        link = OneBotLink(self._number, listener, self._clock)
        factory = Factory.forProtocol(
            lambda: ClientWebSocket(
                link,
                self._clock,
                self._host,
                self._target,
                self._headers,
                self._sockets,
            )
        )
        factory.noisy = False

        async def connect() -> OneBotLink:
            try:
                socket: Any = await self._endpoint.connect(factory)
            except Exception as e:
                raise unreachable(e) from e
            try:
                await link.whenOpen
            except CancelledError:
                socket.abort()
                raise
            return link

        return Deferred.fromCoroutine(connect())

    def close(self) -> Deferred[None]:
        return closeAll(self._sockets, 1000, "")


class Dialler(EndpointDialler):
    """
    Connects to a OneBot program at a URL.

    @param url: the address, C{ws://HOST:PORT/PATH} or C{wss://}, which was checked.
    @param token: C{""} for none.
    @param caFile: a file of certificate authorities besides the system's.

    @raise InvalidConfiguration: when the file cannot be used.
    """

    def __init__(
        self, reactor: Any, number: Number, url: str, token: str, caFile: str | None
    ) -> None:
        parts = urlsplit(url)
        policy = policyFor(caFile)
        scheme = "https" if parts.scheme == "wss" else "http"
        uri = URI.fromBytes(f"{scheme}://{parts.netloc}/".encode("ascii"))
        endpoints = EndpointCache(reactor, policy, CONNECT_TIMEOUT)
        super().__init__(
            endpoints.endpointForURI(uri),
            reactor,
            number,
            token,
            parts.netloc,
            parts.path or "/",
        )


class Listener(MultiService):
    """
    Lets a OneBot program connect to us, by one connection, or by one for calls and
    one for events.

    @ivar factory: builds the WebSockets.
    @param endpoint: a server endpoint description.
    @param token: what the program has to show, C{""} for nothing.

    @raise InvalidConfiguration: when the endpoint cannot be used.
    """

    _log = Logger()

    def __init__(self, reactor: Any, number: Number, endpoint: str, token: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._clock: IReactorTime = reactor
        self._number = number
        self._token = token
        self._authenticator = TokenAuthenticator(reactor.seconds)
        self.factory = WebSocketFactory(self._accept, reactor)
        listening = listeningService(endpoint, self.factory, reactor)
        listening.setServiceParent(self)
        self.service: IService | None = self
        self._waiting: Deferred[OneBotLink] | None = None
        self._listener: LinkListener | None = None
        self._link: OneBotLink | None = None
        # Whether the link has a connection for events only.
        self._hasEvents = False

    def connect(self, listener: LinkListener) -> Deferred[OneBotLink]:
        def giveUp(waiting: Deferred[OneBotLink]) -> None:
            self._waiting = None
            link = self._link
            if link is not None and not link.isOpen:
                # Its connection for calls has not come.
                link.whenOpen.cancel()

        self._listener = listener
        self._link = None
        self._waiting = Deferred(giveUp)
        return self._waiting

    def stopService(self) -> Deferred[None]:
        """
        Stop listening, and close the connections.

        @return: fires when that is done.
        """
        stopped = maybeDeferred(super().stopService)

        async def stop() -> None:
            await stopped
            await self.close()

        return Deferred.fromCoroutine(stop())

    def close(self) -> Deferred[None]:
        return closeAll(self.factory.sockets, 1001, "the account is signed off")

    def _accept(self, handshake: Handshake) -> WebSocketHandler:
        self._check(handshake)
        link = self._link
        isForEvents = handshake.headers.get("x-client-role", "").lower() == "event"
        if link is not None and not link.isLost:
            if isForEvents and not self._hasEvents:
                self._hasEvents = True
                return EventsOnly(link)
            if not isForEvents and not link.isOpen:
                return link
            # The one before may be lost, and we do not know yet.
            link.probe()
            raise Refused(503, "the account has a connection already")
        waiting = self._waiting
        if waiting is None or self._listener is None:
            raise Refused(503, "the account is not waiting for a connection")
        link = self._link = OneBotLink(self._number, self._listener, self._clock)
        self._hasEvents = isForEvents

        def opened(result: None) -> None:
            self._waiting = None
            waiting.callback(link)

        def failed(failure: Failure) -> None:
            self._waiting = None
            waiting.errback(failure)

        link.whenOpen.addCallbacks(opened, failed)
        return EventsOnly(link) if isForEvents else link

    def _check(self, handshake: Handshake) -> None:
        refusal = self._authenticator.refusalOf(
            handshake.headers, handshake.query, self._token, handshake.address
        )
        if refusal is not None:
            if refusal is not TOO_MANY:
                self._log.warn(
                    "A OneBot program was refused (account {number}): {reason}.",
                    number=self._number,
                    reason=refusal.reason,
                )
            raise Refused(refusal.status, refusal.reason)
        number = handshake.headers.get("x-self-id", "")
        if number and number != str(self._number):
            self._log.warn(
                "A OneBot program of another account was refused (account {number}):"
                " {other}.",
                number=self._number,
                other=printable(number),
            )
            raise Refused(403, f"this is the address of account {self._number}")
