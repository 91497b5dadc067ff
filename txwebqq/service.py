"""
The service that keeps one account signed on.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from twisted.application.internet import backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime

from txwebqq.client import WebQQClient
from txwebqq.interfaces import IWebQQFactory, IWebQQProtocol
from txwebqq.model import Account
from txwebqq.session.driver import SignOnDriver
from txwebqq.session.interfaces import Era


def _spread() -> float:
    # So that accounts that lost their server together do not sign on together.
    return random.uniform(0.0, 3.0)


signOnBackoff = backoffPolicy(
    initialDelay=1.0, maxDelay=300.0, factor=2.0, jitter=_spread
)


class WebQQService(MultiService):
    """
    Keeps one account signed on, from C{startService} to C{stopService}.

    While the account is online this service has one child, which contains the
    poll loop and the heartbeat.

    @param factory: builds a protocol for each sign-on.
    @param client: sends the requests of this account, and of no other.
    @param era: the login variant that the server wants; the server of this
        package accepts all.
    @param heartbeat: the seconds between two heartbeats.
    @param backoff: returns the seconds to wait before an attempt, given the
        number of attempts that have failed.
    """

    def __init__(
        self,
        account: Account,
        factory: IWebQQFactory,
        client: WebQQClient,
        clock: IReactorTime,
        *,
        era: Era = Era.E1,
        heartbeat: float = 60.0,
        backoff: Callable[[int], float] = signOnBackoff,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.account = account
        self._driver = SignOnDriver(
            self, account, factory, client, clock, era, heartbeat, backoff
        )

    def startService(self) -> None:
        """
        Sign on.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._driver.signOn()

    def stopService(self) -> Deferred[None]:
        """
        Sign off.

        @return: fires when the server has been told, or could not be within
            L{GRACE<txwebqq.session.inflight.GRACE>} seconds, and no request is
            in flight.
        """
        stopped = maybeDeferred(super().stopService)
        left = self._driver.signOff()
        return stopped.addCallback(lambda _: left)

    def signOn(self) -> None:
        """
        Sign on again after a kick, a refused login or a sign-off. Call this
        only when a person decides so. It has no effect on a stopped service.
        """
        if self.running:
            self._driver.signOn()

    def signOff(self) -> Deferred[None]:
        """
        Sign off, until C{signOn} is called.

        @return: as C{stopService}.
        """
        return self._driver.signOff()

    def whenSignedOn(self) -> Deferred[IWebQQProtocol]:
        """
        Wait until the account is signed on.

        @return: fires with the protocol that is signed on, now or next; fails
            with L{LoginRefused}, L{Kicked}, L{LoggedOut} or L{NotSignedOn}
            when the service stays offline until C{signOn} is called.
        """
        return self._driver.whenSignedOn()

    def whenSignedOff(self) -> Deferred[None]:
        """
        Wait until the service stays offline.

        @return: fires after a sign-off; fails with L{LoginRefused}, L{Kicked}
            or L{LoggedOut} when the server has ended the session for good. A
            lost session that is followed by another sign-on does not count.
        """
        return self._driver.whenSignedOff()
