"""
The one way into application code: what it raises stays outside.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import NotSignedOn
from txwebqq.interfaces import IWebQQProtocol
from txwebqq.model import Account


class Door:
    """
    Calls one protocol, for as long as its sign-on lasts.
    """

    _log = Logger()

    def __init__(self, protocol: IWebQQProtocol, account: Account) -> None:
        self.protocol = protocol
        self._number = account.number
        self._closed = False

    def call(self, name: str, *args: object) -> None:
        """
        Call a callback, and watch what it returns.
        """
        try:
            result = getattr(self.protocol, name)(*args)
        except Exception:
            self._complain(Failure(), name)
            return
        if inspect.isawaitable(result):
            _deferred(result).addErrback(self._complain, name)

    def close(self, reason: Failure) -> None:
        """
        Call the last callback.
        """
        self._closed = True
        self.call("connectionLost", reason)

    def _complain(self, failure: Failure, name: str) -> None:
        if self._closed and failure.check(NotSignedOn, CancelledError):
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
