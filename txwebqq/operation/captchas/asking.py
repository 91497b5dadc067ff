"""
A captcha that is shown in several ways at once: the first answer counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.errors import CaptchaLapsed, CaptchaUnsolved, WebQQError
from txwebqq.interfaces import FactoryOf
from txwebqq.model import Account, Number
from txwebqq.operation.factories import FactoryWrapper

TIME_LIMIT = 1800.0
"""Seconds after which a captcha without an answer is replaced by a new one, if the
server wants one still. Servers take an answer for some minutes; a later one is wrong,
and leads to a new captcha as well."""

APPLICATION = "the application"


class CaptchaWay(Protocol):
    """
    A way to show captchas and to have them answered.

    @ivar name: for the log.
    """

    @property
    def name(self) -> str: ...

    def ask(self, number: Number, image: bytes) -> Deferred[str]:
        """
        Show the captcha of an account.

        @return: fires with the text; fails with L{CaptchaUnsolved} when the captcha
            cannot be shown. When it is cancelled, the captcha needs no answer any
            more.
        """


class CaptchaQuestion:
    """
    One captcha, which is shown in all ways.

    @ivar answer: fires with the first text; fails with L{CaptchaUnsolved} when it
        cannot be answered in any way, with L{CaptchaLapsed} after the time limit.
    """

    _log = Logger()

    def __init__(self, number: Number, clock: IReactorTime) -> None:
        self._number = number
        self.answer: Deferred[str] = Deferred(lambda _: self._end())
        self._pending: dict[str, Deferred[str]] = {}
        self._reasons: list[str] = []
        self._isAsking = True
        self._limit: IDelayedCall = clock.callLater(TIME_LIMIT, self._lapse)

    def ask(self, ways: Sequence[tuple[str, Callable[[], Deferred[str]]]]) -> None:
        """
        Show the captcha.

        @param ways: their names, and functions that show it.
        """
        for name, show in ways:
            if self.answer.called:
                return
            shown = show()
            self._pending[name] = shown
            shown.addCallbacks(
                self._cbAnswered,
                self._ebFailed,
                callbackArgs=(name,),
                errbackArgs=(name,),
            )
        self._isAsking = False
        if self._pending:
            self._log.info(
                "The captcha of account {account} waits for an answer: {ways}.",
                account=self._number,
                ways=", ".join(self._pending),
            )
        self._failIfNoneIsLeft()

    def _cbAnswered(self, text: object, name: str) -> None:
        if self._pending.pop(name, None) is None:
            return
        if not isinstance(text, str) or not text.strip():
            self._failed(f"{name} returned no text")
            return
        self._log.info(
            "The captcha of account {account} was answered: {way}.",
            account=self._number,
            way=name,
        )
        self._end()
        self.answer.callback(text.strip())

    def _ebFailed(self, failure: Failure, name: str) -> None:
        if self._pending.pop(name, None) is None:
            # By our own cancel.
            return
        if not failure.check(WebQQError):
            self._log.failure(
                "Asking for a captcha failed (account {account}): {way}.",
                failure,
                account=self._number,
                way=name,
            )
        self._failed(failure.getErrorMessage())

    def _failed(self, reason: str) -> None:
        self._reasons.append(reason)
        if not self._isAsking:
            self._failIfNoneIsLeft()

    def _failIfNoneIsLeft(self) -> None:
        if not self._pending and not self.answer.called:
            self._end()
            self.answer.errback(CaptchaUnsolved("; ".join(self._reasons)))

    def _lapse(self) -> None:
        self._end()
        self.answer.errback(CaptchaLapsed("the captcha was not answered in time"))

    def _end(self) -> None:
        if self._limit.active():
            self._limit.cancel()
        pending, self._pending = self._pending, {}
        for shown in pending.values():
            shown.cancel()


class CaptchaFactory(FactoryWrapper):
    """
    Shows captchas in several ways besides that of the application, which is its
    callback C{captchaRequired}.
    """

    def __init__(
        self,
        factory: FactoryOf[Any],
        ways: Sequence[CaptchaWay],
        clock: IReactorTime,
    ) -> None:
        super().__init__(factory)
        self._ways = ways
        self._clock = clock

    def prepare(self, account: Account, protocol: Any) -> None:
        """
        Have the captchas of a protocol shown in all ways.
        """
        number = account.number
        ofApplication: Callable[[bytes], Awaitable[str]] = protocol.captchaRequired

        def captchaRequired(image: bytes) -> Deferred[str]:
            async def ask() -> str:
                return await ofApplication(image)

            if not self._ways:
                return Deferred.fromCoroutine(ask())
            question = CaptchaQuestion(number, self._clock)
            question.ask(
                [
                    *((way.name, _showing(way, number, image)) for way in self._ways),
                    (APPLICATION, lambda: Deferred.fromCoroutine(ask())),
                ]
            )
            return question.answer

        protocol.captchaRequired = captchaRequired


def _showing(
    way: CaptchaWay, number: Number, image: bytes
) -> Callable[[], Deferred[str]]:
    return lambda: way.ask(number, image)
