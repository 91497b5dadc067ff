"""
The state of a running server: sessions, held polls, presence, and the database.

It imports no Twisted, and is given the time. Calls in a session take the
L{Session} that L{ServerState.sessions} has for its ticket.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from txwebqq.model import Number, Status
from txwebqq.ratelimit import LimiterMaker, limitersOf
from txwebqq.server.domain.authenticator import Authenticator, SignOnGuards
from txwebqq.server.domain.history import HistoryRecorder
from txwebqq.server.domain.operatorevents import OperatorEvents
from txwebqq.server.domain.presence import Presence
from txwebqq.server.domain.router import Clock, MessageRouter
from txwebqq.server.records import Population
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.captchas import CaptchaMode
from txwebqq.server.sessions.messageids import MessageIdGenerator
from txwebqq.server.sessions.onlinetime import OnlineTimeTracker
from txwebqq.server.sessions.sendinglimits import SendingLimiter, SendingLimits
from txwebqq.server.sessions.session import UNKNOWN, EndedSession, EndReason, Session
from txwebqq.server.sessions.sessions import FORGET, PendingLogin, Random, Sessions
from txwebqq.server.sessions.storedsessions import fromReplaced, fromStored
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import Store

STORE_TIME = 60
"""Time between two notes in the database that the server is running, in seconds."""

REPLACED_LIFE = 7 * 24 * 3600
"""Time for which the database has a session that another sign-on has replaced, in
seconds: its client may be on a computer that is asleep."""

MAX_REPLACED = 5000
"""Maximum number of such sessions that a later run of the server knows."""


@dataclass(frozen=True, slots=True)
class Joined:
    """
    A session that was opened or resumed, and its new ids.
    """

    session: Session
    psessionid: str = field(repr=False)
    vfwebqq: str = field(repr=False)


class ServerState:
    """
    The parts of a server's state, and the steps of a session that concern
    several of them.

    @param random: the source of ids and secrets.
    @param onError: as in L{MessageRouter}.
    @param captcha: when a login needs a captcha.
    @param captchaText: the text of all captchas, for tests.
    @param sending: the limits of what accounts send, L{None} for none.

    @ivar onError: as the parameter.
    @ivar now: returns the time in Unix seconds.
    @ivar store: the database.
    @ivar makeLimiter: makes the counters of what accounts and addresses do; each name
        is used once.
    @ivar sessions: the sessions, by their ids.
    @ivar messageIds: the ids of new messages.
    @ivar recorder: the history of messages.
    @ivar onlineTime: the time that accounts have been online.
    @ivar router: the way of events to held polls.
    @ivar sendingLimiter: counts what accounts send.
    @ivar presence: the statuses of accounts.
    @ivar authenticator: the checks of logins.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        random: Random,
        onError: Callable[..., object],
        captcha: CaptchaMode = CaptchaMode.NEVER,
        captchaText: str | None = None,
        sending: SendingLimits | None = None,
    ) -> None:
        self.now = clock.seconds
        self.onError = onError
        self.store = store
        self._clock = clock
        self._random = random
        self._dataVersion = -1
        self._timed = 0.0
        self.makeLimiter = self._limiters()
        self.sessions = self._makeSessions()
        self.messageIds = self._makeMessageIds()
        self.recorder = HistoryRecorder(store.history, self.now)
        self.onlineTime = self._makeOnlineTime()
        self.router = self._makeRouter()
        self.sendingLimiter = SendingLimiter(self.makeLimiter, sending)
        self.presence = Presence(store, self.sessions, self.router)
        self.authenticator = Authenticator(
            store, self.sessions, self._makeGuards(captchaText), random, captcha
        )
        self._begin()

    def _makeSessions(self) -> Sessions:
        return Sessions(self.now, self._random)

    def _makeMessageIds(self) -> MessageIdGenerator:
        lastSequence = self.store.history.lastSequence
        return MessageIdGenerator(self.now, self._random, lastSequence)

    def _makeOnlineTime(self) -> OnlineTimeTracker:
        return OnlineTimeTracker(self.store.accounts, self.now)

    def _makeRouter(self) -> MessageRouter:
        return MessageRouter(
            self.store,
            self.sessions,
            self.recorder,
            self.messageIds,
            self._clock,
            self.onError,
        )

    def _makeGuards(self, captchaText: str | None) -> SignOnGuards:
        key = self.makeKey("verify codes")
        return SignOnGuards.inMemory(self.now, key, self._random, captchaText)

    def makeKey(self, name: str) -> Callable[[], bytes]:
        """
        Return a function that returns a secret by which the server recognises what it
        has given to clients.

        @param name: what it is for; each name is used once.
        """
        key = self._random.getrandbits(256).to_bytes(32, "big")
        return lambda: key

    def _limiters(self) -> LimiterMaker:
        return limitersOf(self.now)

    def _begin(self) -> None:
        self._operatorEvents = OperatorEvents(
            self.store.operatorEvents, self.router, self.messageIds
        )
        self._dataVersion = self.store.database.dataVersion
        if self.store.database.isFile:
            self._resumeSessions()
            self.sessions.onChanged = self.router.storeSession
            self.storeTime()

    def _resumeSessions(self) -> None:
        """
        Go on with the sessions of an earlier run of the server.
        """
        accounts = self.store.accounts
        # In one transaction: each account that has come is written.
        with self.store.database.transaction():
            for stored in self.store.sessions.load(int(self.now() - FORGET)):
                firstHash = accounts.firstHash(stored.number)
                session = None if firstHash is None else fromStored(stored, firstHash)
                if session is None or accounts.isDisabled(stored.number):
                    self.router.storeSession(stored.number)
                else:
                    self.sessions.resume(session)
                    if not session.lapsed:
                        self.onlineTime.came(stored.number)
            for each in self.store.sessions.loadReplaced(MAX_REPLACED):
                self.sessions.remember(fromReplaced(each), EndReason.REPLACED)
        # An operator may have ended sessions and changed groups since.
        self._dataVersion = -1
        self.followOperator()

    def merge(self, population: Population) -> None:
        """
        Add the accounts, friendships, groups and discussions that do not exist
        yet.

        @raise InvalidConfiguration: when an account is named that does not
            exist.
        """
        importPopulation(self.store, population)

    def join(
        self, ptwebqq: str, psessionid: str, clientid: str, status: Status
    ) -> Joined | EndedSession:
        """
        Open the session of a sign-on, or resume it. Another session of the
        account is replaced.

        @param psessionid: the ticket of the session to resume, C{""} for none.
        """
        self.followOperator()
        found = self.sessions.bySignOn(ptwebqq)
        if isinstance(found, EndedSession):
            return found
        number = found.number if isinstance(found, Session) else found
        if self.sessions.accountOf(psessionid) not in (None, number):
            return UNKNOWN
        former = self.sessions.byTicket(psessionid)
        if isinstance(former, EndedSession) and former.reason is EndReason.REPLACED:
            # Two clients that share a sign-on would replace each other without
            # end.
            return former
        if isinstance(found, Session) and (psessionid or found.clientid == clientid):
            if not psessionid and found.former is not None and found.former.told:
                # A client that does not name its ticket has polled with it.
                former = found.former
            ended = _endFor(former, found)
            if ended is not None:
                return ended
            if not psessionid:
                found.repeatReply()
            return self._rejoin(found, clientid, status)
        before = self.presence.visibleStatus(number)
        older = self.sessions.existing(number)
        if older is not None:
            self._end(older, EndReason.REPLACED)
        session, psessionid = self.sessions.open(ptwebqq, number, clientid)
        self.onlineTime.came(number)
        session.status = status
        self.presence.announce(number, before, session.visible)
        return Joined(session, psessionid, session.vfwebqq)

    def _rejoin(self, session: Session, clientid: str, status: Status) -> Joined:
        before = session.visible
        self.router.supersede(session)
        session.clientid = clientid
        session.status = status
        psessionid = self.sessions.renew(session)
        self.onlineTime.came(session.number)
        self.presence.announce(session.number, before, session.visible)
        return Joined(session, psessionid, session.vfwebqq)

    def rotate(self, number: Number) -> None:
        """
        Give the session of an account a new C{ptwebqq}, in the reply to its
        next poll (code 116).
        """
        session = self.sessions.online(number)
        if session is not None:
            self.sessions.rotate(session)
            self.router.wake(session)

    def leave(self, session: Session, said: Acknowledgement) -> None:
        """
        Log a session out.

        @param said: the acknowledgement in the logout.
        """
        self.router.acknowledge(session, said)
        self.router.flush()
        before = session.visible
        self._end(session, EndReason.LOGGED_OUT)
        self.presence.announce(session.number, before, Status.OFFLINE)

    def sweep(self) -> None:
        """
        Count online days, end sessions that have not polled for too long, and do what
        L{followOperator} does.

        Must be called every few seconds while L{Sessions.hasTimers}.
        """
        self.followOperator()
        now = self.now()
        if now - self._timed >= STORE_TIME:
            self._timed = now
            self.storeTime()
        self.onlineTime.tick()
        for session in self.sessions.lapse():
            self.onlineTime.went(session.number)
            before = session.status
            if before is not Status.HIDDEN:
                self.presence.announce(session.number, before, Status.OFFLINE)

    def storeTime(self) -> None:
        """
        Store that the server is running, so that a later run knows for how long
        there was none. L{sweep} calls it each L{STORE_TIME}, and the end of the server.
        """
        if self.store.database.isFile:
            # With a full disk, the sessions may not survive the next restart.
            with suppress(sqlite3.Error):
                self.store.sessions.setTime(int(self.now()))
                self.store.sessions.forgetReplaced(int(self.now() - REPLACED_LIFE))

    def followOperator(self) -> None:
        """
        End the sessions and logins of accounts whose password another process has
        changed, or that it has removed, disabled or signed off, and queue the events
        of the groups that it has changed.
        """
        version = self.store.database.dataVersion
        if version == self._dataVersion:
            return
        try:
            accounts = self.store.accounts
            leaving = frozenset(accounts.takeSignOffs() + accounts.disabled())
            self._operatorEvents.take()
        except sqlite3.Error:
            # Another process is still writing.
            return
        self._dataVersion = version

        def isOver(login: Session | PendingLogin) -> bool:
            return login.number in leaving or self._isOutdated(login)

        for session in self.sessions:
            if isOver(session):
                before = session.visible
                self._end(session, EndReason.LOGGED_OUT)
                self.presence.announce(session.number, before, Status.OFFLINE)
        self.sessions.forgetLogins(isOver)

    def _isOutdated(self, login: Session | PendingLogin) -> bool:
        firstHash = login.firstHash
        return bool(firstHash) and firstHash != self.store.accounts.firstHash(
            login.number
        )

    def _end(self, session: Session, reason: EndReason) -> None:
        self.onlineTime.went(session.number)
        self.sessions.end(session, reason)
        if reason is EndReason.REPLACED and self.store.database.isFile:
            self.router.storeReplaced(session)
        self.router.resume(session)


def _endFor(former: Session | EndedSession, session: Session) -> EndedSession | None:
    """
    Check whether a client that relinks is one of two that share a session, such as
    two copies of a browser tab: they would relink by turns without end.

    @param former: the ticket that the client has.

    @return: the end of the session for that client; L{None} if the client may
        relink. A client that repeats a relink because the reply was lost may,
        since nobody uses the newer ticket.
    """
    if not isinstance(former, EndedSession) or former.reason is not EndReason.RELINKED:
        return None
    if session.lapsed or not session.isUsed:
        return None
    former.reason = EndReason.REPLACED
    former.told = False
    return former
