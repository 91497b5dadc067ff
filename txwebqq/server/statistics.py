"""
The counts of a server for its operator.

They cost time only when the option C{--operate} is given: then replies are written,
requests are ended and changes are stored by the classes of this module.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import perf_counter
from typing import Any

from twisted.python.failure import Failure
from twisted.web.server import Request

from txwebqq.model import Sent
from txwebqq.operation.metrics import Histogram, Sample, counter, gauge, histogram
from txwebqq.server.domain.authenticator import LoginFailure
from txwebqq.server.domain.state import ServerState
from txwebqq.server.http.exchange import HTTPExchange
from txwebqq.server.http.replies import sendReply
from txwebqq.server.http.signup import PATH
from txwebqq.server.request import WebQQRequest, targetOf
from txwebqq.server.storage.messages.queue import EventChanges, MessageStore
from txwebqq.server.storage.store import Store
from txwebqq.wire.command import Command, Refusal
from txwebqq.wire.commands.discussions import SendDiscuMsg2
from txwebqq.wire.commands.messages import Poll2, SendBuddyMsg2, SendQunMsg2
from txwebqq.wire.commands.signon import Login2, LoginReply, SessionCredentials
from txwebqq.wire.commands.temporary import SendSessMsg2

SESSIONS = gauge(
    "txwebqq_server_sessions",
    "Sessions of accounts: online, or lapsed since they do not poll.",
    "state",
)
POLLS = gauge("txwebqq_server_polls_held", "Polls that wait for an event.")
MESSAGES = counter(
    "txwebqq_server_messages_accepted_total",
    "Messages whose senders were told that they are accepted, by kind.",
    "kind",
)
REFUSALS = counter(
    "txwebqq_server_refusals_total",
    "Requests that were refused, by the code of the reply (retcode).",
    "code",
)
WAITING = gauge(
    "txwebqq_server_events_waiting",
    "Events in the database that their recipients have not acknowledged.",
)
QUEUED = counter(
    "txwebqq_server_events_queued_total",
    "Events that were stored, once for each recipient.",
)
DELIVERED = counter(
    "txwebqq_server_events_delivered_total",
    "Events that their recipients have acknowledged.",
)
SIGN_ONS = counter(
    "txwebqq_server_sign_ons_total",
    "Sign-ons of clients, by outcome.",
    "outcome",
)
COMMITS = histogram(
    "txwebqq_server_database_commit_seconds",
    "Time of a transaction that stores events and acknowledgements.",
)
FAILURES = counter(
    "txwebqq_server_database_failures_total",
    "Such transactions that have failed.",
)
REQUESTS = counter(
    "txwebqq_server_http_requests_total",
    "HTTP requests, by the class of the path and the status of the reply.",
    "paths",
    "status",
)

BOUNDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5),
)

NOTHING_NEW = 102
"""The code of a poll without an event, which is no refusal."""

MAX_CODES = 64
"""Maximum number of different codes that are counted; others are C{other}."""

LOST = "lost"
"""In the place of the status: the client has disconnected before the reply."""

OTHER = "other"

_KINDS: Mapping[type[Command[Any]], str] = {
    SendBuddyMsg2: "friend",
    SendQunMsg2: "group",
    SendDiscuMsg2: "discussion",
    SendSessMsg2: "temporary",
}

_OUTCOMES = ("signed_on", *(each.name.lower() for each in LoginFailure), "malformed")

_LOGIN_OUTCOMES = {each.value: each.name.lower() for each in LoginFailure}


class TimedMessageStore(MessageStore):
    """
    The queued events, with the time of each write.

    @ivar commits: the times in seconds.
    @ivar queued: events that were stored, by recipient.
    @ivar delivered: events that were acknowledged.
    @ivar failures: writes that have failed.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store.database, store.sessions)
        self.commits = Histogram(BOUNDS)
        self.queued = self.delivered = self.failures = 0

    def write(self, changes: EventChanges) -> None:
        began = perf_counter()
        try:
            super().write(changes)
        except BaseException:
            self.failures += 1
            raise
        self.commits.observe(perf_counter() - began)
        self.queued += len(changes.waiting)
        self.delivered += len(changes.delivered)


class CountedRequest(WebQQRequest):
    """
    A request that is counted by the class of its path and the status of its reply.

    @param statistics: the counts.
    """

    _isCounted = False

    def __init__(
        self, channel: Any, queued: object = False, *, statistics: ServerStatistics
    ) -> None:
        super().__init__(channel, queued)
        self._statistics = statistics

    def reply(self, contentType: bytes, body: bytes) -> None:
        super().reply(contentType, body)
        self._count(self.code)

    def finish(self) -> None:
        self._count(self.code)
        super().finish()

    def connectionLost(self, reason: Failure) -> None:
        self._count(LOST)
        super().connectionLost(reason)

    def _refuse(self, status: bytes, refusal: Refusal) -> None:
        self._count(int(status[:3]))
        super()._refuse(status, refusal)

    def _count(self, status: int | str) -> None:
        if self._isCounted:
            return
        self._isCounted = True
        path = getattr(self, "path", None)
        if path is None:
            # The request was refused, or lost, before it had arrived.
            channel: Any = self.channel
            path = targetOf(getattr(channel, "_path", b""))[0]
        self._statistics.countRequest(path, status)


