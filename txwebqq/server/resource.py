"""
The HTTP side of a WebQQ server: one resource for all hosts.

The path of a request alone determines its command, so that clients which request
Tencent's hosts through a proxy are served as well.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from txwebqq.errors import MalformedReply
from txwebqq.server.api.contacts import ContactsAPI
from txwebqq.server.api.discussions import DiscussionsAPI
from txwebqq.server.api.filetransfers import FileTransfersAPI
from txwebqq.server.api.friends import FriendsAPI
from txwebqq.server.api.groupadmin import GroupAdminAPI
from txwebqq.server.api.groupmember import GroupMemberAPI
from txwebqq.server.api.groups import GroupsAPI
from txwebqq.server.api.history import HistoryAPI
from txwebqq.server.api.interaction import InteractionAPI
from txwebqq.server.api.messages import MessagesAPI
from txwebqq.server.api.offlinefiles import GroupFilesAPI, OfflineFilesAPI
from txwebqq.server.api.pictures import PicturesAPI
from txwebqq.server.api.profiles import ProfilesAPI
from txwebqq.server.api.settings import SettingsAPI
from txwebqq.server.api.signon import MALFORMED, SignOnAPI
from txwebqq.server.api.temporary import TemporaryChatAPI
from txwebqq.server.domain.discussions import DiscussionRules
from txwebqq.server.domain.files.offline import GroupFiles, OfflineFiles
from txwebqq.server.domain.files.transfers import Transfers
from txwebqq.server.domain.friends import FriendRules
from txwebqq.server.domain.groupmembers import GroupMemberSettings
from txwebqq.server.domain.groups import GroupRules
from txwebqq.server.domain.interaction.mutes import MuteRules
from txwebqq.server.domain.interaction.reactions import ReactionRules
from txwebqq.server.domain.interaction.readmarkers import ReadMarkerRules
from txwebqq.server.domain.interaction.recalls import RecallRules
from txwebqq.server.domain.messaging import MessageRules
from txwebqq.server.domain.pictures import PictureRules
from txwebqq.server.domain.state import ServerState
from txwebqq.server.domain.temporary import TemporaryChatRules
from txwebqq.server.http.authorization import (
    FINDERS,
    CallerFinder,
    unauthorizedReply,
)
from txwebqq.server.http.connections import WatchedSite
from txwebqq.server.http.downloads import Downloads, refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.filerelay import FileRelays
from txwebqq.server.http.handlers import Handler, HeldReply, Sender, handlersOf
from txwebqq.server.http.longpoll import LongPoll
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.http.refusallog import RefusalLog
from txwebqq.server.http.replies import constantPage, sendReply
from txwebqq.server.http.signup import PATH, SignUpPage
from txwebqq.server.http.unknownpaths import UNKNOWN_PATH, UnknownPaths
from txwebqq.server.http.uploads import UploadStore
from txwebqq.server.limits import DEFAULT_LIMITS as CONNECTION_LIMITS
from txwebqq.server.limits import AddressLimits, ConnectionLimits
from txwebqq.server.page.files import PageFiles
from txwebqq.server.request import MAX_BODY, TOO_LARGE, Upload, WebQQRequest, targetOf
from txwebqq.server.sessions.session import EndedSession
from txwebqq.server.sessions.sessions import Random
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.streamed import STREAMED, StreamedRequests, isDownload
from txwebqq.server.uploadquotas import FileLimits, UploadQuotas
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.commands.signon import Login, LoginReply
from txwebqq.wire.form import Form

POLL_TIMEOUT = 50.0
"""Default time for which a poll is held, in seconds."""

DEFAULT_LIMITS = FileLimits()

IDLE_TIMEOUT = 180
"""Time after which an idle connection is closed, in seconds: longer than the interval
between the heartbeats of clients."""

SWEEP = 15.0
"""Interval between checks for lapsed sessions, in seconds."""

CLEAN = 3600.0
"""Interval between deletions of expired files, in seconds."""

MALFORMED_FIELDS = 100003

NOT_STORED = Refusal(100000, "the message could not be stored")


@dataclass(frozen=True, slots=True)
class Route:
    """
    The handling of the requests at a path.
    """

    command: type[Command[Any]]
    findCaller: CallerFinder
    handler: Handler


class StoredReply(HeldReply):
    """
    A reply that is given after the events that the request has caused are in the
    database, and have been given to the polls of their recipients.
    """

    __slots__ = ("_reply",)

    def __init__(self, reply: Any) -> None:
        super().__init__()
        self._reply = reply

    def stored(self, isStored: bool) -> None:
        """
        Give the reply, or a refusal if the database has failed.
        """
        self.give(self._reply if isStored else NOT_STORED)


class WebQQResource(Resource):
    """
    The resource of all paths of a server.

    @param draw: renders the image of a captcha from its text; without it there are no
        captchas.
    @param pollTimeout: the time for which a poll is held, in seconds.
    @param folder: the folder of pictures and files; L{None} for a temporary one.
    @param limits: the maximum sizes of pictures and files.
    @param proxies: the addresses of proxies whose C{X-Forwarded-For} is trusted.
    @param signup: the sign-up page, L{None} for none.
    @param page: the chat page, L{None} for none.
    @param connections: the limits of connections and requests.
    @param send: writes the replies to commands.
    @param makeRequest: makes the requests of connections.

    @ivar handlers: the handlers of all commands.
    @ivar plainPaths: the paths of requests that are no uploads.
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
        page: PageFiles | None = None,
        connections: ConnectionLimits = CONNECTION_LIMITS,
        send: Sender = sendReply,
        makeRequest: Callable[..., WebQQRequest] = WebQQRequest,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        now = clock.seconds
        random = random or SystemRandom()
        self._state = state
        self._sessions = state.sessions
        self._router = state.router
        self._clock = clock
        self._send = send
        self._makeRequest = makeRequest
        self._proxies = proxies
        self._signup = signup
        self._page = page
        self._addresses = AddressLimits(now, connections, proxies)
        self._sweeping: IDelayedCall | None = None
        self._stopped = False
        self._cleanAt = 0.0
        self._blobs = BlobStore(folder)
        self._quotas = quotas = UploadQuotas(state.store.media, now, limits)
        uploads = UploadStore(state.sessions, self._blobs, quotas)
        self._offlineFiles = OfflineFiles(state, now, random, limits)
        transfers = Transfers(state, random)
        self._relays = FileRelays(transfers, clock, limits.online)
        self._longPoll = LongPoll(state, clock, pollTimeout)
        self._history = HistoryAPI(state, ReadMarkerRules(state), clock)
        downloads = Downloads(self._blobs, clock, random)
        pictures = PictureRules(state, now, random)
        messageRules = MessageRules(state, pictures)
        discussionRules = DiscussionRules(state, pictures)
        groupRules = GroupRules(state, now)
        groupSettings = GroupMemberSettings(state, groupRules)
        friendRules = FriendRules(state, now, random)
        self.handlers: dict[type[Command[Any]], Callable[..., Any]] = {}
        for api in (
            SignOnAPI(state, now, random, draw),
            self._longPoll,
            MessagesAPI(state, messageRules),
            InteractionAPI(
                RecallRules(state), MuteRules(state, groupRules), ReactionRules(state)
            ),
            PicturesAPI(pictures, self._blobs, downloads),
            OfflineFilesAPI(self._offlineFiles, pictures, downloads),
            GroupFilesAPI(GroupFiles(state, now, random), downloads),
            FileTransfersAPI(transfers, self._relays),
            ContactsAPI(state, now),
            ProfilesAPI(state, friendRules, now),
            FriendsAPI(state, friendRules),
            self._history,
            SettingsAPI(state),
            GroupsAPI(state, groupRules, messageRules),
            GroupMemberAPI(groupSettings, discussionRules),
            GroupAdminAPI(groupRules),
            DiscussionsAPI(state, discussionRules),
            TemporaryChatAPI(state, TemporaryChatRules(state, random)),
        ):
            self.handlers.update(handlersOf(api))
        self._streamed = StreamedRequests(uploads, self.handlers, limits, proxies)
        self._routes = {
            path.encode(): Route(command, FINDERS[command.authorization], handler)
            for command, handler in self.handlers.items()
            if command not in STREAMED
            for path in (command.path, *command.aliases)
        }
        self.plainPaths = self._routes.keys()
        self._refusals = RefusalLog(self._log, now)
        self._unknownPaths = UnknownPaths(
            (*self._routes, *self._streamed.paths), self._refusals
        )
        # Sessions of an earlier run lapse as well.
        self._scheduleSweep()

    def setLimits(
        self, connections: ConnectionLimits, files: FileLimits, pollTimeout: float
    ) -> None:
        """
        Change the limits.
        """
        total = self._addresses.limits.total
        self._addresses.setLimits(replace(connections, total=total))
        self._quotas.limits = self._offlineFiles.limits = files
        self._streamed.setLimits(files)
        self._longPoll.setTimeout(pollTimeout)

    def site(self) -> Site:
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

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        return f"{self._sessions.onlineCount} accounts online"

    def stop(self) -> None:
        """
        Answer all held polls, abort all file transfers, and leave nothing on the clock.
        Later requests get no reply.
        """
        self._stopped = True
        self._relays.stop()
        self._blobs.close()
        self._longPoll.stop()
        self._history.stop()
        self._state.storeTime()
        sweeping, self._sweeping = self._sweeping, None
        if sweeping is not None:
            sweeping.cancel()

    def render(self, request: Request) -> int | bytes:
        if self._stopped:
            # Clients wait longer after a lost connection than after a refusal.
            request.loseConnection()
            return NOT_DONE_YET
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
        exchange = HTTPExchange(request, self._proxies)
        serial = self._router.lastSerial
        try:
            reply = self._handle(route, exchange, query, body)
        except Exception as e:
            self._state.onError(
                "The handler of {path} failed: {reason}; the reply is 500.",
                path=route.command.path,
                reason=str(e),
            )
            return refuse(request, Refusal(UNKNOWN_PATH, "a fault of the server"), 500)
        if self._sweeping is None:
            self._scheduleSweep()
        if not isinstance(reply, (HeldReply, Deferred)) and self._router.hasDeliveries(
            serial
        ):
            reply = StoredReply(reply)
            self._router.whenStored(reply.stored)
        return self._reply(request, exchange, route.command, reply)

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
            return self._streamed.download(request, path, query)
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

    def _handle(
        self, route: Route, exchange: HTTPExchange, query: bytes, body: bytes
    ) -> Any:
        try:
            command = route.command.decodeFields(Form.parse(query, body))
            caller = route.findCaller(self._sessions, command, exchange)
            if isinstance(caller, EndedSession):
                if route.command is Poll2:
                    return self._longPoll.refuse(caller)
                return unauthorizedReply(command, caller)
            return route.handler(command, caller, exchange)
        except MalformedReply as e:
            reason = str(e)
            path = route.command.path.encode()
            self._refusals.refused(path, exchange.address, reason)
            return self._refuseMalformed(route, reason)

    def _refuseMalformed(self, route: Route, reason: str) -> Any:
        refusal = Refusal(MALFORMED_FIELDS, reason)
        if route.command is Login:
            return LoginReply(7, message=MALFORMED)
        if route.command is Poll2:
            return self._longPoll.delay(refusal)
        return refusal

    def _reply(
        self,
        request: Request,
        exchange: HTTPExchange,
        command: type[Command[Any]],
        reply: Any,
    ) -> int | bytes:
        if isinstance(reply, HeldReply):
            reply.hold(request, exchange, command, self._send)
            if isinstance(request, WebQQRequest):
                request.hold(reply)
            else:
                held = reply
                request.notifyFinish().addErrback(lambda _: held.lost())
            return NOT_DONE_YET
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

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        """
        Return the receiver of an upload (L{StreamedRequests.expect}).
        """
        if self._stopped:
            return None
        return self._streamed.expect(request, uri, length, source)

    def _upload(self, request: Request) -> int | bytes | None:
        """
        Handle a C{POST} if it is an upload.

        @return: L{None} for other requests.
        """
        exchange = HTTPExchange(request, self._proxies)
        received = self._streamed.receive(request, exchange)
        if not isinstance(received, tuple):
            return received
        command, reply = received
        if self._sweeping is None:
            self._scheduleSweep()
        if isinstance(reply, Deferred):
            reply.addCallback(self._cbUploaded)
        return self._reply(request, exchange, command, reply)

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

    def _scheduleSweep(self) -> None:
        if self._sessions.hasTimers:
            self._sweeping = self._clock.callLater(SWEEP, self._cbSweep)

    def _cbSweep(self) -> None:
        self._sweeping = None
        self._state.sweep()
        if self._clock.seconds() >= self._cleanAt:
            self._cleanAt = self._clock.seconds() + CLEAN
            self._removeExpired()
        self._scheduleSweep()

    def _removeExpired(self) -> None:
        try:
            self._blobs.remove(self._offlineFiles.expire())
        except (sqlite3.Error, OSError) as e:
            self._state.onError(
                "Deleting expired files failed: {reason}; trying again in an hour.",
                reason=str(e),
            )


def _ebAbandoned(failure: Failure) -> None:
    # The client has disconnected, so there is nobody to reply to.
    failure.trap(CancelledError)
