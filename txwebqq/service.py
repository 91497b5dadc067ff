"""
The service that keeps one account signed on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic

from twisted.application.internet import backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from typing_extensions import TypeVar
from zope.interface import implementer

from txwebqq.client import WebQQClient
from txwebqq.errors import CaptchaUnsolved
from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import Account, QueuedMessage, QueuePolicy, SendOutcome
from txwebqq.outbox.queue import DEFAULT_POLICY, MessageQueue, ignoreSettled
from txwebqq.protocol import WebQQProtocol
from txwebqq.session.driver import SignOnDriver
from txwebqq.session.interfaces import Era as Era
from txwebqq.session.liveness.stalls import whenStalled
from txwebqq.sessionfile import SessionKeeper


def _spread() -> float:
    # So that accounts that lost their server together do not sign on together.
    return random.uniform(0.0, 3.0)


CAPTCHA_RETRY = 660.0
"""Time after which daemons try again to sign on an account whose captcha was not
solved, in seconds. Servers want captchas for ten minutes after wrong passwords, which
may have been those of another person."""

signOnBackoff = backoffPolicy(
    initialDelay=1.0, maxDelay=300.0, factor=2.0, jitter=_spread
)


# A service that is annotated without it has protocols of any class.
P_co = TypeVar("P_co", covariant=True, default=WebQQProtocol)


@implementer(IAccountService)
class WebQQService(MultiService, Generic[P_co]):
    """
    Keeps one account signed on, from C{startService} to C{stopService}. Type
    checkers know the class of its protocols from the factory.

    While the account is online this service has a child, which contains the poll
    loop and the heartbeat. Its queue is another one, if there is one.

    @param factory: builds a protocol for each sign-on.
    @param client: sends the requests of this account, and of no other.
    @param era: the login variant that the server wants; the server of this
        package accepts all.
    @param heartbeat: the seconds between two heartbeats.
    @param backoff: returns the seconds to wait before an attempt, given the
        number of attempts that have failed.
    @param keeper: keeps the session for the next process, which goes on with it: then
        C{stopService} does not sign off.
    @param captchaRetry: the seconds after which the account is signed on again if its
        captcha was not solved, L{None} to stay offline then.

    @param seenFile: a file that remembers the events that were delivered last, so that
        the next process drops those that come again; L{None} for none. Each account
        has its own.

    @raise InvalidConfiguration: when that file cannot be used.

    @ivar signOns: the counts of the sign-ons, and the present state.
    """

    _log = Logger()

    def __init__(
        self,
        account: Account,
        factory: FactoryOf[P_co],
        client: WebQQClient,
        clock: IReactorTime,
        *,
        era: Era = Era.E1,
        heartbeat: float = 60.0,
        backoff: Callable[[int], float] = signOnBackoff,
        captchaRetry: float | None = None,
        keeper: SessionKeeper | None = None,
        seenFile: Path | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.account = account
        self._clock = clock
        self._captchaRetry = captchaRetry
        self._retry: IDelayedCall | None = None
        self._unwatch: Callable[[], None] | None = None
        self._signedOff: Deferred[None] | None = None
        self._isKept = keeper is not None
        self._driver = SignOnDriver(
            self,
            account,
            factory,
            client,
            clock,
            era,
            heartbeat,
            backoff,
            keeper,
            seenFile,
        )
        self.signOns = self._driver.signOns

    def startService(self) -> None:
        """
        Sign on.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._unwatch = whenStalled(self._clock, self._driver.resume)
        self.signOn()

    def stopService(self) -> Deferred[None]:
        """
        Sign off, unless the session is kept for the next process.

        @return: fires when the server has been told, or could not be within
            L{GRACE<txwebqq.session.inflight.GRACE>} seconds, and no request is
            in flight.
        """
        stopped = maybeDeferred(super().stopService)
        self._stopRetry()
        driver = self._driver
        if self._unwatch is not None:
            self._unwatch()
        left = driver.suspend() if self._isKept else driver.signOff()
        return stopped.addCallback(lambda _: left)

    def signOn(self) -> None:
        """
        Sign on again after a kick, a refused login or a sign-off. Call this
        only when a person decides so. It has no effect on a stopped service.
        """
        if self.running:
            self._stopRetry()
            if self._captchaRetry is not None:
                self._signedOff = self._driver.whenSignedOff()
                self._signedOff.addErrback(self._ebSignedOff, self._captchaRetry)
            self._driver.signOn()

    def _ebSignedOff(self, failure: Failure, seconds: float) -> None:
        self._signedOff = None
        if self.running and failure.check(CaptchaUnsolved):
            self._log.warn(
                "Not signed on (account {number}): the captcha was not solved;"
                " retrying in {seconds:g} s.",
                number=self.account.number,
                seconds=seconds,
            )
            self._retry = self._clock.callLater(seconds, self._cbRetry)

    def _cbRetry(self) -> None:
        self._retry = None
        self.signOn()

    def _stopRetry(self) -> None:
        retry, self._retry = self._retry, None
        if retry is not None:
            retry.cancel()
        signedOff, self._signedOff = self._signedOff, None
        if signedOff is not None:
            signedOff.cancel()

    def signOff(self) -> Deferred[None]:
        """
        Sign off, until C{signOn} is called.

        @return: as C{stopService}.
        """
        self._stopRetry()
        return self._driver.signOff()

    def addQueue(
        self,
        path: str | Path,
        settled: Callable[[QueuedMessage, SendOutcome], object] = ignoreSettled,
        policy: QueuePolicy = DEFAULT_POLICY,
    ) -> MessageQueue:
        """
        See L{IAccountService.addQueue}.
        """
        queue = MessageQueue(path, self, self._clock, settled=settled, policy=policy)
        queue.setServiceParent(self)  # type: ignore[no-untyped-call]
        return queue

    def whenSignedOn(self) -> Deferred[P_co]:
        """
        Wait until the account is signed on.

        @return: fires with the protocol that is signed on, now or next; fails
            with L{LoginRefused}, L{Kicked}, L{LoggedOut} or L{NotSignedOn}
            when the service stays offline until C{signOn} is called.
        """
        # The factory has built it.
        protocol: Deferred[Any] = self._driver.whenSignedOn()
        return protocol

    def whenSignedOff(self) -> Deferred[None]:
        """
        Wait until the service stays offline.

        @return: fires after a sign-off; fails with L{LoginRefused}, L{Kicked}
            or L{LoggedOut} when the server has ended the session for good. A
            lost session that is followed by another sign-on does not count.
        """
        return self._driver.whenSignedOff()
