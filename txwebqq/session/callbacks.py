"""
Calls of an application's callbacks, which never nest and cannot break the
session.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVarTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import WebQQError
from txwebqq.interfaces import IWebQQProtocol
from txwebqq.model import Account

Ts = TypeVarTuple("Ts")


class CallbackQueue:
    """
    Runs the callbacks of one account one after another, through all its
    sign-ons.
    """

    def __init__(self) -> None:
        # Mostly empty: a deque of each account would take more memory.
        self._waiting: list[Callable[[], None]] = []
        self._isRunning = False

    def run(self, call: Callable[[*Ts], None], *args: *Ts) -> None:
        """
        Make a call, which does not raise, at once or after the running one.
        """
        if self._isRunning:
            self._waiting.append(partial(call, *args))
            return
        self._isRunning = True
        try:
            call(*args)
            while self._waiting:
                self._waiting.pop(0)()
        finally:
            self._isRunning = False


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
        self._queue.run(self._call, name, args)

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
