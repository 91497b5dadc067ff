"""
The HTTP side of a server of several processes: requests are handled by workers, and
their replies are written when they are committed.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from txwebqq.errors import MalformedReply
from txwebqq.server.commandresource import (
    FAULT,
    CommandResource,
    ResourceOptions,
    Route,
)
from txwebqq.server.fleet.polls import FleetPolls
from txwebqq.server.fleet.worker import Backend, Outcome, Worker
from txwebqq.server.http.authorization import unauthorizedReply
from txwebqq.server.http.downloads import refuse
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.handlers import HeldReply
from txwebqq.server.http.multipart import PausableSource
from txwebqq.server.http.timeouts import TimeoutQueue
from txwebqq.server.request import Upload
from txwebqq.server.sessions.session import EndedSession, Session
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands import (
    contacts,
    discussions,
    history,
    messages,
    profiles,
    signon,
    temporary,
)
from txwebqq.wire.commands.messages import Poll2
from txwebqq.wire.commands.signon import Login, LoginReply
from txwebqq.wire.form import Form

PATIENCE = 15.0
"""Time within which a request is handled, in seconds; then it is refused."""

BUSY = "系统繁忙，请稍后再试。"

AWAY = Refusal(100000, "the database is away: send the request again later")

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
    }
)
"""The commands that change nothing that another process decides by."""

SENDS: frozenset[type[Command[Any]]] = frozenset(
    {
        messages.SendBuddyMsg2,
        messages.SendQunMsg2,
        discussions.SendDiscuMsg2,
        temporary.SendSessMsg2,
    }
)
"""The commands that wait for other processes only when a message is accepted."""


class FleetExchange(HTTPExchange):
    """
    An exchange that is used in another thread, while the client may disconnect.
    """

    __slots__ = ("_address", "_base", "_local")

    def __init__(self, exchange: HTTPExchange) -> None:
        super().__init__(exchange._request, exchange._proxies)
        self._address = exchange.address
        self._base = exchange.base
        self._local = exchange.local

    @property
    def address(self) -> str:
        return self._address

    @property
    def base(self) -> str:
        return self._base

    @property
    def local(self) -> tuple[str, int]:
        return self._local

    def isLive(self) -> bool:
        return True

    def hasArrived(self, session: Session) -> bool:
        return True


class _Malformed:
    def __init__(self, reason: str) -> None:
        self.reason = reason


class PendingReply(HeldReply):
    """
    A reply to a request that a worker handles.
    """

    __slots__ = ("work",)

    def __init__(self) -> None:
        super().__init__()
        self.work: _Request | None = None

    def giveOf(self, exchange: HTTPExchange, reply: Any) -> None:
        """
        Give the reply, with the headers of an exchange.
        """
        self._exchange = exchange
        self.give(reply)

    def abort(self) -> None:
        """
        Close the connection without a reply, because the request may have been
        handled.
        """
        request, self._request = self._request, None
        if request is not None:
            request.loseConnection()


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
        if route.command not in READS and route.command not in SENDS:
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
        isLogin = issubclass(self.route.command, Login)
        reply = LoginReply(7, message=BUSY) if isLogin else AWAY
        self.reply.giveOf(self._source, reply)


class FleetResource(CommandResource):
    """
    The resource of one of several processes.

    @param handlers: has the commands that are handled.
    @param reading: the worker of requests that change nothing.
    @param writing: the worker of the others.
    """

    def __init__(
        self,
        clock: IReactorTime,
        options: ResourceOptions,
        handlers: dict[type[Command[Any]], Any],
        polls: FleetPolls,
        reading: Worker,
        writing: Worker,
    ) -> None:
        super().__init__(clock, options)
        self._polls = polls
        self._reading = reading
        self._writing = writing
        self._open = TimeoutQueue[PendingReply](clock, PATIENCE, self._cbExpired)
        self._setHandlers({**handlers, Poll2: self._noHandler}, ())

    def _noHandler(self, *arguments: Any) -> Any:
        raise NotImplementedError("polls are not handled by workers")

    def status(self) -> str:
        """
        Tell in one line how the server is.
        """
        return f"{self._polls.count} polls held"

    def stop(self) -> None:
        """
        Answer all held polls. Later requests get no reply.
        """
        self._stopped = True
        self._polls.longPoll.stop()

    def stopped(self) -> None:
        """
        Be told that the workers have ended.
        """
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
        pending = PendingReply()
        work = _Request(self, route, command, exchange, pending)
        pending.work = work
        work.worker = self._reading if route.command in READS else self._writing
        rendered = self._reply(request, exchange, route.command, pending)
        self._open.add(pending)
        work.worker.submit(work)
        return rendered

    def malformed(self, route: Route, exchange: HTTPExchange, reason: str) -> Any:
        """
        Return the refusal of a request with wrong fields, and log it.
        """
        return self._refuseMalformed(route, exchange, reason)

    def answered(self, work: _Request) -> None:
        """
        Be told that a request has a reply.
        """
        self._open.discard(work.reply)

    def _cbExpired(self, reply: PendingReply) -> None:
        work = reply.work
        assert work is not None
        assert work.worker is not None
        if work.worker.withdraw(work):
            work.refuse()
        else:
            reply.abort()

    def expect(
        self, request: Request, uri: bytes, length: int | None, source: PausableSource
    ) -> Upload | None:
        return None

    def _upload(self, request: Request) -> int | bytes | None:
        return None

    def _download(self, request: Request, path: bytes, query: bytes) -> int | bytes:
        return refuse(request, Refusal(100000, "not yet"), 404)
