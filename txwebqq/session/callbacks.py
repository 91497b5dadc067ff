"""
Calls of an application's callbacks, which never nest and cannot break the
session.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import WebQQError
from txwebqq.interfaces import IWebQQProtocol
from txwebqq.model import Account, MessagesMissed
from txwebqq.session.incoming.counts import IncomingCounts

MAX_UNFINISHED = 1000
"""Results of callbacks that may be outstanding, for factories that do not say."""


class CallbackQueue:
    """
    The callbacks of one account that wait for the one that is running, through all
    its sign-ons.

    @param counts: knows how many results of callbacks have not fired.
    @param limit: the number of such results from which on events wait.

    @ivar isRunning: whether a callback is running.
    @ivar waiting: calls to make after it, which do not raise.
    @ivar onFree: called when events need not wait any more.
    """

    __slots__ = ("_counts", "_isFull", "_limit", "isRunning", "onFree", "waiting")

    def __init__(
        self, counts: IncomingCounts | None = None, limit: int = MAX_UNFINISHED
    ) -> None:
        self._counts = counts or IncomingCounts()
        self._limit = max(1, limit)
        self._isFull = False
        self.onFree: Callable[[], None] | None = None
        self.isRunning = False
        # Mostly empty: a deque of each account would take more memory.
        self.waiting: list[Callable[[], None]] = []

    @property
    def isFull(self) -> bool:
        """
        Whether events have to wait.
        """
        return self._isFull

    def watch(self, result: Deferred[Any]) -> None:
        """
        Count the result of a callback until it fires.
        """
        counts = self._counts
        counts.unfinished += 1
        if counts.unfinished >= self._limit:
            self._isFull = True
        result.addBoth(self._fired)

    def _fired(self, result: object) -> None:
        counts = self._counts
        counts.unfinished -= 1
        # Not with each one: events come in bundles.
        if self._isFull and counts.unfinished <= self._limit * 3 // 4:
            self._isFull = False
            if self.onFree is not None:
                self.onFree()

    def run(self, *calls: Callable[[], None]) -> None:
        """
        Make calls, which do not raise, one after the other, after the one that is
        running.
        """
        self.waiting.extend(calls)
        if self.isRunning:
            return
        self.isRunning = True
        try:
            while self.waiting:
                self.waiting.pop(0)()
        finally:
            self.isRunning = False


class GuardedCallbacks:
    """
    Calls the callbacks of one object of an application, and logs their exceptions.

    @param queue: shared by all objects of the account.
    """

    _log = Logger()

    def __init__(self, target: object, account: Account, queue: CallbackQueue) -> None:
        self._target = target
        self._number = account.number
        self._queue = queue
        self._closed = False
        # Those of the last call.
        self._args: tuple[object, ...] = ()

    def call(self, name: str, *args: object) -> None:
        """
        Call a callback, after the one that is running. The awaitable that it
        returns is checked for a failure but not waited for.
        """
        queue = self._queue
        if queue.isRunning:
            queue.waiting.append(partial(self._call, name, args))
            return
        # As queue.run, in less time: there is one call for each message.
        queue.isRunning = True
        try:
            self._call(name, args)
            while queue.waiting:
                queue.waiting.pop(0)()
        finally:
            queue.isRunning = False

    def prepared(self, name: str, *args: object) -> Callable[[], None]:
        """
        Return a function that makes a call, for L{CallbackQueue.run}.
        """
        return partial(self._call, name, args)

    def _call(self, name: str, args: tuple[object, ...]) -> None:
        self._args = args
        try:
            result = getattr(self._target, name)(*args)
        except Exception:
            self._logFailure(Failure(), name)
            return
        if result is not None and inspect.isawaitable(result):
            watched = _deferred(result).addErrback(self._logFailure, name)
            self._queue.watch(watched)

    def _logFailure(self, failure: Failure, name: str) -> None:
        if self._closed and failure.check(WebQQError, CancelledError):
            self._log.info(
                "Callback {name} was cut short by the end of the sign-on "
                "(account {number}): {reason}.",
                name=name,
                number=self._number,
                reason=failure.getErrorMessage(),
            )
            return
        self._log.failure(
            "Callback {name} raised an exception (account {number}).",
            failure=failure,
            name=name,
            number=self._number,
        )


class GuardedProtocol(GuardedCallbacks):
    """
    Calls the callbacks of one protocol.
    """

    def __init__(
        self, protocol: IWebQQProtocol, account: Account, queue: CallbackQueue
    ) -> None:
        super().__init__(protocol, account, queue)
        self.protocol = protocol

    def messagesMissed(self, missed: MessagesMissed) -> None:
        """
        Tell of messages that did not come, if the protocol has that callback.
        """
        if hasattr(self.protocol, "messagesMissed"):
            self.call("messagesMissed", missed)

    @property
    def handled(self) -> object:
        """
        The first argument of the callback that is running or ran last: the event,
        if it is C{eventReceived}.
        """
        return self._args[0] if self._args else None

    @property
    def isBusy(self) -> bool:
        """
        Whether events have to wait, because callbacks of the account have not
        finished.
        """
        return self._queue.isFull

    def whenFree(self, call: Callable[[], None] | None) -> None:
        """
        Have a function called when they need not wait any more, in the place of the
        function before; L{None} for none.
        """
        self._queue.onFree = call

    def close(self, reason: Failure) -> Callable[[], None]:
        """
        Log failures of callbacks as those of a sign-on that is over.

        @return: calls the last callback, C{connectionLost}.
        """
        self._closed = True
        return self.prepared("connectionLost", reason)


def _deferred(result: Awaitable[Any]) -> Deferred[Any]:
    async def wait() -> Any:
        return await result

    return result if isinstance(result, Deferred) else Deferred.fromCoroutine(wait())
