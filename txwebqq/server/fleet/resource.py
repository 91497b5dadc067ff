"""
The HTTP side of a server of several processes: requests are handled by workers, and
their replies are written when they are committed.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.server import Request

from txwebqq.errors import MalformedReply
from txwebqq.server.commandresource import (
    FAULT,
    CommandResource,
    ResourceOptions,
    Route,
    holdReply,
)
from txwebqq.server.domain.refusals import NO_SUCH_ID
from txwebqq.server.fleet.exchange import (
    AWAY,
    PATIENCE,
    FleetExchange,
    InThread,
    PendingReply,
)
from txwebqq.server.fleet.polls import FleetPolls
from txwebqq.server.fleet.signup import FleetSignUp
from txwebqq.server.fleet.uploads import (
    NO_TRANSFERS,
    Abandoned,
    FleetUploadRequests,
    FleetUploads,
)
from txwebqq.server.fleet.worker import Backend, Job, Outcome, Worker
from txwebqq.server.http.authorization import FINDERS, unauthorizedReply
from txwebqq.server.http.downloads import FileSender, refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import Sender
from txwebqq.server.http.longpoll import NOTHING
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.http.signup import SignUpPage
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.limits import ConnectionLimits
from txwebqq.server.request import Upload, targetOf
from txwebqq.server.sessions.session import EndedSession
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.streamed import decodeDownload
from txwebqq.server.uploadquotas import FileLimits
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands import (
    contacts,
    discussions,
    history,
    messages,
    offlinefiles,
    pictures,
    profiles,
    signon,
    temporary,
)
from txwebqq.wire.commands.filetransfers import ReceiveFile
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.commands.offlinefiles import GroupFileDownload, OfflineFileDownload
from txwebqq.wire.commands.signon import Login, LoginReply
from txwebqq.wire.form import Form

BUSY = "系统繁忙，请稍后再试。"

STOPPING = Refusal(100000, "the server stops: send the request again")
"""The reply to requests that come after the beginning of the end."""

READS: frozenset[type[Command[Any]]] = frozenset(
    {
        signon.LoginPage,
        signon.CheckSig,
        contacts.GetUserFriends2,
        contacts.GetGroupNameListMask2,
        messages.GetOnlineBuddies2,
        contacts.GetGroupInfoExt2,
        contacts.GetFriendUin2,
        history.GetHistory2,
        messages.GetSent2,
        contacts.GetFriendInfo2,
        profiles.GetSelfInfo2,
        profiles.GetSingleLongNick2,
        profiles.GetQQLevel2,
        profiles.GetRecentList2,
        discussions.GetDiscuListNew2,
        discussions.GetDiscuInfo,
        offlinefiles.ApplyOfflinePicDl2,
        offlinefiles.GetGroupFileList2,
        offlinefiles.GetOffpic2,
        GroupFileDownload,
        OfflineFileDownload,
        pictures.GetCface2,
        pictures.GetFace,
        pictures.GetGfaceSig2,
        pictures.GetGroupPic,
        pictures.GetImage2,
    }
)
"""The commands that change nothing that another process decides by."""

UNORDERED: frozenset[type[Command[Any]]] = frozenset(
    {
        # The drawing takes some 5 ms of a processor.
        signon.GetImage,
        messages.SendBuddyMsg2,
        messages.SendQunMsg2,
        discussions.SendDiscuMsg2,
        temporary.SendSessMsg2,
    }
)
"""The commands that wait for other processes, and have these wait, only when a message
is accepted."""


class _Malformed:
    def __init__(self, reason: str) -> None:
        self.reason = reason


class _Request:
    """
    A request that a worker handles.
    """

    def __init__(
        self,
        resource: FleetResource,
        route: Route,
        command: Any,
        exchange: HTTPExchange,
        reply: PendingReply,
    ) -> None:
        self.resource = resource
        self.route = route
        self.command = command
        self.reply = reply
        self.worker: Worker | None = None
        self._source = FleetExchange(exchange)
        self._exchange = exchange

    def run(self, backend: Backend) -> Any:
        route, state = self.route, backend.state
        if self.reply.isAborted:
            # The client may have sent it again.
            return None
        if route.command not in READS and route.command not in UNORDERED:
            state.order()
        # A repetition must not set the headers twice.
        self._exchange = exchange = FleetExchange(self._source)
        try:
            caller = route.findCaller(state.sessions, self.command, exchange)
            if isinstance(caller, EndedSession):
                return unauthorizedReply(self.command, caller)
            handler = backend.handlers.byCommand[route.command]
            return handler(self.command, caller, exchange)
        except MalformedReply as e:
            return _Malformed(str(e))

    def done(self, result: Any) -> None:
        if isinstance(result, _Malformed):
            result = self.resource.malformed(self.route, self._source, result.reason)
        self.resource.answered(self)
        self.reply.giveOf(self._exchange, result)

    def failed(self, outcome: Outcome) -> None:
        self.resource.answered(self)
        if outcome is Outcome.FAILED:
            self._source.status = 500
            self.reply.giveOf(self._source, FAULT)
        elif outcome is Outcome.NOT_DONE:
            self.refuse()
        else:
            self.reply.abort()

    def refuse(self) -> None:
        """
        Tell the client that the request was not handled.
        """
        self.reply.giveOf(self._source, _refusal(self.route, AWAY))


class FleetResource(CommandResource):
    """
    The resource of one of several processes.

    @param handlers: has the commands that are handled.
    @param reading: the worker of requests that change nothing.
    @param writing: the worker of the others.
    @param blobs: the folder of pictures and files.
    @param limits: the limits of uploads.
    @param signUpPage: the sign-up page, L{None} for none.
    """

    def __init__(
        self,
        clock: IReactorTime,
        options: ResourceOptions,
        handlers: dict[type[Command[Any]], Any],
        polls: FleetPolls,
        reading: Worker,
        writing: Worker,
        blobs: BlobStore,
        limits: FileLimits,
        inThread: InThread,
        signUpPage: SignUpPage | None = None,
    ) -> None:
        super().__init__(clock, options)
        if signUpPage is not None:
            self._signup = FleetSignUp(signUpPage, self._begin, self._answered)
        self._polls = polls
        self._reading = reading
        self._writing = writing
        self._open = TimeoutQueue[PendingReply](clock, PATIENCE, self._cbExpired)
        self._files = FileSender(blobs, self._delivered)
        uploads = FleetUploads(clock, blobs, limits, reading, writing, inThread)
        self._uploads = FleetUploadRequests(uploads, limits, options.proxies)
        self._setHandlers({**handlers, Poll2: self._noHandler}, self._uploads.paths)

    def _noHandler(self, *arguments: Any) -> Any:
        raise NotImplementedError("polls are not handled by workers")

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        return f"{self._polls.count} polls held"

    def setLimits(
        self, connections: ConnectionLimits, files: FileLimits, pollTimeout: float
    ) -> None:
        """
        Change the limits.
        """
        self.setConnectionLimits(connections)
        self._uploads.setLimits(files)
        self._polls.longPoll.setTimeout(pollTimeout)

    def stop(self) -> None:
        """
        Answer all held polls. Later requests are refused: their clients go to another
        process.
        """
        self._stopped = True
        self._polls.longPoll.stop()

    def _renderStopped(self, request: Request) -> int | bytes:
        path, _ = targetOf(request.uri)
        route = self._routes.get(path)
        if route is None:
            return refuse(request, STOPPING, 503)
        exchange = HTTPExchange(request, self._proxies)
        if route.command is Poll2:
            return self._reply(request, exchange, Poll2, NOTHING)
        return self._reply(request, exchange, route.command, _refusal(route, STOPPING))

    def stopped(self) -> None:
        """
        Be told that the workers have ended.
        """
        self._uploads.stopped()
        for reply in self._open.clear():
            reply.abort()

    def _respond(
        self, request: Request, route: Route, query: bytes, body: bytes
    ) -> int | bytes:
        exchange = HTTPExchange(request, self._proxies)
        reply: Any
        try:
            command = route.command.decodeFields(Form.parse(query, body))
        except MalformedReply as e:
            reply = self._refuseMalformed(route, exchange, str(e))
            if route.command is Poll2:
                reply = self._polls.longPoll.delay(reply)
            return self._reply(request, exchange, route.command, reply)
        if route.command is Poll2:
            poll: Any = command
            reply = self._polls.poll2(poll, exchange)
            return self._reply(request, exchange, route.command, reply)
        return self._submit(request, exchange, route, command, self._send)

    def _submit(
        self,
        request: Request,
        exchange: HTTPExchange,
        route: Route,
        command: Any,
        send: Sender,
    ) -> int:
        pending = PendingReply()
        pending.work = _Request(self, route, command, exchange, pending)
        rendered = holdReply(request, exchange, route.command, pending, send)
        self._begin(pending, self._reading if route.command in READS else None)
        return rendered

    def _begin(self, reply: PendingReply, worker: Worker | None = None) -> None:
        """
        Have the work of a reply done.

        @param worker: does it, L{None} for the worker of writes.
        """
        work = reply.work
        assert work is not None
        work.worker = worker or self._writing
        self._open.add(reply)
        work.worker.submit(work)

    def malformed(self, route: Route, exchange: HTTPExchange, reason: str) -> Any:
        """
        Return the refusal of a request with wrong fields, and log it.
        """
        return self._refuseMalformed(route, exchange, reason)

    def answered(self, work: _Request) -> None:
        """
        Be told that a request has a reply.
        """
        self._answered(work.reply)

    def _answered(self, reply: PendingReply) -> None:
        self._open.discard(reply)

    def _cbExpired(self, reply: PendingReply) -> None:
        work = reply.work
        assert work is not None
        assert work.worker is not None
        if work.worker.withdraw(work):
            work.refuse()
        elif work.worker.delay and not reply.isLate:
            # Its statement is ended soon, and the client can be told so.
            reply.isLate = True
            self._open.add(reply)
        else:
            reply.abort()

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        if self._stopped:
            return None
        return self._uploads.expect(request, uri, length, source)

    def _upload(self, request: Request) -> int | bytes | None:
        exchange = self._uploads.exchangeOf(request)
        received = self._uploads.receive(request, exchange)
        if not isinstance(received, tuple):
            return received
        command, reply = received
        pending = PendingReply()
        rendered = holdReply(request, exchange, command, pending, self._send)
        if isinstance(reply, Deferred):
            reply.addCallbacks(pending.give, self._ebUploaded, errbackArgs=(pending,))
        else:
            pending.give(reply)
        return rendered

    def _ebUploaded(self, failure: Failure, pending: PendingReply) -> None:
        pending.abort()
        if failure.check(Abandoned) is None:
            self._log.failure("An upload could not be handled.", failure)

    def _download(self, request: Request, path: bytes, query: bytes) -> int | bytes:
        try:
            command = decodeDownload(path, query)
        except MalformedReply as e:
            return refuse(request, Refusal(NO_SUCH_ID, str(e)))
        if isinstance(command, ReceiveFile):
            return refuse(request, NO_TRANSFERS)
        kind = type(command)
        route = Route(kind, FINDERS[kind.authorization], self._noHandler)
        exchange = HTTPExchange(request, self._proxies)
        return self._submit(request, exchange, route, command, self._files.send)

    def _delivered(self, key: str) -> None:
        """
        Have the sender of an offline file told that it was fetched.
        """
        self._writing.submit(
            Job(lambda backend: backend.handlers.offlineFiles.markFetched(key))
        )


def _refusal(route: Route, refusal: Refusal) -> Any:
    isLogin = issubclass(route.command, Login)
    return LoginReply(7, message=BUSY) if isLogin else refusal
