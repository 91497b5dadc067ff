"""
WebSockets to bots: those that bots open at a port of ours (forward), and those that
we open (reverse).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from twisted.application.internet import backoffPolicy
from twisted.application.service import MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.web.client import URI

from txwebqq.errors import InvalidConfiguration
from txwebqq.net.endpoints import EndpointCache, listeningService
from txwebqq.net.tls import policyFor
from txwebqq.onebot.authorization import TOO_MANY, TokenAuthenticator
from txwebqq.onebot.handshakes import (
    ClientWebSocket,
    Handshake,
    Refused,
    WebSocketFactory,
)
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.config import ForwardSettings, ReverseSettings
from txwebqq.onebot.surface.connection import BotConnection
from txwebqq.onebot.websocket import (
    WebSocket,
    WebSocketClosed,
    WebSocketHandler,
    closeAll,
)

MAX_CONNECTIONS = 100
"""Maximum number of WebSockets at one port."""

CONNECT_TIMEOUT = 20
"""Seconds that connecting may take."""

USER_AGENT = "OneBot/11"

reconnectBackoff = backoffPolicy(
    initialDelay=1.0, maxDelay=60.0, factor=2.0, jitter=lambda: random.uniform(0.0, 1.0)
)


class ForwardListener(MultiService):
    """
    Listens for bots.

    @raise InvalidConfiguration: when the endpoint cannot be used.
    """

    _log = Logger()

    def __init__(
        self, account: SurfaceAccount, settings: ForwardSettings, reactor: Any
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._account = account
        self.settings = settings
        self._authenticator = TokenAuthenticator(reactor.seconds)
        self.factory = WebSocketFactory(self.accept, reactor)
        listening = listeningService(settings.listen, self.factory, reactor)
        listening.setServiceParent(self)

    def stopService(self) -> Deferred[None]:
        """
        Stop listening, and close the connections.

        @return: fires when that is done.
        """
        stopped = maybeDeferred(super().stopService)

        async def stop() -> None:
            await stopped
            await closeAll(self.factory.sockets, 1001, "the account is signed off")

        return Deferred.fromCoroutine(stop())

    def accept(self, handshake: Handshake) -> WebSocketHandler:
        """
        Make the handler of a new WebSocket.

        @raise Refused: when the request is not allowed, or the path unknown.
        """
        token = self.settings.token
        refusal = self._authenticator.refusalOf(
            handshake.headers, handshake.query, token, handshake.address
        )
        if refusal is not None:
            if refusal is not TOO_MANY:
                self._log.warn(
                    "A bot was refused (account {number}): {reason}.",
                    number=self._account.number,
                    reason=refusal.reason,
                )
            raise Refused(refusal.status, refusal.reason)
        role = handshake.path.rstrip("/")
        if role not in ("", "/api", "/event"):
            raise Refused(404, "the paths are /, /api and /event")
        # Connections without a handshake must not keep bots out.
        if sum(each.isOpen for each in self.factory.sockets) >= MAX_CONNECTIONS:
            raise Refused(503, "there are too many connections")
        return BotConnection(
            self._account,
            f"at {self.settings.listen}",
            isArray=self.settings.isArray,
            heartbeat=self.settings.heartbeat,
            hasEvents=role != "/api",
            hasCalls=role != "/event",
            hasOwn=self.settings.hasOwn,
        )


class _ReportingConnection(BotConnection):
    """
    A connection whose end the dialler hears of.
    """

    onOpened: Callable[[], None]
    onClosed: Callable[[WebSocketClosed], None]

    def opened(self, socket: WebSocket) -> None:
        super().opened(socket)
        self.onOpened()

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        super().closed(socket, reason)
        self.onClosed(reason)


class ReverseDialler(Service):
    """
    Connects to a bot, again and again for as long as the service runs.

    @param backoff: returns the seconds to wait before an attempt, given the number of
        attempts that have failed.
    """

    _log = Logger()

    def __init__(
        self,
        account: SurfaceAccount,
        settings: ReverseSettings,
        reactor: Any,
        backoff: Callable[[int], float] = reconnectBackoff,
    ) -> None:
        self._account = account
        self.settings = settings
        self._clock: IReactorTime = reactor
        self._backoff = backoff
        parts = urlsplit(settings.url)
        self._host = parts.netloc
        self._target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        if not self._target.startswith("/"):
            self._target = f"/{self._target}"
        # The query may be a secret.
        self._name = f"{parts.scheme}://{parts.netloc}{parts.path}"
        policy = policyFor(settings.caFile)
        scheme = "https" if parts.scheme == "wss" else "http"
        try:
            uri = URI.fromBytes(f"{scheme}://{parts.netloc}/".encode("idna"))
        except UnicodeError as e:
            raise InvalidConfiguration(f"{self._name}: not a host name") from e
        endpoints = EndpointCache(reactor, policy, CONNECT_TIMEOUT)
        self._endpoint = endpoints.endpointForURI(uri)
        self._sockets: set[WebSocket] = set()
        self._connecting: Deferred[Any] | None = None
        self._retry: IDelayedCall | None = None
        self._failures = 0

    def startService(self) -> None:
        """
        Connect.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._connect()

    def stopService(self) -> Deferred[None]:
        """
        Close the connection.

        @return: fires when it is closed.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        retry, self._retry = self._retry, None
        if retry is not None:
            retry.cancel()
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
        return closeAll(self._sockets, 1001, "the account is signed off")

    def _connect(self) -> None:
        self._retry = None
        settings, number = self.settings, self._account.number
        handler = _ReportingConnection(
            self._account,
            self._name,
            isArray=settings.isArray,
            heartbeat=settings.heartbeat,
            hasOwn=settings.hasOwn,
        )
        handler.onOpened, handler.onClosed = self._opened, self._closed
        headers = [
            ("X-Self-ID", str(number)),
            ("X-Client-Role", "Universal"),
            ("User-Agent", USER_AGENT),
        ]
        if settings.token:
            headers.append(("Authorization", f"Bearer {settings.token}"))
        factory = Factory.forProtocol(
            lambda: ClientWebSocket(
                handler, self._clock, self._host, self._target, headers, self._sockets
            )
        )
        factory.noisy = False

        def connected(result: object) -> None:
            self._connecting = None

        self._connecting = self._endpoint.connect(factory)
        self._connecting.addCallbacks(connected, self._ebConnect)

    def _opened(self) -> None:
        self._failures = 0

    def _ebConnect(self, failure: Any) -> None:
        self._connecting = None
        if not failure.check(CancelledError):
            self._later(failure.getErrorMessage())

    def _closed(self, reason: WebSocketClosed) -> None:
        self._later(str(reason))

    def _later(self, reason: str) -> None:
        if not self.running:
            return
        delay = self._backoff(self._failures)
        self._failures += 1
        self._log.warn(
            "No connection to a bot (account {number}): {name}: {reason}; retrying in"
            " {delay:.1f} s.",
            number=self._account.number,
            name=self._name,
            reason=reason,
            delay=delay,
        )
        self._retry = self._clock.callLater(delay, self._connect)
