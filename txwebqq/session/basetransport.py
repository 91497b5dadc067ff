"""
The base of the transports of one sign-on: their life, and the lists of contacts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from itertools import count

from twisted.internet.defer import Deferred, DeferredLock, fail, succeed
from twisted.internet.interfaces import IReactorTime

from txwebqq.errors import NotSignedOn
from txwebqq.model import Buddy, Category, Did, Discussion, Gid, Group, Uin
from txwebqq.roster import Roster
from txwebqq.wire.commands.filetransfers import LOCAL_IDS


def messageIds(clock: IReactorTime) -> Iterator[int]:
    """
    Generate message ids as the original page did: four digits of the time of
    the first message, then a counter (protocol.md 4.10).
    """
    yield from count(int(clock.seconds()) % 10_000 * 10_000 + 1)


class Phase(Enum):
    """
    The life of a transport, which ends with its sign-on.

    @cvar CONNECTING: before C{signedOn}.
    @cvar OPEN: requests are sent.
    @cvar REJOINING: requests are held.
    @cvar CLOSED: the sign-on is over.
    """

    CONNECTING = auto()
    OPEN = auto()
    REJOINING = auto()
    CLOSED = auto()


class BaseTransport:
    """
    A transport without the requests.

    @param messageIds: the ids of the account's messages, which go on from one
        sign-on to the next.
    @param signOff: signs the account off.
    @ivar phase: the part of its life.
    """

    def __init__(
        self,
        messageIds: Iterator[int],
        signOff: Callable[[], Deferred[None]],
        clock: IReactorTime,
    ) -> None:
        self._messageIds = messageIds
        self._signOff = signOff
        self._clock = clock
        self.phase = Phase.CONNECTING
        self._held: list[Deferred[None]] = []
        self._lastTransferId = 0
        self.roster = Roster()
        self.sendLocks: dict[tuple[str, int], DeferredLock] = {}
        self.temporaryChatSignatures: dict[tuple[Uin, int, int], tuple[float, str]] = {}

    # Called by the driver.

    @property
    def isSignedOn(self) -> bool:
        """
        Whether there is a session, open or rejoining.
        """
        return self.phase in (Phase.OPEN, Phase.REJOINING)

    def open(self) -> None:
        """
        Send requests from now on, those that are held first.
        """
        self.phase = Phase.OPEN
        held, self._held = self._held, []
        for request in held:
            request.callback(None)

    def pause(self) -> None:
        """
        Hold requests from now on, until L{open} or L{close}.
        """
        self.phase = Phase.REJOINING

    def close(self) -> None:
        """
        Fail all requests from now on, and those that are held.
        """
        self.phase = Phase.CLOSED
        held, self._held = self._held, []
        for request in held:
            request.errback(NotSignedOn("the session was lost during a rejoin"))

    # Called by the protocol.

    @property
    def buddies(self) -> Mapping[Uin, Buddy]:
        return self.roster.buddies

    @property
    def groups(self) -> Mapping[Gid, Group]:
        return self.roster.groups

    @property
    def discussions(self) -> Mapping[Did, Discussion]:
        return self.roster.discussions

    @property
    def categories(self) -> tuple[Category, ...]:
        return self.roster.categories

    def hold(self) -> Deferred[None]:
        """
        Have a request wait for the end of the rejoin.

        @return: fires when the session is open again; fails with
            L{NotSignedOn} when there is no session to wait for.
        """
        if self.phase is not Phase.REJOINING:
            return fail(NotSignedOn("there is no session, or this one is over"))
        held: Deferred[None] = Deferred(self._held.remove)
        self._held.append(held)
        return held

    def seconds(self) -> float:
        return self._clock.seconds()

    def nextMessageId(self) -> int:
        return next(self._messageIds)

    def nextTransferId(self) -> int:
        self._lastTransferId = (self._lastTransferId + 1) % LOCAL_IDS
        return self._lastTransferId

    def signOff(self) -> Deferred[None]:
        # A protocol whose sign-on is over must not end the one after it.
        return succeed(None) if self.phase is Phase.CLOSED else self._signOff()
