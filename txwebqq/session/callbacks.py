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
from txwebqq.model import Account


class CallbackQueue:
    """
    The callbacks of one account that wait for the one that is running, through all
    its sign-ons.

    @ivar isRunning: whether a callback is running.
    @ivar waiting: calls to make after it, which do not raise.
    """

    __slots__ = ("isRunning", "waiting")

    def __init__(self) -> None:
        self.isRunning = False
        # Mostly empty: a deque of each account would take more memory.
        self.waiting: list[Callable[[], None]] = []


class GuardedProtocol:
    """
    Calls the callbacks of one protocol, and logs their exceptions.

    @param queue: shared by all protocols of the account.
    """

    _log = Logger()

    def __init__(
        self, protocol: IWebQQProtocol, account: Account, queue: CallbackQueue
    ) -> None:
        self.protocol = protocol
        self._number = account.number
        self._queue = queue
        self._closed = False

    def call(self, name: str, *args: object) -> None:
        """
        Call a callback, after the one that is running. The awaitable that it
        returns is checked for a failure but not waited for.
        """
        queue = self._queue
        if queue.isRunning:
            queue.waiting.append(partial(self._call, name, args))
            return
        queue.isRunning = True
        try:
            self._call(name, args)
            while queue.waiting:
                queue.waiting.pop(0)()
        finally:
            queue.isRunning = False

    def close(self, reason: Failure) -> None:
        """
        Call the last callback, C{connectionLost}.
        """
        self._closed = True
        self.call("connectionLost", reason)

    def _call(self, name: str, args: tuple[object, ...]) -> None:
        try:
            result = getattr(self.protocol, name)(*args)
        except Exception:
            self._logFailure(Failure(), name)
            return
        if result is not None and inspect.isawaitable(result):
            _deferred(result).addErrback(self._logFailure, name)

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


def _deferred(result: Awaitable[Any]) -> Deferred[Any]:
    async def wait() -> Any:
        return await result

    return result if isinstance(result, Deferred) else Deferred.fromCoroutine(wait())
