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
    # Those who were cut off together must not come back together.
    return random.uniform(0.0, 3.0)


signOnBackoff = backoffPolicy(
    initialDelay=1.0, maxDelay=300.0, factor=2.0, jitter=_spread
)


class WebQQService(MultiService):
    """
    Keeps one account signed on, from C{startService} to C{stopService}.

    While the account is online this has a child, with the poll chain and the
    heartbeat in it: being online is having that child.

    @param factory: builds a protocol for each sign-on.
    @param client: speaks for this account alone.
    @param era: what the server wants; ours takes all.
    @param heartbeat: the seconds between two heartbeats.
    @param backoff: the seconds to wait before an attempt, by the number of
        those that have failed.
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
        self._driver.start()

    def stopService(self) -> Deferred[None]:
        """
        Sign off.

        @return: fires when the server has been told, or could not be within
            C{GRACE} seconds, and nothing is in flight.
        """
        stopped = maybeDeferred(super().stopService)
        left = self._driver.leave()
        return stopped.addCallback(lambda _: left)

    def signOn(self) -> None:
        """
        Try again after a kick, a refusal or a sign-off; a person decides that.
        A service that is stopped does not.
        """
        if self.running:
            self._driver.start()

    def signOff(self) -> Deferred[None]:
        """
        Leave until C{signOn} is called.

        @return: as C{stopService}.
        """
        return self._driver.leave()

    def whenSignedOn(self) -> Deferred[IWebQQProtocol]:
        """
        Wait for a session.

        @return: fires with the protocol that is signed on, now or next; fails
            with L{LoginRefused}, L{Kicked}, L{LoggedOut} or L{NotSignedOn}
            when there will be none without a person.
        """
        return self._driver.whenSignedOn()

    def whenSignedOff(self) -> Deferred[None]:
        """
        Wait for the end.

        @return: fires when somebody signed off, fails with L{LoginRefused},
            L{Kicked} or L{LoggedOut} when the server ended it for good.
        """
        return self._driver.whenSignedOff()
