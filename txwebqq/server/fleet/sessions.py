"""
The sessions of a server of several processes: all are in the database, and those that
a batch of requests needs are in memory until its end.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from txwebqq.errors import WebQQError
from txwebqq.model import Number
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.server.events.storedformat import encodeQueued
from txwebqq.server.sessions.digests import digestOf
from txwebqq.server.sessions.session import (
    LAPSED,
    UNKNOWN,
    EndedSession,
    EndReason,
    Session,
)
from txwebqq.server.sessions.sessions import (
    FORGET,
    LAPSE,
    SIGN_ON_LIFE,
    PendingLogin,
    Random,
    Sessions,
    token,
)
from txwebqq.server.sessions.storedsessions import fillStored, sessionIdsOf
from txwebqq.server.storage.fleet.polls import LoadedSession, PollState
from txwebqq.server.storage.fleet.signals import Signal
from txwebqq.server.storage.fleet.signons import StoredLogin
from txwebqq.server.storage.fleet.store import FleetStore

MAX_LAPSED = 200
"""Maximum number of sessions that lapse in one transaction, for which others wait."""

PRESENCE_LIFE = 2 * 3600
"""Time after which the new status of a friend is dropped, in seconds: longer than a
session without polls is kept."""

_COLUMNS = ("psessionid", "vfwebqq", "ptwebqq", "previous")


class FleetSession(Session):
    """
    A session that was read from the database, or opened.

    @ivar polls: what the database has of its polls.
    @ivar mustRepeat: whether the last reply is to be given again.
    @ivar isSuperseded: whether the held poll is to be answered with nothing.
    """

    __slots__ = ("isSuperseded", "mustRepeat", "polls")

    def __init__(self, number: Number, clientid: str, sessionIds: SessionIds) -> None:
        super().__init__(number, clientid, sessionIds)
        self.polls = PollState(0, 0)
        self.mustRepeat = self.isSuperseded = False

    def repeatReply(self) -> None:
        self.mustRepeat = True


class FleetSessions(Sessions):
    """
    The sessions that the present batch has read from the database.

    @param secret: returns a secret of the server, from which each C{vfwebqq} is made.

    @ivar hasMoreLapsed: whether L{lapse} has left some for its next call.
    """

    def __init__(
        self,
        now: Callable[[], float],
        random: Random,
        store: FleetStore,
        secret: Callable[[], bytes],
    ) -> None:
        super().__init__(now, random)
        self._store = store
        self._secret = secret
        self._sessionClass = FleetSession
        self.hasMoreLapsed = False
        self.forget()

    def forget(self) -> None:
        """
        Forget all sessions, at the beginning of a batch.
        """
        for each in (
            self._byNumber,
            self._byTicket,
            self._byVerifier,
            self._bySignOn,
            self._pending,
            self._byKey,
            self._ended,
            self._idle,
            self._lapsed,
        ):
            each.clear()
        # The columns and values by which the database was asked.
        self._known: set[tuple[str, bytes | Number]] = set()
        # As the database has them.
        self._knownEnds: dict[bytes, tuple[Number, str, int]] = {}
        self._opened: set[Number] = set()
        self._renewed: set[Number] = set()
        self._usedBefore: set[Number] = set()
        self._leaving: frozenset[Number] = frozenset()
        self._outdated: set[Number] = set()
        # The accounts that have a session in the database, and whether it has lapsed.
        self._stored: dict[Number, bool] = {}

    # Lookups

    def loadLeaving(self, numbers: Iterable[Number]) -> None:
        """
        Read the sessions of accounts that are to be ended, also those of an earlier
        password.
        """
        self._leaving = frozenset(numbers)
        self.load(self._leaving)

    def lock(self, tickets: Iterable[bytes]) -> dict[bytes, Number]:
        """
        Read sessions, and keep other transactions from changing them until the end of
        the batch.

        @param tickets: the SHA-256 of each C{psessionid}.

        @return: the accounts of those that are there.
        """
        tickets = frozenset(tickets)
        if not tickets:
            return {}
        self.load(self._store.polls.lockTickets(tickets))
        self._known.update(("psessionid", each) for each in tickets)
        found = {each: self._byTicket.get(each) for each in tickets}
        return {each: s.number for each, s in found.items() if s is not None}

    def load(self, numbers: Iterable[Number]) -> None:
        missing = [n for n in numbers if ("number", n) not in self._known]
        if missing:
            self._known.update(("number", n) for n in missing)
            self._add(self._store.polls.loadNumbers(missing))

    def _loadBy(self, column: str, digest: bytes) -> None:
        if not digest or (column, digest) in self._known:
            return
        self._known.add((column, digest))
        self._add(self._store.polls.loadBy(column, digest))

    def _add(self, loaded: Iterable[LoadedSession]) -> None:
        for stored, firstHash, polls in loaded:
            number = stored.number
            if number in self._byNumber or number in self._opened:
                continue
            self._stored[number] = bool(stored.lapsed)
            self._known.add(("number", number))
            for column in _COLUMNS:
                self._known.add((column, getattr(stored, column)))
            if number in self._leaving:
                stored = replace(stored, password=b"")
            sessionIds = sessionIdsOf(stored)
            session = FleetSession(number, stored.clientid, sessionIds)
            if not fillStored(session, stored, firstHash):
                # Its password has changed, and the next sweep ends it.
                self._outdated.add(number)
                continue
            session.polls = polls
            session.isUsed = bool(polls.used)
            if session.isUsed:
                self._usedBefore.add(number)
            session.lastAck = polls.lastAck
            session.namesIds = bool(polls.namesIds)
            session.sendsAck = None if polls.acks < 0 else bool(polls.acks)
            session.former = self._endedBy(polls.former)
            self.resume(session)

    def _endedBy(self, digest: bytes) -> EndedSession | None:
        if not digest:
            return None
        if digest not in self._ended and ("ended", digest) not in self._known:
            self._known.add(("ended", digest))
            found = self._store.signOns.ended(digest)
            if found is not None:
                number, reason, told = self._knownEnds[digest] = found
                ended = EndedSession(EndReason(reason), number)
                ended.told = bool(told)
                self._ended[digest] = ended
        return self._ended.get(digest)

    def online(self, number: Number) -> Session | None:
        self.load((number,))
        return super().online(number)

    def existing(self, number: Number) -> Session | None:
        self.load((number,))
        return super().existing(number)

    def byTicket(self, psessionid: str) -> Session | EndedSession:
        return self.byTicketDigest(digestOf(psessionid))

    def byTicketDigest(self, ticket: bytes) -> Session | EndedSession:
        """
        Return the session with a ticket, by its SHA-256, or how it ended.
        """
        self._loadBy("psessionid", ticket)
        session = self._byTicket.get(ticket)
        if session is None:
            return self._endedBy(ticket) or UNKNOWN
        if session.lapsed:
            return LAPSED
        session.isUsed = True
        return session

    def accountOf(self, psessionid: str) -> Number | None:
        ticket = digestOf(psessionid)
        self._loadBy("psessionid", ticket)
        self._endedBy(ticket)
        return super().accountOf(psessionid)

    def byVerifier(self, vfwebqq: str) -> Session | EndedSession:
        verifier = digestOf(vfwebqq)
        self._loadBy("vfwebqq", verifier)
        if verifier not in self._byVerifier:
            self._endedBy(verifier)
        return super().byVerifier(vfwebqq)

    def bySignOn(self, ptwebqq: str) -> Session | Number | EndedSession:
        signOn = digestOf(ptwebqq)
        self._loadBy("ptwebqq", signOn)
        self._loadBy("previous", signOn)
        if signOn not in self._bySignOn:
            login = self._store.signOns.loginBy("ptwebqq", signOn, int(self._now()))
            if login is not None:
                return login.number
            self._endedBy(signOn)
        return super().bySignOn(ptwebqq)

    def byCookies(self, number: Number, skey: str) -> str | None:
        session = self.existing(number)
        digest = digestOf(skey)
        if session is not None and skey and hmac.compare_digest(session.skey, digest):
            for made in (self._verifierOf(session.ticket), self._verifierOf(digest)):
                if digestOf(made) == session.verifier:
                    return made
            return None
        login = self._store.signOns.loginBy("skey", digest, int(self._now()))
        if login is None or login.number != number:
            return None
        return self._verifierOf(digest)

    def _verifierOf(self, digest: bytes) -> str:
        # So that each process can tell it, and the database does not have it.
        made = hmac.digest(self._secret(), b"vfwebqq" + digest, "sha512")
        return made.hex()[:80]

    # Changes

    def admit(self, number: Number, skey: str = "", firstHash: bytes = b"") -> str:
        ptwebqq = token(self._random, 64)
        self._store.signOns.addLogin(
            StoredLogin(
                digestOf(ptwebqq),
                digestOf(skey),
                number,
                digestOf(firstHash),
                int(self._now() + SIGN_ON_LIFE),
            )
        )
        return ptwebqq

    def forgetLogins(self, isOver: Callable[[PendingLogin], bool]) -> None:
        raise NotImplementedError("see FleetState.followOperator")

    def open(self, ptwebqq: str, number: Number, clientid: str) -> tuple[Session, str]:
        now = int(self._now())
        login = self._store.signOns.loginBy("ptwebqq", digestOf(ptwebqq), now)
        session, psessionid = super().open(ptwebqq, number, clientid)
        assert isinstance(session, FleetSession)
        self._opened.add(number)
        session.polls = PollState(now, now)
        if login is not None:
            self._store.signOns.forgetLogin(login.ptwebqq)
            session.skey = login.skey
            session.passwordDigest = login.password
            self._setVerifier(session, self._verifierOf(login.skey))
        return session, psessionid

    def renew(self, session: Session, vfwebqq: str | None = None) -> str:
        former = session.ticket
        isBack = session.lapsed
        psessionid = super().renew(session, vfwebqq)
        self._setVerifier(session, self._verifierOf(session.ticket))
        if former:
            assert isinstance(session, FleetSession)
            if session.number not in self._opened:
                self._renewed.add(session.number)
            session.polls.former = former
            if isBack:
                session.polls.since = int(self._now())
            self._usedBefore.discard(session.number)
        return psessionid

    def rotate(self, session: Session) -> None:
        raise WebQQError("a server of several processes does not change a ptwebqq")

    def lapse(self) -> list[Session]:
        now = int(self._now())
        polls = self._store.polls
        numbers = polls.silent(int(now - LAPSE), False, MAX_LAPSED)
        self.load(numbers)
        lapsed = []
        for number in numbers:
            session = super().online(number)
            if session is not None:
                session.lapsed = True
                lapsed.append(session)
                self.onChanged(number)
        self.hasMoreLapsed = len(lapsed) == MAX_LAPSED
        numbers = polls.silent(int(now - LAPSE - FORGET), True, MAX_LAPSED)
        self.load(numbers)
        for number in numbers:
            session = super().existing(number)
            if session is not None:
                self._drop(session)
        return lapsed

    @property
    def hasTimers(self) -> bool:
        return True

    @property
    def onlineCount(self) -> int:
        return self._store.polls.countOnline()

    @property
    def onlineChange(self) -> int:
        """
        By how many the batch has changed the number of accounts that are online.
        """
        before = [n for n, isLapsed in self._stored.items() if not isLapsed]
        outdated = self._outdated.difference(self._byNumber)
        after = [n for n, session in self._byNumber.items() if not session.lapsed]
        return len(after) + len(outdated.intersection(before)) - len(before)

    def _limitEnded(self) -> None:
        # They are deleted by their age.
        pass

    # The end of a batch

    def _isChanged(self, session: Session) -> bool:
        assert isinstance(session, FleetSession)
        number = session.number
        return (
            number in self._opened
            or number in self._renewed
            or (session.isUsed and number not in self._usedBefore)
            or session.mustRepeat
            or session.isSuperseded
        )

    def write(self) -> None:
        """
        Write to the database what has changed, beside what L{onChanged} tells of.
        """
        now = int(self._now())
        used = []
        signals: dict[tuple[Number, str], Signal] = {}
        sessions = sorted(self._byNumber.items())
        changed = [number for number, session in sessions if self._isChanged(session)]
        ended = set(self._stored) - set(self._byNumber) - self._outdated
        if len(changed) + len(ended) > 1:
            self._store.polls.lockPolls(ended.union(changed))
        if ended:
            self._store.polls.forget(ended)
        for number, session in sessions:
            assert isinstance(session, FleetSession)
            polls = session.polls
            if number in self._opened:
                polls.used = int(session.isUsed)
                self._store.polls.writePoll(number, polls)
            elif number in self._renewed:
                self._store.polls.renewed(number, polls.former, polls.since, now)
            if session.isUsed and number not in self._usedBefore:
                used.append(number)
            if session.mustRepeat:
                self._store.polls.repeat(number)
            if session.isSuperseded:
                self._store.polls.supersede(number)
            for friend, status in session.mailbox.presence.items():
                key = f"presence {friend}"
                signals[number, key] = Signal(
                    key, str(status.code), now + PRESENCE_LIFE
                )
            for (kind, of), (until, event) in session.mailbox.transient.items():
                key = f"{kind} {of}"
                signals[number, key] = Signal(key, encodeQueued(event), int(until) + 1)
        if used:
            self._store.polls.used(used)
        if signals:
            self._store.signals.addSignals(signals)
        ends = {
            digest: (each.number, each.reason.value, int(each.told))
            for digest, each in self._ended.items()
        }
        ends = {
            digest: each
            for digest, each in ends.items()
            if self._knownEnds.get(digest) != each
        }
        if ends:
            self._store.signOns.writeEnded(ends, now)

    def __len__(self) -> int:
        return self.onlineCount

    def __iter__(self) -> Iterator[Session]:
        raise NotImplementedError("too many to be read at once")
