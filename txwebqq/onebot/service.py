"""
The service that keeps one account of today's QQ signed on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic

from twisted.application.internet import backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from typing_extensions import TypeVar
from zope.interface import implementer

from txwebqq.client import TreqLike
from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import Account, QueuedMessage, QueuePolicy, SendOutcome
from txwebqq.net.endpoints import EndpointCache
from txwebqq.net.tls import policyFor
from txwebqq.net.treqsetup import LazyTreq
from txwebqq.onebot.actions.downloads import Downloads
from txwebqq.onebot.connectors import CONNECT_TIMEOUT, Connector
from txwebqq.onebot.driver import OneBotDriver, Pace
from txwebqq.outbox.queue import DEFAULT_POLICY, MessageQueue, ignoreSettled
from txwebqq.protocol import WebQQProtocol

DEFAULT_PACE = Pace()

P_co = TypeVar("P_co", covariant=True, default=WebQQProtocol)

reconnectBackoff = backoffPolicy(
    initialDelay=1.0, maxDelay=60.0, factor=2.0, jitter=lambda: random.uniform(0.0, 1.0)
)


@implementer(IAccountService)
class OneBotService(MultiService, Generic[P_co]):
    """
    Keeps one account signed on through a program that speaks OneBot 11, from
    C{startService} to C{stopService}.

    @param account: its password is not needed: the program has signed on.
    @param factory: builds a protocol for each sign-on, that is for each link.
    @param connector: makes the links.
    @param clock: the reactor.
    @param treq: fetches pictures and files by their URLs; by default with
        connections of its own.
    @param pace: the pace of what is sent.
    @param backoff: returns the seconds to wait before an attempt, given the number of
        attempts that have failed.

    @ivar signOns: the counts of the sign-ons, and the present state.
    """

    def __init__(
        self,
        account: Account,
        factory: FactoryOf[P_co],
        connector: Connector,
        clock: IReactorTime,
        *,
        treq: TreqLike | None = None,
        pace: Pace = DEFAULT_PACE,
        backoff: Callable[[int], float] = reconnectBackoff,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.account = account
        self._clock = clock
        # Used with the first request only.
        endpoints = EndpointCache(clock, policyFor(None), CONNECT_TIMEOUT)
        self._treq = LazyTreq(clock, endpoints)
        downloads = Downloads(treq or self._treq, clock)
        self._driver = OneBotDriver(
            account, factory, connector, downloads, clock, pace, backoff
        )
        self.signOns = self._driver.signOns
        if connector.service is not None:
            connector.service.setServiceParent(self)

    def startService(self) -> None:
        """
        Sign on.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self.signOn()

    def stopService(self) -> Deferred[None]:
        """
        Sign off.

        @return: fires when the connections are closed.
        """
        left = self._driver.signOff()
        stopped = maybeDeferred(super().stopService)
        return left.addCallback(lambda _: stopped).addCallback(
            lambda _: self._treq.close()
        )

    def signOn(self) -> None:
        """
        Sign on again after a refusal or a sign-off. It has no effect on a stopped
        service.
        """
        if self.running:
            self._driver.signOn()

    def signOff(self) -> Deferred[None]:
        """
        Sign off, until C{signOn} is called: the link is closed; the program stays
        signed on to QQ.

        @return: as C{stopService}.
        """
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
        See L{IAccountService.whenSignedOn}.
        """
        protocol: Deferred[Any] = self._driver.whenSignedOn()
        return protocol

    def whenSignedOff(self) -> Deferred[None]:
        """
        See L{IAccountService.whenSignedOff}.
        """
        return self._driver.whenSignedOff()
