"""
The service that listens for operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Request

from txwebqq import __version__
from txwebqq.errors import InvalidConfiguration
from txwebqq.net.certificates import ReloadingReactor
from txwebqq.net.site import HTTP11Channel, SiteWithoutAccessLog
from txwebqq.operation.lag import LagMeter
from txwebqq.operation.metrics import Sample, Source, gauge
from txwebqq.operation.process import ProcessSource
from txwebqq.operation.registry import CONTENT_TYPE, Metrics
from txwebqq.operation.resource import OperationResource
from txwebqq.operation.settings import OperationSettings

IDLE_TIMEOUT = 75
"""Time after which an idle connection is closed, in seconds: longer than the usual
interval between two readings of Prometheus."""

MAX_BODY = 65536
"""Maximum size of the body of a request that is kept, in bytes."""

VERSION = gauge("txwebqq_info", "1, with the version of txwebqq as a label.", "version")


class VersionSource:
    """
    The version of this package (L{Source<txwebqq.operation.metrics.Source>}).
    """

    metrics = (VERSION,)

    def samples(self) -> Iterator[Sample]:
        yield VERSION, (__version__,), 1.0

    def problems(self) -> Iterable[str]:
        return ()


class OperationPages(Resource):
    """
    The pages of a daemon, and those of all daemons.
    """

    def __init__(self, others: OperationResource) -> None:
        base: Any = super()
        base.__init__()
        self._others = others

    def getChild(self, path: bytes, request: Request) -> Resource:
        return self._others


class OperationRequest(Request):
    """
    A request whose body is dropped when it is longer than that of any form: it is
    read before the token is looked at.
    """

    received = 0

    def handleContentChunk(self, data: bytes) -> None:
        """
        Keep a part of the body.
        """
        self.received += len(data)
        if self.received <= MAX_BODY:
            base: Any = super()
            base.handleContentChunk(data)


class OperationChannel(HTTP11Channel):
    """
    A connection of an operator's program.
    """

    site: OperationSite

    def connectionMade(self) -> None:
        base: Any = super()
        base.connectionMade()
        self.site.channels.add(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        base: Any = super()
        base.connectionLost(reason)
        self.site.disconnected(self)


class OperationSite(SiteWithoutAccessLog):
    """
    The factory of these connections.

    @ivar channels: those that are open.
    """

    name = "Endpoint for operators"
    protocol = OperationChannel

    def __init__(self, resource: Resource, reactor: Any) -> None:
        base: Any = super()
        base.__init__(resource, OperationRequest, timeout=IDLE_TIMEOUT, reactor=reactor)
        self.channels: set[OperationChannel] = set()
        self._whenEmpty: Deferred[None] | None = None

    def disconnected(self, channel: OperationChannel) -> None:
        """
        Be told that a connection is closed.
        """
        self.channels.discard(channel)
        if not self.channels and self._whenEmpty is not None:
            whenEmpty, self._whenEmpty = self._whenEmpty, None
            whenEmpty.callback(None)

    def closeConnections(self) -> Deferred[None]:
        """
        Close all connections.

        @return: fires when none is left.
        """
        if not self.channels:
            return succeed(None)
        waiting = self._whenEmpty = Deferred[None]()
        for channel in list(self.channels):
            transport: Any = channel.transport
            transport.abortConnection()
        return waiting


class PageWithToken(Protocol):
    """
    A L{Resource} that checks the token of its requests.
    """

    def setToken(self, token: str) -> None: ...


class OperationService(MultiService):
    """
    Listens for operators, and measures the lag of the event loop.

    @param sources: the parts of the daemon that are watched.

    @ivar site: the HTTP server.

    @raise InvalidConfiguration: when the endpoint cannot be used.
    """

    def __init__(
        self, settings: OperationSettings, sources: Sequence[Source], reactor: Any
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        lag = LagMeter(reactor)
        lag.setServiceParent(self)  # type: ignore[no-untyped-call]
        watched: list[Source] = [VersionSource(), lag, ProcessSource(reactor), *sources]
        resource = OperationResource(
            watched,
            Metrics(watched),
            CONTENT_TYPE,
            reactor.seconds,
            settings.token,
            settings.daemon,
        )
        self._pages = OperationPages(resource)
        self._withToken: list[PageWithToken] = [resource]
        self.site = OperationSite(self._pages, reactor)
        text = settings.endpoint
        try:
            endpoint = serverFromString(ReloadingReactor(reactor, text), text)
        except (ValueError, TypeError, OSError) as e:
            raise InvalidConfiguration(f"--operate {text}: {e}") from e
        listening = StreamServerEndpointService(endpoint, self.site)
        # A port that is taken ends the process, with the reason.
        listening._raiseSynchronously = True
        listening.setServiceParent(self)

    def addPage(self, name: bytes, page: PageWithToken) -> None:
        """
        Serve a page of the daemon itself, as C{/NAME}. It checks its requests.
        """
        resource: Any = page
        self._pages.putChild(name, resource)
        self._withToken.append(page)

    def setToken(self, token: str) -> None:
        """
        Change the token that requests need, C{""} for none.
        """
        for page in self._withToken:
            page.setToken(token)

    def stopService(self) -> Deferred[None]:
        """
        Stop listening, and close the connections.

        @return: fires when that is done.
        """
        stopped = maybeDeferred(super().stopService)
        return stopped.addCallback(lambda _: self.site.closeConnections())
