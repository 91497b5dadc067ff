"""
The way of what waits to the place where it is to be said, a piece at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.outbox import MessageKind, Outbox, OutboxMessage

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0
"""The seconds until something refused is said again, the first time and at
most."""

GIVE_UP = 6
"""So often a piece is said that is refused for good."""

PATIENCE = 300.0
"""The seconds for which others wait until all of a piece is known."""

_REFUSED = "1 message is missing here: it was refused"


class OutboxSender:
    """
    Says what is in one lane of the spool, in its order.

    @param speak: says a piece, or the beginning of it, and returns the rest of
        its text; fails with L{TargetUnavailable} or L{DeliveryRefused}.
    @param stuck: called with the reason when a piece was refused, and whether
        it was given up.
    """

    _log = Logger()

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        clock: IReactorTime,
        speak: Callable[[OutboxMessage], Awaitable[str]],
        stuck: Callable[[str, bool], None],
        overflow: OverflowPolicy,
    ) -> None:
        self.name = name
        self._outbox = outbox
        self._clock = clock
        self._speak = speak
        self._stuck = stuck
        self._overflow = overflow
        self._working: Deferred[None] | None = None
        self._pause: IDelayedCall | None = None
        self._overdueTimer: IDelayedCall | None = None
        self._refusals = 0
        # What was said, and what is left of it, until the spool knows.
        self._said: tuple[OutboxMessage, str] | None = None
        # What is refused, perhaps for what it says.
        self._doubted: OutboxMessage | None = None
        self._isStopped = False
        self._isWoken = False

    def wake(self) -> None:
        """
        There may be something to say, or somebody to hear it.
        """
        self._isWoken = True
        if self._working is not None or self._isStopped or self._pause is not None:
            return
        # Kept before it runs: whatever wakes us meanwhile must find it.
        done: Deferred[None] = Deferred()
        self._working = done

        def ended(result: object) -> None:
            self._working = None
            done.callback(None)

        Deferred.fromCoroutine(self._work()).addErrback(self._broken).addBoth(ended)

    def _broken(self, failure: Failure) -> None:
        if failure.check(sqlite3.Error):
            self._log.error(
                "{lane} rests, the database does not work: {reason}.",
                lane=self.name,
                reason=failure.getErrorMessage(),
            )
        else:
            self._log.failure("{lane} is in trouble.", failure, lane=self.name)
        self._rest(LONGEST_PAUSE)

    def stop(self) -> Deferred[None]:
        """
        Say nothing more.

        @return: fires when what is being said was heard, or lost.
        """
        self._isStopped = True
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._overdueTimer is not None:
            self._overdueTimer.cancel()
            self._overdueTimer = None
        return self._working or succeed(None)

    async def _work(self) -> None:
        while not self._isStopped:
            self._isWoken = False
            self._note()
            message = self._next()
            if message is None or not (message.isReady or self._isOverdue(message)):
                return
            try:
                rest = await self._speak(message)
            except TargetUnavailable:
                # Whoever can hear us again wakes us, or has done so meanwhile.
                if not self._isWoken:
                    return
            except DeliveryRefused as e:
                if self._refused(message, e):
                    return
            except sqlite3.Error:
                raise
            except Exception:
                self._log.failure("{lane} cannot say something.", lane=self.name)
                if self._refused(
                    message, DeliveryRefused("a fault of the relay", isFinal=True)
                ):
                    return
            else:
                self._refusals = 0
                self._said = message, rest
                self._note()

    def _note(self) -> None:
        # Until the spool has taken that, nothing else is said: it would be
        # said again.
        if self._said is None:
            return
        message, rest = self._said
        if message.serial:
            self._outbox.acknowledge(message, rest)
        elif self._doubted is not None:
            self._outbox.acknowledge(self._doubted, "")
        else:
            self._outbox.clearLostCount(self.name)
        self._said = self._doubted = None

    def _isOverdue(self, message: OutboxMessage) -> bool:
        # Whoever was to find out the rest of it has failed, or takes too long.
        left = message.time / 1000 + PATIENCE - self._clock.seconds()
        if left <= 0:
            return True
        if self._overdueTimer is None:
            self._overdueTimer = self._clock.callLater(min(left, PATIENCE), self._look)
        return False

    def _look(self) -> None:
        self._overdueTimer = None
        self.wake()

    def _next(self) -> OutboxMessage | None:
        if self._doubted is not None:
            return OutboxMessage(self.name, "", 0, "", _REFUSED, MessageKind.SYSTEM)
        message = self._outbox.first(self.name)
        lost = self._outbox.lost(self.name)
        # The oldest were left out before what comes now, the newest after it.
        if lost and (message is None or self._overflow is OverflowPolicy.DROP_OLDEST):
            which = "1 message is" if lost == 1 else f"{lost} messages are"
            text = f"{which} missing here: too many waited, or it was refused"
            return OutboxMessage(self.name, "", 0, "", text, MessageKind.SYSTEM)
        return message

    def _refused(self, message: OutboxMessage, problem: DeliveryRefused) -> bool:
        self._refusals += 1
        isGivenUp = problem.isFinal and self._refusals >= GIVE_UP and message.serial > 0
        self._stuck(str(problem), isGivenUp)
        if isGivenUp:
            self._refusals = 0
            self._outbox.drop(message)
            return False
        if self._refusals >= GIVE_UP and message.serial:
            # Perhaps it is for its words, and others would be taken.
            self._doubted = message
        elif self._doubted is not None:
            self._doubted = None
        exponent = min(self._refusals - 1, GIVE_UP)
        self._rest(min(FIRST_PAUSE * 2**exponent, LONGEST_PAUSE))
        return True

    def _rest(self, seconds: float) -> None:
        if not self._isStopped:
            self._pause = self._clock.callLater(seconds, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self.wake()