class ServerStatistics:
    """
    The counts of a server
    (L{Source<txwebqq.operation.metrics.Source>}). The server is ready when it listens
    and its database can be written to.

    @param isListening: whether the server listens at all its endpoints.
    """

    metrics = (
        SESSIONS,
        POLLS,
        MESSAGES,
        REFUSALS,
        WAITING,
        QUEUED,
        DELIVERED,
        SIGN_ONS,
        COMMITS,
        FAILURES,
        REQUESTS,
    )

    def __init__(self, isListening: Callable[[], bool]) -> None:
        self._isListening = isListening
        self._requests: Counter[tuple[str, int | str]] = Counter()
        self._accepted: Counter[type[Command[Any]]] = Counter()
        self._refusals: Counter[int | str] = Counter()
        self._signOns: Counter[str] = Counter()
        self._families: dict[bytes, str] = {PATH: "signup"}
        self._messages: TimedMessageStore | None = None
        self._state: ServerState | None = None
        self._isOpen = False
        self._counters: dict[type, Callable[[type[Command[Any]], Any], None]] = {
            Sent: self._countSent,
            Refusal: self._countRefusal,
            LoginReply: self._countLogin,
            SessionCredentials: self._countSignOn,
        }

    def watchStore(self, store: Store) -> None:
        """
        Have the writes of a database timed. To be called before it is used.
        """
        store.messages = self._messages = TimedMessageStore(store)

    def opened(
        self, state: ServerState | None, commands: Iterable[type[Command[Any]]]
    ) -> None:
        """
        Be told that the server has opened its database.

        @param state: its state, L{None} if others have it.
        @param commands: all commands that it knows.
        """
        self._state = state
        self._isOpen = True
        for command in commands:
            family = "poll" if command is Poll2 else _familyOf(command)
            for path in (command.path, *command.aliases):
                self._families[path.encode()] = family

    def closed(self) -> None:
        """
        Be told that the database will be closed.
        """
        self._state = None
        self._isOpen = False

    def makeRequest(self, channel: Any, queued: object = False) -> CountedRequest:
        """
        Make a request of a connection.
        """
        return CountedRequest(channel, queued, statistics=self)

    def send(
        self,
        request: Request,
        exchange: HTTPExchange,
        command: type[Command[Any]],
        reply: Any,
    ) -> int:
        """
        Count a reply, and write it.

        @return: as L{sendReply}.
        """
        count = self._counters.get(type(reply))
        if count is not None:
            count(command, reply)
        return sendReply(request, exchange, command, reply)

    def countRequest(self, path: bytes, status: int | str) -> None:
        """
        Count a request.

        @param status: the HTTP status of the reply, or L{LOST}.
        """
        self._requests[self._families.get(path, OTHER), status] += 1

    def _countSent(self, command: type[Command[Any]], reply: Sent) -> None:
        self._accepted[command] += 1

    def _countRefusal(self, command: type[Command[Any]], reply: Refusal) -> None:
        code: int | str = reply.retcode
        if code == NOTHING_NEW:
            return
        if code not in self._refusals and len(self._refusals) >= MAX_CODES:
            code = OTHER
        self._refusals[code] += 1
        if command is Login2:
            self._signOns["malformed"] += 1

    def _countLogin(self, command: type[Command[Any]], reply: LoginReply) -> None:
        # After a success the client still has to open the session.
        if reply.code:
            outcome = _LOGIN_OUTCOMES.get(reply.code, "malformed")
            self._signOns[outcome] += 1

    def _countSignOn(self, command: type[Command[Any]], reply: object) -> None:
        self._signOns["signed_on"] += 1

    def samples(self) -> Iterator[Sample]:
        for command, kind in _KINDS.items():
            yield MESSAGES, (kind,), self._accepted[command]
        for code, count in self._refusals.items():
            yield REFUSALS, (str(code),), count
        for outcome in _OUTCOMES:
            yield SIGN_ONS, (outcome,), self._signOns[outcome]
        for (family, status), count in self._requests.items():
            yield REQUESTS, (family, str(status)), count
        messages = self._messages
        if messages is not None:
            yield QUEUED, (), messages.queued
            yield DELIVERED, (), messages.delivered
            yield FAILURES, (), messages.failures
            yield COMMITS, (), messages.commits
        if self._state is not None:
            yield from _samplesOf(self._state)

    def problems(self) -> Iterable[str]:
        state = self._state
        if not self._isOpen:
            yield "the server is not running"
            return
        if not self._isListening():
            yield "the server does not listen yet"
        if state is None or not state.store.database.isFile:
            return
        try:
            state.store.sessions.setTime(int(state.now()))
        except sqlite3.Error as e:
            yield f"the database cannot be written to: {e}"


def _samplesOf(state: ServerState) -> Iterator[Sample]:
    online = lapsed = polls = 0
    for session in state.sessions:
        if session.lapsed:
            lapsed += 1
        else:
            online += 1
        if session.poll is not None:
            polls += 1
    yield SESSIONS, ("online",), online
    yield SESSIONS, ("lapsed",), lapsed
    yield POLLS, (), polls
    try:
        waiting = state.store.database.count("SELECT count(*) FROM waiting")
    except sqlite3.Error:
        # Better without this one than without all of them.
        return
    yield WAITING, (), waiting


def _familyOf(command: type[Command[Any]]) -> str:
    return command.__module__.rpartition(".")[2]
