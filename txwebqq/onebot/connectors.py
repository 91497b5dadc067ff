"""
The two ways to a OneBot program: we connect to it, or it connects to us.
"""

from __future__ import annotations

import hmac
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from twisted.application.service import IService, MultiService
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.web.client import URI

from txwebqq.errors import Unreachable
from txwebqq.model import Number
from txwebqq.net.endpoints import EndpointCache, listeningService
from txwebqq.net.tls import TrustRoots, VerifyingPolicy
from txwebqq.onebot.link import LinkListener, OneBotLink
from txwebqq.onebot.websocket import (
    ClientWebSocket,
    Handshake,
    Refused,
    WebSocket,
    WebSocketFactory,
    WebSocketHandler,
    closeAll,
)
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


class Dialler:
    """
    Connects to a OneBot program.

    @param url: the address, C{ws://HOST:PORT/PATH} or C{wss://}, which was checked.
    @param token: C{""} for none.
    @param caFile: a file of certificate authorities besides the system's.

    @raise InvalidConfiguration: when the file cannot be used.
    """

    service: IService | None = None

    def __init__(
        self, reactor: Any, number: Number, url: str, token: str, caFile: str | None
    ) -> None:
        parts = urlsplit(url)
        self._clock: IReactorTime = reactor
        self._number = number
        self._host = parts.netloc
        self._target = parts.path or "/"
        self._headers = [("Authorization", f"Bearer {token}")] if token else []
        policy = VerifyingPolicy(TrustRoots(caFile))
        scheme = "https" if parts.scheme == "wss" else "http"
        uri = URI.fromBytes(f"{scheme}://{parts.netloc}/".encode("idna"))
        endpoints = EndpointCache(reactor, policy, CONNECT_TIMEOUT)
        self._sockets: set[WebSocket] = set()
        self._endpoint = endpoints.endpointForURI(uri)

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
                raise Unreachable(f"connecting failed: {e}") from e
            try:
                await link.whenOpen
            except CancelledError:
                socket.abort()
                raise
            return link

        return Deferred.fromCoroutine(connect())

    def close(self) -> Deferred[None]:
        return closeAll(self._sockets, 1000, "")


class Listener(MultiService):
    """
    Lets a OneBot program connect to us.

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
        self._factory = WebSocketFactory(self._accept, reactor)
        listening = listeningService(endpoint, self._factory, reactor)
        listening.setServiceParent(self)
        self.service: IService | None = self
        self._waiting: Deferred[OneBotLink] | None = None
        self._listener: LinkListener | None = None
        self._link: OneBotLink | None = None

    def connect(self, listener: LinkListener) -> Deferred[OneBotLink]:
        def giveUp(waiting: Deferred[OneBotLink]) -> None:
            self._waiting = None

        self._listener = listener
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
        return closeAll(self._factory.sockets, 1001, "the account is signed off")

    def _accept(self, handshake: Handshake) -> WebSocketHandler:
        self._check(handshake)
        isForEvents = handshake.headers.get("x-client-role", "").lower() == "event"
        if isForEvents and self._link is not None:
            # The second connection of a program that has one for its events.
            return self._link
        waiting, self._waiting = self._waiting, None
        if waiting is None or self._listener is None:
            if self._link is not None:
                # It was lost and we do not know yet: the new one comes next time.
                self._link.close("another connection has come")
            raise Refused(503, "the account is not waiting for a connection")
        link = self._link = OneBotLink(self._number, self._listener, self._clock)
        link.whenOpen.addCallbacks(lambda _: waiting.callback(link), waiting.errback)
        return link

    def _check(self, handshake: Handshake) -> None:
        if self._token:
            given = _tokenIn(handshake)
            if not given:
                raise Refused(401, "a token is needed")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                self._log.warn(
                    "A OneBot program with a wrong token was refused (account"
                    " {number}).",
                    number=self._number,
                )
                raise Refused(403, "the token is wrong")
        number = handshake.headers.get("x-self-id", "")
        if number and number != str(self._number):
            self._log.warn(
                "A OneBot program of another account was refused (account {number}):"
                " {other}.",
                number=self._number,
                other=printable(number),
            )
            raise Refused(403, f"this is the address of account {self._number}")


def _tokenIn(handshake: Handshake) -> str:
    kind, _, token = handshake.headers.get("authorization", "").partition(" ")
    if token and kind.lower() in ("bearer", "token"):
        return token.strip()
    return parse_qs(handshake.query).get("access_token", [""])[0]
