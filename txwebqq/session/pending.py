"""
Requests and delays that the sign-on machine waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from automat import NoTransition
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.model import Number

T = TypeVar("T")


class CanFail(Protocol):
    """
    The input of a sign-on machine by which it hears of an internal error.
    """

    def failed(self, reason: str) -> None:
        """
        A step of the sign-on has failed.
        """


class PendingInputs:
    """
    Turns results of requests, and the ends of delays, into inputs of the
    sign-on machine, unless they are cancelled before.
    """

    _log = Logger()

    def __init__(self, machine: CanFail, clock: IReactorTime, number: Number) -> None:
        self._machine = machine
        self._clock = clock
        self._number = number
        self._results: set[Deferred[Any]] = set()
        self._delays: set[IDelayedCall] = set()

    def expect(
        self,
        result: Deferred[T],
        succeeded: Callable[[T], None],
        failed: Callable[[Failure], None],
    ) -> None:
        """
        Pass a result to the machine.

        @param succeeded: makes an input of the result.
        @param failed: makes an input of a failure.
        """
        self._results.add(result)
        isEarly = True

        def came(makeInput: Callable[[Any], None], value: Any) -> None:
            if isEarly:
                # The machine is still within the action that expects this, and
                # must be able to cancel it.
                self.later(0, lambda: self._pass(result, makeInput, value))
            else:
                self._pass(result, makeInput, value)

        result.addCallbacks(partial(came, succeeded), partial(came, failed))
        isEarly = False

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """
        Make a call after a delay.
        """

        def due() -> None:
            self._delays.discard(delay)
            call()

        delay = self._clock.callLater(seconds, due)
        self._delays.add(delay)

    def cancel(self) -> None:
        """
        Cancel all results and delays that are pending.
        """
        delays, self._delays = self._delays, set()
        for delay in delays:
            delay.cancel()
        results, self._results = self._results, set()
        for result in results:
            result.cancel()

    def _pass(
        self, result: Deferred[Any], makeInput: Callable[[Any], None], value: Any
    ) -> None:
        # Our own cancel fires the result as well.
        if result not in self._results:
            return
        self._results.discard(result)
        try:
            makeInput(value)
        except Exception:
            self._log.failure(
                "Internal error during sign-on (account {number}).",
                number=self._number,
            )
            with suppress(NoTransition):
                self._machine.failed("internal error")
