"""
The one way into application code: what it raises stays outside.
"""

from __future__ import annotations

import inspect
from collections import deque
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
    Lets one callback of an account end before the next begins.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._busy = False

    def run(self, call: Callable[[*Ts], None], *args: *Ts) -> None:
        """
        Make a call, which does not raise, now or after the present one.
        """
        if self._busy:
            self._waiting.append(partial(call, *args))
            return
        self._busy = True
        try:
            call(*args)
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._busy = False


class GuardedProtocol:
    """
    Calls one protocol, for as long as its sign-on lasts.

    @param queue: of all protocols of the account.
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
        Call a callback, unless another one is being called: then call it after
        that. What it returns is watched.
        """
        self._queue.run(self._call, name, args)

    def _call(self, name: str, args: tuple[object, ...]) -> None:
        try:
            result = getattr(self.protocol, name)(*args)
        except Exception:
            self._complain(Failure(), name)
            return
        if result is not None and inspect.isawaitable(result):
            _deferred(result).addErrback(self._complain, name)

    def close(self, reason: Failure) -> None:
        """
        Call the last callback.
        """
        self._closed = True
        self.call("connectionLost", reason)

    def _complain(self, failure: Failure, name: str) -> None:
        if self._closed and failure.check(WebQQError, CancelledError):
            # It was still at it when the sign-on ended.
            self._log.info("{name} of {n} was cut short.", name=name, n=self._number)
            return
        self._log.failure(
            "{name} of {number} raised.",
            failure=failure,
            name=name,
            number=self._number,
        )


def _deferred(result: Awaitable[Any]) -> Deferred[Any]:
    async def wait() -> Any:
        return await result

    return result if isinstance(result, Deferred) else Deferred.fromCoroutine(wait())
