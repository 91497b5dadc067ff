"""
Events on their way to the application: whoever an event brings into the friend
list is looked up first, and what comes meanwhile waits its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.model import (
    DiscussionMessage,
    Event,
    GroupMessage,
    KickNotice,
    Message,
    Profile,
    StrangerMessage,
    Uin,
)
from txwebqq.roster import Roster

PATIENCE = 10.0
"""The seconds that a look-up may keep events waiting."""

MAX_LOOKED_UP = 20
"""Of so many that one event brings, names are looked up."""


_WORDS = frozenset({Message, GroupMessage, DiscussionMessage, StrangerMessage})


class EventQueue:
    """
    Hands events over, in order.

    @param roster: the lists as they are now.
    @param lookUp: asks who somebody is.
    @param deliver: is given each event; what it raises is logged.
    """

    _log = Logger()

    def __init__(
        self,
        roster: Callable[[], Roster],
        lookUp: Callable[[Uin], Deferred[Profile]],
        deliver: Callable[[Event], None],
        clock: IReactorTime,
    ) -> None:
        self._roster = roster
        self._lookUp = lookUp
        self._deliver = deliver
        self._clock = clock
        self._waiting: deque[Event] = deque()
        self._asked: Deferred[Profile] | None = None
        self._giving = False
        # For the event whose turn it is.
        self._lookedUp = 0

    def put(self, event: Event) -> None:
        """
        Hand an event over after all before it. Nothing comes after a kick, so
        it is not kept waiting.
        """
        if self._asked is None and not self._waiting and type(event) in _WORDS:
            # As nearly always: words bring nobody.
            self._give(event)
            return
        self._waiting.append(event)
        if isinstance(event, KickNotice):
            self.flush()
        elif self._asked is None:
            self._next()

    def flush(self) -> None:
        """
        Hand everything over now, whoever it is about. When it is what we hand
        over that ends all this, the rest is nobody's any more.
        """
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.cancel()
        if self._giving:
            self._waiting.clear()
        while self._waiting:
            self._give(self._waiting.popleft())

    def _give(self, event: Event) -> None:
        self._giving = True
        self._lookedUp = 0
        try:
            self._deliver(event)
        except Exception:
            # Those behind this event wait for it, and polls wait for them.
            self._log.failure("Handing over an event failed.")
        finally:
            self._giving = False

    def _next(self) -> None:
        while self._waiting and self._asked is None:
            newcomers = self._roster().unknownContacts(self._waiting[0])
            if newcomers and self._lookedUp < MAX_LOOKED_UP:
                self._ask(newcomers[0])
            else:
                self._give(self._waiting.popleft())

    def _ask(self, uin: Uin) -> None:
        self._lookedUp += 1
        # Kept before it has callbacks: in memory it has fired already.
        asked = self._asked = self._lookUp(uin).addTimeout(PATIENCE, self._clock)

        def told(profile: Profile) -> None:
            if self._asked is asked:
                self._asked = None
                self._roster().addProfile(uin, profile)
                self._next()

        def untold(failure: Failure) -> None:
            # Our own cancel comes by here too.
            if self._asked is asked:
                self._asked = None
                self._log.info(
                    "Somebody new has no name yet: {reason}.",
                    reason=failure.getErrorMessage(),
                )
                self._roster().addProfile(uin, None)
                self._next()

        asked.addCallbacks(told, untold).addErrback(
            lambda failure: self._log.failure("Delivery stumbled.", failure=failure)
        )
