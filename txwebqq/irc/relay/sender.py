"""
Sends the outbox messages of one relay target in order, with retries and
back-off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.relay.errors import (
    DeliveryRefused,
    TargetUnanswered,
    TargetUnavailable,
)
from txwebqq.irc.relay.storage.outbox import MessageKind, Outbox, OutboxMessage

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0
"""The seconds until a refused message is sent again, the first time and at
most."""

MAX_REFUSALS = 6
"""The number of refusals after which a message is dropped, when it is refused
for good or another message is accepted."""

COMPLETION_TIMEOUT = 300.0
"""The seconds for which an incomplete message holds up those behind it."""

_ONE_REFUSED = "1 message was dropped here: it was refused"


class OutboxSender:
    """
    Sends the messages of one queue.

    @param deliver: sends the first part of a message and returns the rest of its
        text; fails with L{TargetUnavailable}, L{TargetUnanswered} or
        L{DeliveryRefused}.
    @param failed: called with the reason when a message was refused, and
        whether it was dropped.
    """

    _log = Logger()

    def __init__(
        self,
        queue: str,
        outbox: Outbox,
        clock: IReactorTime,
        deliver: Callable[[OutboxMessage], Awaitable[str]],
        failed: Callable[[str, bool], None],
        overflow: OverflowPolicy,
    ) -> None:
        self._queue = queue
        self._outbox = outbox
        self._clock = clock
        self._deliver = deliver
        self._failed = failed
        self._overflow = overflow
        self._running: Deferred[None] | None = None
        self._pause: IDelayedCall | None = None
        self._completionTimer: IDelayedCall | None = None
        self._refusals = 0
        # The attempts in a row that were not answered.
        self._unanswered = 0
        # The last message that was sent, and the rest of its text, until the
        # outbox has recorded that.
        self._sent: tuple[OutboxMessage, str] | None = None
        # A message that is refused, perhaps because of its text.
        self._doubtful: OutboxMessage | None = None
        self._isStopped = False
        self._isWoken = False

    def wake(self) -> None:
        """
        Send the messages of the queue. To be called when a message was written to
        it, and when the target can be reached again.
        """
        self._isWoken = True
        if self._running is not None or self._isStopped or self._pause is not None:
            return
        # Set before it runs, because sending may call this method again.
        done: Deferred[None] = Deferred()
        self._running = done

        def ended(result: object) -> None:
            self._running = None
            done.callback(None)

        Deferred.fromCoroutine(self._run()).addErrback(self._ebRun).addBoth(ended)

    def stop(self) -> Deferred[None]:
        """
        Send no further message.

        @return: fires when the message that is being sent is accepted, refused
            or lost.
        """
        self._isStopped = True
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._completionTimer is not None:
            self._completionTimer.cancel()
            self._completionTimer = None
        return self._running or succeed(None)

    async def _run(self) -> None:
        while not self._isStopped:
            self._isWoken = False
            self._acknowledge()
            message = self._next()
            if message is None or not (message.isReady or self._isOverdue(message)):
                return
            try:
                rest = await self._deliver(message)
            except TargetUnavailable:
                # The target wakes us when it is available; it may have done so.
                if not self._isWoken:
                    return
            except TargetUnanswered as e:
                self._unanswered += 1
                self._failed(str(e), False)
                self._pauseFor(_pauseAfter(self._unanswered))
                return
            except DeliveryRefused as e:
                if self._refused(message, e):
                    return
            except sqlite3.Error:
                raise
            except Exception:
                self._log.failure("Sending to {queue} failed.", queue=self._queue)
                error = DeliveryRefused("internal error of the relay", isFinal=True)
                if self._refused(message, error):
                    return
            else:
                self._refusals = self._unanswered = 0
                self._sent = message, rest
                self._acknowledge()

    def _ebRun(self, failure: Failure) -> None:
        if failure.check(sqlite3.Error):
            self._log.error(
                "Sending to {queue} is paused: database error: {reason}; retrying"
                " in {delay} s.",
                queue=self._queue,
                reason=failure.getErrorMessage(),
                delay=LONGEST_PAUSE,
            )
        else:
            self._log.failure(
                "Sending to {queue} failed; retrying in {delay} s.",
                failure,
                queue=self._queue,
                delay=LONGEST_PAUSE,
            )
        self._pauseFor(LONGEST_PAUSE)

    def _acknowledge(self) -> None:
        # Nothing else is sent until the outbox has recorded this: the message
        # would be sent again.
        if self._sent is None:
            return
        message, rest = self._sent
        if message.serial:
            self._outbox.acknowledge(message, rest)
        elif self._doubtful is not None:
            self._outbox.acknowledge(self._doubtful, "")
        else:
            self._outbox.clearLostCount(self._queue)
        self._sent = self._doubtful = None

    def _isOverdue(self, message: OutboxMessage) -> bool:
        left = message.time / 1000 + COMPLETION_TIMEOUT - self._clock.seconds()
        if left <= 0:
            return True
        if self._completionTimer is None:
            self._completionTimer = self._clock.callLater(
                min(left, COMPLETION_TIMEOUT), self._completionTimedOut
            )
        return False

    def _completionTimedOut(self) -> None:
        self._completionTimer = None
        self.wake()

    def _next(self) -> OutboxMessage | None:
        if self._doubtful is not None:
            return self._notice(_ONE_REFUSED)
        message = self._outbox.first(self._queue)
        lost = self._outbox.lost(self._queue)
        # The oldest messages were dropped before the first message in the queue, the
        # newest ones after it.
        if lost and (message is None or self._overflow is OverflowPolicy.DROP_OLDEST):
            count = "1 message was" if lost == 1 else f"{lost} messages were"
            reason = "the queue was full, or it was refused"
            return self._notice(f"{count} dropped here: {reason}")
        return message

    def _notice(self, text: str) -> OutboxMessage:
        return OutboxMessage(self._queue, "", 0, "", text, MessageKind.SYSTEM)

    def _refused(self, message: OutboxMessage, problem: DeliveryRefused) -> bool:
        """
        Drop a refused message, or pause before the next try.

        @return: whether sending is paused.
        """
        self._refusals += 1
        isTooOften = self._refusals >= MAX_REFUSALS and message.serial > 0
        isDropped = problem.isFinal and isTooOften
        self._failed(str(problem), isDropped)
        if isDropped:
            self._refusals = 0
            self._outbox.drop(message)
            return False
        # When a notice in its place is accepted, the text was the reason.
        self._doubtful = message if isTooOften else None
        self._pauseFor(_pauseAfter(self._refusals))
        return True

    def _pauseFor(self, seconds: float) -> None:
        if not self._isStopped:
            self._pause = self._clock.callLater(seconds, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self.wake()


def _pauseAfter(attempts: int) -> float:
    return float(min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE))
