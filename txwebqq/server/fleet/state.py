"""
The state of a server of several processes, as far as a batch of requests needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from txwebqq.model import Level, Number, Status
from txwebqq.ratelimit import LimiterMaker
from txwebqq.server.domain.authenticator import SignOnGuards
from txwebqq.server.domain.operatorevents import OperatorEvents
from txwebqq.server.domain.router import SYSTEM, Clock, MessageRouter
from txwebqq.server.domain.state import REPLACED_LIFE, ServerState
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.fleet.guards import (
    AddressUploads,
    Allowances,
    FleetCaptchas,
    FleetFailedLogins,
    FleetLimiter,
)
from txwebqq.server.fleet.router import FleetRouter
from txwebqq.server.fleet.sessions import FleetSession, FleetSessions
from txwebqq.server.sessions.acknowledgement import Acknowledgement
from txwebqq.server.sessions.captchas import CaptchaMode, VerifyCodes
from txwebqq.server.sessions.messageids import MessageIdGenerator
from txwebqq.server.sessions.onlinetime import CHINA, DAY, OnlineTimeTracker, levelAfter
from txwebqq.server.sessions.sendinglimits import SendingLimits
from txwebqq.server.sessions.session import EndReason, Session
from txwebqq.server.sessions.sessions import LAPSE, Random
from txwebqq.server.storage.fleet.counters import CounterStore
from txwebqq.server.storage.store import Store

SWEEP_EVERY = 10
"""Minimum time between two sweeps of all processes together, in seconds."""

DAY_ACCOUNTS = 2000
"""Maximum number of accounts for which a sweep counts a day."""

OUTAGE = 45
"""Time without a sweep, in seconds, after which the processes count as having been
without the database: three intervals between those of a process. What it has of their
held polls is too old then, and no session lapses for as long as one without polls is
kept."""

_SERIAL, _HISTORY, _SWEEP, _TIME = "serial", "history", "sweep", "time"

# When the sweeps began, also after an outage.
_RESUMED = "sweeps resumed"

RECOUNT = 3600
"""Time after which the accounts that are online are counted, in seconds: an operator
may have removed some."""

# The number of accounts that are online, and the time when they were counted.
_ONLINE, _COUNTED = "online", "online counted"

# The day that is counted for all accounts that are online; that which is being counted,
# and the last account that it is counted for.
_DAY, _NEW_DAY, _DAY_ACCOUNT = "day", "new day", "day account"


class Counters:
    """
    The counters that the present batch has read or changed. Only the batch that has
    the order may change them.
    """

    def __init__(self, store: CounterStore) -> None:
        self._store = store
        self._values: dict[str, int | None] = {}
        self._changed: dict[str, int] = {}

    def forget(self) -> None:
        """
        Forget all counters, at the beginning of a batch.
        """
        self._values.clear()
        self._changed.clear()

    def get(self, name: str) -> int | None:
        """
        Return the value of a counter, L{None} before the first.
        """
        if name not in self._values:
            self._values[name] = self._store.counter(name)
        return self._values[name]

    def load(self, first: str, second: str) -> None:
        """
        Read two counters together.
        """
        found = self._store.counters(first, second)
        self._values.update({name: found.get(name) for name in (first, second)})

    def set(self, name: str, value: int) -> None:
        """
        Change a counter.
        """
        self._values[name] = self._changed[name] = value

    def write(self) -> None:
        """
        Write the changes to the database.
        """
        if self._changed:
            self._store.writeCounters(self._changed)


class FleetMessageIds(MessageIdGenerator):
    """
    Ids of messages, from counters in the database.
    """

    def __init__(
        self,
        now: Callable[[], float],
        random: Random,
        lastSequence: Callable[[Number], int],
        counters: Counters,
        order: Callable[[], object],
    ) -> None:
        super().__init__(now, random, lastSequence)
        self._counters = counters
        self._order = order

    def next(self, sender: Number) -> MessageIds:
        # Clients sort the events of a reply by their times: one that gets its number
        # later, maybe from a process whose clock is behind, must not be earlier.
        self._order()
        ids = super().next(sender)
        time = max(ids.time, self._counters.get(_TIME) or 0)
        self._counters.set(_TIME, time)
        return replace(ids, time=time)

    def nextMessageId(self, sender: Number) -> int:
        if sender == SYSTEM:
            return self._random.randrange(1, 65_536)
        self._order()
        name = f"message {sender}"
        last = self._counters.get(name)
        if last is not None:
            self._messageIds[sender] = last
        following = super().nextMessageId(sender)
        self._counters.set(name, following)
        return following

    def nextSequence(self, conversation: Number) -> int:
        self._order()
        name = f"sequence {conversation}"
        last = self._counters.get(name)
        if last is not None:
            self._sequences[conversation] = last
        following = super().nextSequence(conversation)
        self._counters.set(name, following)
        return following

    def forget(self) -> None:
        """
        Forget all ids, at the beginning of a batch.
        """
        self._messageIds.clear()
        self._sequences.clear()


class FleetOnlineTime(OnlineTimeTracker):
    """
    The time that accounts have been online, whichever process has their polls.
    """

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        super().__init__(store.accounts, now)
        self.sessions: FleetSessions | None = None

    def _since(self, number: Number) -> int | None:
        assert self.sessions is not None
        session = self.sessions.existing(number)
        if not isinstance(session, FleetSession) or session.lapsed:
            return None
        return session.polls.since

    def came(self, number: Number) -> None:
        self._accounts.addOnlineDays(number, self._today, 1)

    def went(self, number: Number) -> None:
        assert self.sessions is not None
        session = self.sessions.existing(number)
        if isinstance(session, FleetSession) and not session.lapsed:
            seconds = int(self._now()) - session.polls.since
            self._accounts.addOnlineSeconds(number, max(0, seconds))

    def tick(self) -> None:
        pass

    @property
    def today(self) -> int:
        """
        The present day in China, in days since 1970.
        """
        return int(self._now() + CHINA) // DAY

    def level(self, number: Number) -> Level:
        known = self._accounts.onlineTime(number)
        since = self._since(number)
        extra = 0 if since is None else int(self._now()) - since
        return levelAfter(known.days, known.seconds + max(0, extra))


class FleetState(ServerState):
    """
    The state of a server whose requests are handled in batches, each in a transaction
    of its own: L{begin}, the requests, L{write}, and the commit.

    @param process: the name of this process.

    @ivar addressUploads: the uploads of addresses within a day.
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
        *,
        process: str = "",
    ) -> None:
        self._process = process
        self._counters = Counters(store.fleet.counters)
        self._allowances = Allowances(store.fleet.limits, clock.seconds)
        self.addressUploads = AddressUploads(self._allowances, clock.seconds)
        self._hasOrder = False
        super().__init__(store, clock, random, onError, captcha, captchaText, sending)

    def _makeSessions(self) -> FleetSessions:
        self.fleetSessions = FleetSessions(
            self.now,
            self._random,
            self.store.fleet,
            self.makeKey("vfwebqq"),
        )
        return self.fleetSessions

    def _makeMessageIds(self) -> FleetMessageIds:
        self._fleetIds = FleetMessageIds(
            self.now,
            self._random,
            self.store.history.lastSequence,
            self._counters,
            self.order,
        )
        return self._fleetIds

    def _makeOnlineTime(self) -> FleetOnlineTime:
        self._fleetTime = FleetOnlineTime(self.store, self.now)
        self._fleetTime.sessions = self.fleetSessions
        return self._fleetTime

    def _makeRouter(self) -> MessageRouter:
        self.fleetRouter = FleetRouter(
            self.store,
            self.fleetSessions,
            self.recorder,
            self.messageIds,
            self._clock,
            self.onError,
            self.order,
            self._process,
        )
        return self.fleetRouter

    def _limiters(self) -> LimiterMaker:
        return lambda name, times, window: FleetLimiter(
            self._allowances, self.now, name, times, window
        )

    def _makeGuards(self, captchaText: str | None) -> SignOnGuards:
        return SignOnGuards(
            VerifyCodes(self.now, self.makeKey("verify codes")),
            FleetCaptchas(self.store.fleet.limits, self.now, self._random, captchaText),
            FleetFailedLogins(self._allowances, self.now),
            self.makeLimiter,
            self.now,
        )

    def makeKey(self, name: str) -> Callable[[], bytes]:
        fresh = f"{self._random.getrandbits(256):064x}"
        key = self.store.secret(name, fresh).encode()
        return lambda: key

    def _begin(self) -> None:
        self.fleetSessions.onChanged = self.fleetRouter.storeSession

    # Batches

    def begin(self) -> None:
        """
        Forget all that other processes may have changed.
        """
        self._hasOrder = False
        self._counters.forget()
        self._allowances.forget()
        self._fleetIds.forget()
        self.fleetSessions.forget()
        self.fleetRouter.forget()
        self.recorder.forgetUnwritten()
        self.store.mutes.forget()

    def order(self) -> None:
        """
        Wait until no other process gives numbers to events, and keep the others from
        it until the end of the transaction.
        """
        if self._hasOrder:
            return
        self._hasOrder = True
        self.store.database.lockOrder()
        self._counters.load(_SERIAL, _HISTORY)
        messages, history = self.store.messages, self.store.history
        messages.lastSerial = self._counters.get(_SERIAL) or messages.firstSerial
        history.lastSerial = self._counters.get(_HISTORY) or history.firstSerial

    def write(self) -> frozenset[Number]:
        """
        Write all changes to the database.

        @return: the accounts whose held polls are to be looked at.
        """
        self.fleetRouter.write()
        self.recorder.flush()
        self.fleetSessions.write()
        if self._hasOrder:
            self._counters.set(_SERIAL, self.store.messages.lastSerial)
            self._counters.set(_HISTORY, self.store.history.lastSerial)
            change = self.fleetSessions.onlineChange
            if change:
                online = self._counters.get(_ONLINE) or 0
                self._counters.set(_ONLINE, online + change)
        self._counters.write()
        self._allowances.write()
        return frozenset(self.fleetRouter.woken)

    # Steps of sessions

    def followOperator(self) -> None:
        """
        Do nothing: L{sweep} does this within some seconds, and a sign-on looks at the
        password and the account itself.
        """

    def leave(self, session: Session, said: Acknowledgement) -> None:
        # As polls do, before the reply that they may be taking.
        self.store.fleet.polls.lockSessions((session.number,))
        super().leave(session, said)

    def sweep(self) -> None:
        """
        Do what is due, unless another process has done it.
        """
        self.order()
        now = int(self.now())
        self.fleetSessions.hasMoreLapsed = False
        last = self._counters.get(_SWEEP) or 0
        if now - last < SWEEP_EVERY:
            return
        if now - last > OUTAGE:
            self._counters.set(_RESUMED, now)
        if now - (self._counters.get(_COUNTED) or 0) >= RECOUNT:
            self._counters.set(_COUNTED, now)
            self._counters.set(_ONLINE, self.fleetSessions.onlineCount)
        self._follow()
        self._countDay(self._fleetTime.today)
        if now - (self._counters.get(_RESUMED) or 0) >= LAPSE:
            self._lapse()
        # The next one goes on when there are more.
        hasMore = self.fleetSessions.hasMoreLapsed
        self._counters.set(_SWEEP, now - SWEEP_EVERY if hasMore else now)

    def _lapse(self) -> None:
        for session in self.fleetSessions.lapse():
            session.lapsed = False
            self.onlineTime.went(session.number)
            session.lapsed = True
            if session.status is not Status.HIDDEN:
                self.presence.announce(session.number, session.status, Status.OFFLINE)

    def _countDay(self, today: int) -> None:
        counters = self._counters
        if counters.get(_DAY) == today:
            return
        isNew = counters.get(_NEW_DAY) != today
        after = 0 if isNew else counters.get(_DAY_ACCOUNT) or 0
        last = self.store.fleet.polls.countDay(today, Number(after), DAY_ACCOUNTS)
        counters.set(_NEW_DAY, today)
        counters.set(_DAY_ACCOUNT, last or 0)
        if last is None:
            counters.set(_DAY, today)

    @property
    def onlineCount(self) -> int:
        """
        The number of accounts that are online, on all processes.
        """
        return self._counters.get(_ONLINE) or 0

    def clean(self) -> None:
        """
        Delete what has expired from the database.
        """
        now = int(self.now())
        self.store.fleet.clean(now, int(now - REPLACED_LIFE))

    def _follow(self) -> None:
        fleet, accounts = self.store.fleet, self.store.accounts
        OperatorEvents(self.store.operatorEvents, self.router, self.messageIds).take()
        leaving = set(accounts.takeSignOffs())
        changed = accounts.takeChangedPasswords()
        if changed:
            leaving.update(fleet.polls.outdated(changed))
        if not leaving:
            return
        fleet.signOns.forgetLoginsOf(leaving)
        self.fleetSessions.loadLeaving(leaving)
        for number in sorted(leaving):
            session = self.fleetSessions.existing(number)
            if session is not None:
                before = session.visible
                self._end(session, EndReason.LOGGED_OUT)
                self.presence.announce(number, before, Status.OFFLINE)

    def storeTime(self) -> None:
        pass

    def _end(self, session: Session, reason: EndReason) -> None:
        self.onlineTime.went(session.number)
        self.sessions.end(session, reason)
        self.router.wake(session)
