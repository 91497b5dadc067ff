"""
The HTTP side of a WebQQ server: one resource for all hosts.

A question's path alone decides what it is, so that clients which believe that
they talk to one of Tencent's hosts are served as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from txwebqq.errors import MalformedReply
from txwebqq.net.fileproducer import FileProducer, chunksOf
from txwebqq.server.api.contacts import ContactsAPI
from txwebqq.server.api.discussions import DiscussionsAPI
from txwebqq.server.api.filetransfers import FileTransfersAPI
from txwebqq.server.api.friends import FriendsAPI
from txwebqq.server.api.groupadmin import GroupAdminAPI
from txwebqq.server.api.groupmember import GroupMemberAPI
from txwebqq.server.api.groups import GroupsAPI
from txwebqq.server.api.history import HistoryAPI
from txwebqq.server.api.messages import MessagesAPI
from txwebqq.server.api.profiles import ProfilesAPI
from txwebqq.server.api.settings import SettingsAPI
from txwebqq.server.api.signon import MALFORMED, SignOnAPI
from txwebqq.server.api.temporary import TemporaryChatAPI
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.filetransfers import FileLimits
from txwebqq.server.domain.friends import FriendRules
from txwebqq.server.domain.groups import GroupRules
from txwebqq.server.domain.messaging import MessageRules
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.connections import WatchedSite
from txwebqq.server.http.exchange import Exchange, Handler
from txwebqq.server.http.longpoll import LongPoll
from txwebqq.server.http.multipart import MultipartBody, PausableSource
from txwebqq.server.http.pages import HTML, PAGES, SCRIPT, TEXT
from txwebqq.server.http.signup import MAX_FORM, PATH, SignUpPage
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.wire.command import Command, Refusal, encodeRefusal
from txwebqq.wire.commands.history import GetChatLog
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.commands.signon import Check, GetImage, Login, LoginPage, LoginReply
from txwebqq.wire.form import Form

MAX_BODY = 1024 * 1024
"""The bytes that the body of a question may have."""

POLL_TIMEOUT = 50.0

DEFAULT_LIMITS = FileLimits()

IDLE_TIMEOUT = 180
"""How long a connection may be quiet: longer than clients are between two
heartbeats."""

SWEEP = 15.0

UNKNOWN_PATH = 100000
MALFORMED_FIELDS = 100003
TOO_LARGE = 100004

NOT_STORED = Refusal(100000, "the message could not be stored")

_TYPES: dict[type[Command[Any]], bytes] = {
    LoginPage: HTML,
    Check: SCRIPT,
    Login: SCRIPT,
    GetImage: b"image/jpeg",
    GetChatLog: SCRIPT,
}


@dataclass(frozen=True, slots=True)
class Route:
    """
    What happens at a path.
    """

    command: type[Command[Any]]
    handler: Handler
    contentType: bytes


class WebQQResource(Resource):
    """
    A resource that serves a world.

    @param draw: makes the picture of a captcha's text; without it there are
        no captchas.
    @param pollTimeout: the seconds for which a poll is held.
    @param folder: where pictures and files lie; L{None} for a temporary one.
    @param limits: how large they may be.
    @param proxies: whose C{X-Forwarded-For} says where a client is.
    @param signup: where people make accounts, L{None} where they do not.
    """

    isLeaf = True
    _log = Logger()

    def __init__(
        self,
        state: ServerState,
        clock: IReactorTime,
        draw: Callable[[str], bytes] | None = None,
        pollTimeout: float = POLL_TIMEOUT,
        random: Random | None = None,
        folder: Path | None = None,
        limits: FileLimits = DEFAULT_LIMITS,
        proxies: Collection[str] = (),
        signup: SignUpPage | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        random = random or SystemRandom()
        self._state = state
        self._clock = clock
        self._proxies = proxies
        self._signup = signup
        self._media = FileTransfersAPI(state, BlobStore(folder), clock, random, limits)
        self._router = state.router
        self._longPoll = LongPoll(state, clock, pollTimeout)
        self._history = HistoryAPI(state, clock)
        self._sweeping: IDelayedCall | None = None
        self._stopped = False
        self._routes: dict[bytes, Route] = {}
        discussionRules = DiscussionRules(state, random)
        groupRules = GroupRules(state, clock.seconds)
        friendRules = FriendRules(state, clock.seconds, random)
        families = (
            SignOnAPI(state, clock.seconds, random, draw),
            self._longPoll,
            MessagesAPI(state, MessageRules(state, self._media.pictures)),
            self._media,
            ContactsAPI(state, clock.seconds),
            ProfilesAPI(state, friendRules, clock.seconds),
            FriendsAPI(state, friendRules),
            self._history,
            SettingsAPI(state),
            GroupsAPI(state, groupRules),
            GroupMemberAPI(state.sessions, groupRules, discussionRules),
            GroupAdminAPI(state.sessions, groupRules),
            DiscussionsAPI(state, discussionRules, self._media.pictures),
            TemporaryChatAPI(state.sessions, discussionRules),
        )
        for family in families:
            for command, handler in family.handlers().items():
                route = Route(command, handler, _TYPES.get(command, TEXT))
                for path in (command.path, *command.aliases):
                    self._routes[path.encode()] = route

    def site(self) -> Site:
        """
        A factory for connections that are served by this.
        """
        return WatchedSite(  # type: ignore[no-untyped-call]
            self,
            requestFactory=WebQQRequest,
            timeout=IDLE_TIMEOUT,
            reactor=self._clock,
            parsePOSTFormSubmission=False,
        )

    def stop(self) -> None:
        """
        Answer everything that is held, leave nothing on the clock, and answer
        nothing any more.
        """
        self._stopped = True
        self._media.stop()
        self._longPoll.stop()
        self._history.stop()
        sweeping, self._sweeping = self._sweeping, None
        if sweeping is not None:
            sweeping.cancel()

    # ---- questions

    def render(self, request: Request) -> int | bytes:
        """
        Answer one request (L{twisted.web.resource.IResource}).
        """
        if self._stopped:
            # A dropped connection makes clients wait; an answer does not.
            request.loseConnection()
            return NOT_DONE_YET
        path, query = _target(request.uri)
        if request.method not in (b"GET", b"POST"):
            request.setHeader(b"allow", b"GET, POST")
            return _refuse(request, Refusal(UNKNOWN_PATH, "not GET or POST"), 405)
        if self._signup is not None and path == PATH:
            return self._signUp(self._signup, request)
        streamed = (
            self._upload(request)
            if request.method == b"POST"
            else self._media.download(request, path, query)
        )
        if streamed is not None:
            return streamed
        route = self._routes.get(path)
        if route is None:
            return _page(request, path)
        body = request.content.read(MAX_BODY + 1) if request.content else b""
        if len(body) > MAX_BODY:
            return _refuse(request, _TOO_LARGE, 413)
        exchange = Exchange(request, self._proxies)
        try:
            reply = self._ask(route, exchange, query, body)
        except Exception:
            self._log.failure("Could not answer {path}.", path=route.command.path)
            return _refuse(request, Refusal(UNKNOWN_PATH, "a fault of the server"), 500)
        if self._sweeping is None:
            self._scheduleSweep()
        if self._router.hasDeliveries and not isinstance(reply, Deferred):
            reply = self._whenStored(reply)
        return self._reply(request, exchange, route, reply)

    def _signUp(self, signup: SignUpPage, request: Request) -> bytes:
        exchange = Exchange(request, self._proxies)
        if request.method == b"GET":
            page = signup.show(exchange)
        else:
            body = request.content.read(MAX_FORM + 1) if request.content else b""
            page = signup.take(body, exchange)
        request.setResponseCode(page.status)
        for name, value in page.headers:
            request.setHeader(name, value)
        return page.body

    def _reply(
        self, request: Request, exchange: Exchange, route: Route, reply: Any
    ) -> int | bytes:
        if not isinstance(reply, Deferred):
            return _encode(request, exchange, route, reply)
        reply.addCallbacks(
            _write, _ebAbandoned, callbackArgs=(request, exchange, route)
        )
        reply.addErrback(self._ebBroken, request, route)
        if not reply.called:
            request.notifyFinish().addErrback(lambda _: reply.cancel())
        return NOT_DONE_YET

    # ---- uploads

    def expect(
        self, uri: bytes, contentType: bytes, flow: PausableSource
    ) -> tuple[Route, MultipartBody] | None:
        """
        What takes the body of a C{POST} as it comes; L{None} when it is to be
        held until the rest is there.
        """
        path, query = _target(uri)
        expected = self._media.expect(path, query, contentType, flow)
        if expected is None or self._stopped:
            return None
        command, body = expected
        return Route(command, _taken, HTML), body

    def _upload(self, request: Request) -> int | bytes | None:
        """
        Answer a C{POST}, if it is an upload.
        """
        if isinstance(request, WebQQRequest):
            if request.expected is None:
                return None
            exchange = Exchange(request, self._proxies)
            route, body = request.expected
            reply = body.finish(exchange)
        else:
            exchange = Exchange(request, self._proxies)
            content: Any = request.content
            producer = FileProducer(chunksOf(content), content.close)
            kind = request.getHeader(b"content-type") or b""
            expected = self.expect(request.uri, kind, producer)
            if expected is None:
                return None
            route, body = expected
            if content.seek(0, 2) > body.limit:
                return _refuse(request, _TOO_LARGE, 413)
            content.seek(0)
            request.notifyFinish().addErrback(lambda _: body.lost())
            reply = producer.writeTo(body.take).addCallback(
                lambda _: body.finish(exchange)
            )
        if self._sweeping is None:
            self._scheduleSweep()
        if isinstance(reply, Deferred):
            reply.addCallback(self._cbUploaded)
        return self._reply(request, exchange, route, reply)

    def _cbUploaded(self, reply: Any) -> Any:
        return self._whenStored(reply) if self._router.hasRouted else reply

    def _whenStored(self, reply: Any) -> Deferred[Any]:
        """
        Delay a reply until the events that the request has caused are in the
        database, and have been given to the polls of their recipients.
        """
        stored: Deferred[Any] = Deferred()
        self._router.whenStored(
            lambda isStored: stored.callback(reply if isStored else NOT_STORED)
        )
        return stored

    def _ask(self, route: Route, exchange: Exchange, query: bytes, body: bytes) -> Any:
        try:
            command = route.command.decodeFields(Form.parse(query, body))
            return route.handler(command, exchange)
        except MalformedReply as e:
            return self._refuseMalformed(route, str(e))

    def _refuseMalformed(self, route: Route, reason: str) -> Any:
        self._log.info("{path}: {reason}.", path=route.command.path, reason=reason)
        refusal = Refusal(MALFORMED_FIELDS, reason)
        if route.command is Login:
            return LoginReply(7, message=MALFORMED)
        if route.command is Poll2:
            return self._longPoll.delay(refusal)
        return refusal

    def _ebBroken(self, failure: Failure, request: Request, route: Route) -> None:
        self._log.failure(
            "Could not write the answer of {path}.", failure, path=route.command.path
        )

    # ---- time

    def _scheduleSweep(self) -> None:
        if self._state.sessions.hasTimers:
            self._sweeping = self._clock.callLater(SWEEP, self._cbSweep)

    def _cbSweep(self) -> None:
        self._sweeping = None
        self._state.sweep()
        self._media.sweep()
        self._scheduleSweep()


_TOO_LARGE = Refusal(TOO_LARGE, f"the body has more than {MAX_BODY} bytes")


def _target(uri: bytes) -> tuple[bytes, bytes]:
    """
    The path and the query of a request line; clients of a proxy name the host
    there too.
    """
    path, _, query = uri.partition(b"?")
    if not path.startswith(b"/"):
        _, _, rest = path.partition(b"://")
        path = b"/" + rest.partition(b"/")[2]
    return path, query


def _taken(command: Any, exchange: Exchange) -> Any:
    raise AssertionError("uploads are answered by what took them")


def _ebAbandoned(failure: Failure) -> None:
    # The connection is gone, so nobody waits for this answer.
    failure.trap(CancelledError)


def _write(reply: Any, request: Request, exchange: Exchange, route: Route) -> None:
    request.write(_encode(request, exchange, route, reply))
    request.finish()


def _encode(request: Request, exchange: Exchange, route: Route, reply: Any) -> bytes:
    body = route.command.encodeReply(reply)
    headers = request.responseHeaders
    isRefusal = isinstance(reply, Refusal)
    kind = exchange.contentType or route.contentType
    if isRefusal and route.contentType is not HTML:
        kind = TEXT
    headers.setRawHeaders(b"content-type", [kind])
    headers.setRawHeaders(b"content-length", [b"%d" % len(body)])
    for name, value in exchange.headers:
        headers.addRawHeader(name, value)
    if exchange.status is not None:
        request.setResponseCode(exchange.status)
    for line in exchange.setCookies:
        headers.addRawHeader(b"set-cookie", line.encode("latin-1"))
    if exchange.location is not None:
        request.setResponseCode(http.FOUND)
        headers.setRawHeaders(b"location", [exchange.location.encode()])
    return body


def _page(request: Request, path: bytes) -> bytes:
    contentType, body = PAGES.get(path, (TEXT, b""))
    if not body:
        return _refuse(request, Refusal(UNKNOWN_PATH, "no such path"), 200)
    request.setHeader(b"content-type", contentType)
    return body


def _refuse(request: Request, refusal: Refusal, status: int) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", TEXT)
    return encodeRefusal(refusal)


class WebQQRequest(Request):
    """
    A request that is refused as soon as its body is known to be too large.
    """

    expected: tuple[Route, MultipartBody] | None = None
    _received = 0
    _refused = False
    _limit = MAX_BODY

    def gotLength(self, length: int | None) -> None:
        self.expected = self._expect()
        if self.expected is not None:
            self._limit = self.expected[1].limit
        isTooLarge = length is not None and length > self._limit
        # Large bodies go to a temporary file, which these need not.
        announced = 0 if isTooLarge or self.expected is not None else length
        super().gotLength(announced)  # type: ignore[no-untyped-call]
        if isTooLarge:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        if self._refused:
            return
        self._received += len(data)
        if self._received > self._limit:
            self._refuse()
        elif self.expected is not None:
            self.expected[1].take(data)
        else:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._refused:
            super().requestReceived(  # type: ignore[no-untyped-call]
                command, path, version
            )

    def _expect(self) -> tuple[Route, MultipartBody] | None:
        channel: Any = self.channel
        # Twisted tells a request what it is when its body has come.
        if getattr(channel, "_command", b"") != b"POST":
            return None
        server: WebQQResource = channel.site.resource
        kind = self.getHeader(b"content-type") or b""
        return server.expect(channel._path, kind, channel)

    def connectionLost(self, reason: Failure) -> None:
        """
        Whatever has come of an upload is of no use.
        """
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        if self.expected is not None:
            self.expected[1].lost()

    def _refuse(self) -> None:
        self._refused = True
        if self.expected is not None:
            self.expected[1].lost()
        # What has come already lies in a temporary file.
        if self.content is not None:
            self.content.close()
        body = encodeRefusal(_TOO_LARGE)
        self.channel.write(
            b"HTTP/1.1 413 Request Entity Too Large\r\n"
            b"Content-Type: " + TEXT + b"\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        )
        self.channel.loseConnection()
