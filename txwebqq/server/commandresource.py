"""
The HTTP side of a WebQQ server: one resource for all hosts.

The path of a request alone determines its command, so that clients which request
Tencent's hosts through a proxy are served as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from txwebqq.server.api.signon import MALFORMED
from txwebqq.server.http.authorization import FINDERS, CallerFinder
from txwebqq.server.http.connections import WatchedSite
from txwebqq.server.http.downloads import refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import Handler, HeldReply, Sender
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.http.refusallog import RefusalLog
from txwebqq.server.http.replies import constantPage, sendReply
from txwebqq.server.http.signup import PATH, SignUpRenderer
from txwebqq.server.http.unknownpaths import UNKNOWN_PATH, UnknownPaths
from txwebqq.server.limits import DEFAULT_LIMITS as CONNECTION_LIMITS
from txwebqq.server.limits import AddressLimits, ConnectionLimits
from txwebqq.server.page.files import PageFiles
from txwebqq.server.request import MAX_BODY, TOO_LARGE, Upload, WebQQRequest, targetOf
from txwebqq.server.streamed import STREAMED, isDownload
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.signon import Login, LoginReply

IDLE_TIMEOUT = 180
"""Time after which an idle connection is closed, in seconds: longer than the interval
between the heartbeats of clients."""

MALFORMED_FIELDS = 100003

FAULT = Refusal(UNKNOWN_PATH, "a fault of the server")
"""The reply to a request whose handler has failed."""


@dataclass(frozen=True, slots=True)
class Route:
    """
    The handling of the requests at a path.
    """

    command: type[Command[Any]]
    findCaller: CallerFinder
    handler: Handler


@dataclass(frozen=True, slots=True)
class ResourceOptions:
    """
    The options of the resource of a server.

    @ivar proxies: the addresses of proxies whose C{X-Forwarded-For} is trusted.
    @ivar signup: the sign-up page, L{None} for none.
    @ivar page: the chat page, L{None} for none.
    @ivar connections: the limits of connections and requests.
    @ivar send: writes the replies to commands.
    @ivar makeRequest: makes the requests of connections.
    """

    proxies: Collection[str] = ()
    signup: SignUpRenderer | None = None
    page: PageFiles | None = None
    connections: ConnectionLimits = CONNECTION_LIMITS
    send: Sender = sendReply
    makeRequest: Callable[..., WebQQRequest] = WebQQRequest


class CommandResource(Resource):
    """
    The resource of all paths of a server: finds the command of a request, and writes
    its reply.

    @ivar handlers: the handlers of all commands.
    @ivar plainPaths: the paths of requests that are no uploads.
    """

    isLeaf = True
    _log = Logger()

    def __init__(self, clock: IReactorTime, options: ResourceOptions) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._clock = clock
        self._send = options.send
        self._makeRequest = options.makeRequest
        self._proxies = options.proxies
        self._signup = options.signup
        self._page = options.page
        self._addresses = AddressLimits(
            clock.seconds, options.connections, options.proxies
        )
        self._stopped = False
        self._refusals = RefusalLog(self._log, clock.seconds)

    def _setHandlers(
        self,
        handlers: Mapping[type[Command[Any]], Callable[..., Any]],
        uploadPaths: Iterable[bytes],
    ) -> None:
        self.handlers = handlers
        self._routes = {
            path.encode(): Route(command, FINDERS[command.authorization], handler)
            for command, handler in handlers.items()
            if command not in STREAMED
            for path in (command.path, *command.aliases)
        }
        self.plainPaths = self._routes.keys()
        self._unknownPaths = UnknownPaths((*self._routes, *uploadPaths), self._refusals)

    def setConnectionLimits(self, limits: ConnectionLimits) -> None:
        """
        Change the limits of connections and requests, but not the total.
        """
        total = self._addresses.limits.total
        self._addresses.setLimits(replace(limits, total=total))

    def site(self) -> WatchedSite:
        """
        Return a factory for the connections of clients.
        """
        return WatchedSite(
            self,
            self._addresses,
            requestFactory=self._makeRequest,
            timeout=IDLE_TIMEOUT,
            reactor=self._clock,
            parsePOSTFormSubmission=False,
        )

    def render(self, request: Request) -> int | bytes:
        if self._stopped:
            return self._renderStopped(request)
        query = b""
        route = self._routes.get(request.uri) if request.method == b"POST" else None
        if route is None:
            found = self._find(request)
            if not isinstance(found, tuple):
                return found
            route, query = found
        body = request.content.read(MAX_BODY + 1) if request.content else b""
        if len(body) > MAX_BODY:
            return refuse(request, TOO_LARGE, 413)
        return self._respond(request, route, query, body)

    def _renderStopped(self, request: Request) -> int | bytes:
        """
        Reply to a request that comes when the server has stopped.

        @return: the result of L{render}.
        """
        # Clients wait longer after a lost connection than after a refusal.
        request.loseConnection()
        return NOT_DONE_YET

    def _respond(
        self, request: Request, route: Route, query: bytes, body: bytes
    ) -> int | bytes:
        """
        Handle a command.

        @return: the result of L{render}.
        """
        raise NotImplementedError

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        """
        Return the receiver of an upload
        (L{StreamedRequests.expect<txwebqq.server.streamed.StreamedRequests.expect>}).
        """
        raise NotImplementedError

    def _upload(self, request: Request) -> int | bytes | None:
        """
        Handle a C{POST} if it is an upload.

        @return: L{None} for other requests.
        """
        raise NotImplementedError

    def _download(self, request: Request, path: bytes, query: bytes) -> int | bytes:
        """
        Reply to a request for a file.

        @return: the result of L{render}.
        """
        raise NotImplementedError

    def _find(self, request: Request) -> tuple[Route, bytes] | int | bytes:
        """
        Find the route of a request, or reply to it if it has none.

        @return: the route and the query, or the result of L{render}.
        """
        path, query = targetOf(request.uri)
        if request.method not in (b"GET", b"POST"):
            request.setHeader(b"allow", b"GET, POST")
            body = refuse(request, Refusal(UNKNOWN_PATH, "not GET or POST"), 405)
            # Twisted logs a request of HEAD whose reply has a body.
            return b"" if request.method == b"HEAD" else body
        if self._signup is not None and path == PATH:
            return self._signup.render(request, HTTPExchange(request, self._proxies))
        if request.method == b"POST":
            streamed = self._upload(request)
            if streamed is not None:
                return streamed
        elif isDownload(path, query):
            return self._download(request, path, query)
        route = self._routes.get(path)
        if route is None:
            page = constantPage(request, path)
            if page is None and self._page is not None:
                page = self._page.render(request, path)
            if page is None:
                exchange = HTTPExchange(request, self._proxies)
                page = self._unknownPaths.refuse(request, path, exchange.address)
            return page
        return route, query

    def _refuseMalformed(
        self, route: Route, exchange: HTTPExchange, reason: str
    ) -> Any:
        """
        Return the refusal of a request with wrong fields, and log it.
        """
        self._refusals.refused(route.command.path.encode(), exchange.address, reason)
        if route.command is Login:
            return LoginReply(7, message=MALFORMED)
        return Refusal(MALFORMED_FIELDS, reason)

    def _reply(
        self,
        request: Request,
        exchange: HTTPExchange,
        command: type[Command[Any]],
        reply: Any,
    ) -> int | bytes:
        if isinstance(reply, HeldReply):
            return holdReply(request, exchange, command, reply, self._send)
        if not isinstance(reply, Deferred):
            self._send(request, exchange, command, reply)
            return NOT_DONE_YET
        reply.addCallbacks(
            self._cbAnswered, _ebAbandoned, callbackArgs=(request, exchange, command)
        )
        reply.addErrback(self._ebNotWritten, command)
        if not reply.called:
            request.notifyFinish().addErrback(lambda _: reply.cancel())
        return NOT_DONE_YET

    def _cbAnswered(
        self,
        reply: Any,
        request: Request,
        exchange: HTTPExchange,
        command: type[Command[Any]],
    ) -> None:
        self._send(request, exchange, command, reply)

    def _ebNotWritten(self, failure: Failure, command: type[Command[Any]]) -> None:
        self._log.failure(
            "The reply of {path} could not be written.", failure, path=command.path
        )


def holdReply(
    request: Request,
    exchange: HTTPExchange,
    command: type[Command[Any]],
    reply: HeldReply,
    send: Sender,
) -> int:
    """
    Have a request wait for its reply.

    @return: the result of L{CommandResource.render}.
    """
    reply.hold(request, exchange, command, send)
    watchRequest(request, reply)
    return NOT_DONE_YET


def watchRequest(request: Request, reply: HeldReply) -> None:
    """
    Tell a reply when the client disconnects.
    """
    if isinstance(request, WebQQRequest):
        request.hold(reply)
    else:
        request.notifyFinish().addErrback(lambda _: reply.lost())


def _ebAbandoned(failure: Failure) -> None:
    # The client has disconnected, so there is nobody to reply to.
    failure.trap(CancelledError)
