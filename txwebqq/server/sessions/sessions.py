"""
The sessions of accounts, found by their ids, and the ids of ended sessions.

A session lapses when it has not polled for L{LAPSE} seconds: the account is
then offline, and can resume the session by a relink until the session is
deleted.

Of the ids of a session (C{psessionid}, C{vfwebqq}, C{ptwebqq} and C{skey}), the
database has the SHA-256 only, and so has the memory, but for the C{vfwebqq} and for
a C{ptwebqq} that the next poll is to be told.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.events.sessionids import KEY_BITS, SessionIds
from txwebqq.server.sessions.digests import digestOf
from txwebqq.server.sessions.session import (
    LAPSED,
    UNKNOWN,
    EndedSession,
    EndReason,
    Session,
)

LAPSE = 120.0
"""Time after which a session that does not poll is offline, in seconds."""

FORGET = 3600.0
"""Time for which a lapsed session can be resumed, in seconds."""

SIGN_ON_LIFE = 600.0
"""Time within which a login must be followed by C{login2}, in seconds."""

MAX_PENDING = 20_000
MAX_ENDED = 20_000


class Random(Protocol):
    """
    The methods of L{random.Random} that the server needs.
    """

    def getrandbits(self, k: int, /) -> int: ...

    def randrange(self, start: int, stop: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """
    A login before its C{login2}.

    @ivar until: the time at which the login expires, in Unix seconds.
    @ivar skey: the other cookie of the sign-on.
    @ivar vfwebqq: the C{vfwebqq} that the session will have.
    @ivar firstHash: the MD5 of the password, C{b""} if there was none.
    """

    number: Number
    until: float
    skey: str = field(repr=False)
    vfwebqq: str = field(repr=False)
    firstHash: bytes = field(default=b"", repr=False)


def token(random: Random, digits: int) -> str:
    """
    Return a random secret of hexadecimal digits.
    """
    return f"{random.getrandbits(4 * digits):0{digits}x}"


class Sessions:
    """
    All sessions of a server, by number, ticket, C{vfwebqq} and C{ptwebqq}.

    @ivar onChanged: is called with the account of a session that was opened, has
        changed or has ended, so that it is to be stored again.
    """

    def __init__(self, now: Callable[[], float], random: Random) -> None:
        self._now = now
        self._random = random
        self.onChanged: Callable[[Number], object] = lambda number: None
        self._sessionClass: type[Session] = Session
        self._byNumber: dict[Number, Session] = {}
        self._byTicket: dict[bytes, Session] = {}
        self._byVerifier: dict[bytes, Session] = {}
        self._bySignOn: dict[bytes, Session] = {}
        # Logins before their login2: by ptwebqq, and by skey.
        self._pending: OrderedDict[str, PendingLogin] = OrderedDict()
        self._byKey: dict[str, PendingLogin] = {}
        self._ended: OrderedDict[bytes, EndedSession] = OrderedDict()
        # Sessions without a held poll, and lapsed sessions; both oldest first.
        self._idle: dict[Session, float] = {}
        self._lapsed: dict[Session, float] = {}

    def __len__(self) -> int:
        return len(self._byNumber)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._byNumber.values()))

    def load(self, numbers: Iterable[Number]) -> None:
        """
        Be told of accounts whose sessions are looked up next, so that they can be read
        together.
        """

    def online(self, number: Number) -> Session | None:
        """
        Return the session of an account that is online.
        """
        session = self._byNumber.get(number)
        return None if session is None or session.lapsed else session

    @property
    def onlineCount(self) -> int:
        """
        The number of accounts that are online.
        """
        return len(self._byNumber) - len(self._lapsed)

    def existing(self, number: Number) -> Session | None:
        """
        Return the session of an account, also if it has lapsed.
        """
        return self._byNumber.get(number)

    def byTicket(self, psessionid: str) -> Session | EndedSession:
        """
        Return the session with a ticket, or how it ended.
        """
        ticket = digestOf(psessionid)
        session = self._byTicket.get(ticket)
        if session is None:
            return self._ended.get(ticket, UNKNOWN)
        if session.lapsed:
            return LAPSED
        session.isUsed = True
        return session

    def accountOf(self, psessionid: str) -> Number | None:
        """
        Return the account of a ticket, also of one that is no longer valid; L{None}
        for an unknown one.
        """
        ticket = digestOf(psessionid)
        known = self._byTicket.get(ticket) or self._ended.get(ticket)
        return None if known is None else known.number

    def byVerifier(self, vfwebqq: str) -> Session | EndedSession:
        """
        Return the session with a C{vfwebqq}, or how it ended.
        """
        verifier = digestOf(vfwebqq)
        session = self._byVerifier.get(verifier)
        return self._ended.get(verifier, UNKNOWN) if session is None else session

    def bySignOn(self, ptwebqq: str) -> Session | Number | EndedSession:
        """
        Return the session of a sign-on, the account if the sign-on has no
        session yet, or how the session ended.
        """
        signOn = digestOf(ptwebqq)
        session = self._bySignOn.get(signOn)
        if session is not None:
            return session
        pending = self._pending.get(ptwebqq)
        if pending is not None and self._now() < pending.until:
            return pending.number
        return self._ended.get(signOn, UNKNOWN)

    def byCookies(self, number: Number, skey: str) -> str | None:
        """
        Return the C{vfwebqq} of an account by the cookie of its login, also
        before the login has a session; L{None} for a wrong cookie.
        """
        session = self._byNumber.get(number)
        if (
            session is not None
            and skey
            and hmac.compare_digest(session.skey, digestOf(skey))
        ):
            if not session.vfwebqq:
                self._setVerifier(session, token(self._random, 80))
                self.onChanged(number)
            return session.vfwebqq
        pending = self._byKey.get(skey)
        if pending is None or pending.number != number:
            return None
        return pending.vfwebqq if self._now() < pending.until else None

    def admit(self, number: Number, skey: str = "", firstHash: bytes = b"") -> str:
        """
        Begin a sign-on.

        @param skey: the other cookie of the sign-on.
        @param firstHash: the MD5 of the password; the sign-on ends when the account
            has another one.

        @return: the C{ptwebqq}.
        """
        ptwebqq = token(self._random, 64)
        until = self._now() + SIGN_ON_LIFE
        verifier = token(self._random, 80)
        pending = PendingLogin(number, until, skey, verifier, firstHash)
        self._pending[ptwebqq] = self._byKey[skey] = pending
        if len(self._pending) > MAX_PENDING:
            self._forget(next(iter(self._pending)))
        return ptwebqq

    def forgetLogins(self, isOver: Callable[[PendingLogin], bool]) -> None:
        """
        Forget the logins without a session for which a function returns true.
        """
        for ptwebqq, pending in list(self._pending.items()):
            if isOver(pending):
                self._forget(ptwebqq)

    def _forget(self, ptwebqq: str) -> PendingLogin | None:
        pending = self._pending.pop(ptwebqq, None)
        if pending is not None and self._byKey.get(pending.skey) is pending:
            del self._byKey[pending.skey]
        return pending

    def open(self, ptwebqq: str, number: Number, clientid: str) -> tuple[Session, str]:
        """
        Open the session of a sign-on. The account must have no other session.

        @return: the session, and its C{psessionid}.
        """
        pending = self._forget(ptwebqq)
        key = self._random.getrandbits(KEY_BITS)
        session = self._sessionClass(number, clientid, SessionIds(number, key))
        session.signOn = session.previousSignOn = digestOf(ptwebqq)
        self._byNumber[number] = session
        self._bySignOn[session.signOn] = session
        if pending is None:
            return session, self.renew(session)
        session.skey = digestOf(pending.skey)
        session.firstHash = pending.firstHash
        session.passwordDigest = digestOf(pending.firstHash)
        return session, self.renew(session, pending.vfwebqq)

    def renew(self, session: Session, vfwebqq: str | None = None) -> str:
        """
        Give a session new ids, for a login or a relink.

        @param vfwebqq: the C{vfwebqq} that the login has, L{None} for a new one.

        @return: the new C{psessionid}.
        """
        if self._byTicket.pop(session.ticket, None) is not None:
            former = EndedSession(EndReason.RELINKED, session.number)
            session.former = self._ended[session.ticket] = former
            self._limitEnded()
        session.isUsed = False
        psessionid = token(self._random, 192)
        session.ticket = digestOf(psessionid)
        self._byTicket[session.ticket] = session
        self._setVerifier(session, vfwebqq or token(self._random, 80))
        self._lapsed.pop(session, None)
        session.lapsed = False
        self.markIdle(session)
        self.onChanged(session.number)
        return psessionid

    def _setVerifier(self, session: Session, vfwebqq: str) -> None:
        self._byVerifier.pop(session.verifier, None)
        session.vfwebqq = vfwebqq
        session.verifier = digestOf(vfwebqq)
        self._byVerifier[session.verifier] = session

    def resume(self, session: Session) -> None:
        """
        Add a session of an earlier run of the server, until it lapses; one that has
        lapsed until it is deleted.
        """
        self._byNumber[session.number] = session
        self._byTicket[session.ticket] = self._byVerifier[session.verifier] = session
        self._bySignOn[session.signOn] = session
        self._bySignOn[session.previousSignOn] = session
        if session.lapsed:
            self._lapsed[session] = self._now()
        else:
            self.markIdle(session)

    def rotate(self, session: Session) -> None:
        """
        Give a session a new C{ptwebqq}, for the reply to its next poll.
        """
        if session.previousSignOn != session.signOn:
            del self._bySignOn[session.previousSignOn]
        session.previousSignOn = session.signOn
        session.rotation = token(self._random, 64)
        session.signOn = digestOf(session.rotation)
        self._bySignOn[session.signOn] = session
        self.onChanged(session.number)

    def markIdle(self, session: Session) -> None:
        """
        Record that no poll of a session is held.
        """
        self._idle.pop(session, None)
        self._idle[session] = self._now()

    def markPolling(self, session: Session) -> None:
        """
        Record that a poll of a session is held.
        """
        self._idle.pop(session, None)

    def lapse(self) -> list[Session]:
        """
        Mark sessions that have not polled for too long as lapsed, and delete
        sessions that lapsed long ago and expired logins.

        @return: the sessions that have just lapsed.
        """
        now = self._now()
        lapsed = []
        for session, since in list(self._idle.items()):
            if now - since < LAPSE:
                break
            del self._idle[session]
            session.lapsed = True
            self._lapsed[session] = now
            lapsed.append(session)
            self.onChanged(session.number)
        for session, since in list(self._lapsed.items()):
            if now - since < FORGET:
                break
            self._drop(session)
        for ptwebqq, pending in list(self._pending.items()):
            if now < pending.until:
                break
            self._forget(ptwebqq)
        return lapsed

    @property
    def hasTimers(self) -> bool:
        """
        Whether there are sessions or logins, which may end by themselves.
        """
        return bool(self._byNumber or self._pending)

    def end(self, session: Session, reason: EndReason) -> None:
        """
        End a session, and keep the reason under its ids.
        """
        self._drop(session)
        self.remember(session, reason)

    def remember(self, session: Session, reason: EndReason) -> None:
        """
        Keep the reason of a session's end under its ids.
        """
        session.ended = ended = EndedSession(reason, session.number)
        for digest in (
            session.ticket,
            session.verifier,
            session.signOn,
            session.previousSignOn,
        ):
            self._ended[digest] = ended
        self._limitEnded()

    def _limitEnded(self) -> None:
        while len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)

    def _drop(self, session: Session) -> None:
        if self._byNumber.get(session.number) is session:
            del self._byNumber[session.number]
        self._byTicket.pop(session.ticket, None)
        self._byVerifier.pop(session.verifier, None)
        self._bySignOn.pop(session.signOn, None)
        self._bySignOn.pop(session.previousSignOn, None)
        self._idle.pop(session, None)
        self._lapsed.pop(session, None)
        self.onChanged(session.number)
