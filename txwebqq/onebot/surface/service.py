"""
The service of one account that bots use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred

from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import Number
from txwebqq.net.endpoints import EndpointCache
from txwebqq.net.tls import policyFor
from txwebqq.net.treqsetup import LazyTreq
from txwebqq.onebot.surface.account import SurfaceAccount
from txwebqq.onebot.surface.config import SurfaceSettings
from txwebqq.onebot.surface.httpapi import HTTPListener
from txwebqq.onebot.surface.httppost import EventPoster
from txwebqq.onebot.surface.pictures import PictureLoader
from txwebqq.onebot.surface.protocol import SurfaceFactory, SurfaceProtocol
from txwebqq.onebot.surface.websockets import ForwardListener, ReverseDialler

CONNECT_TIMEOUT = 20
"""Seconds that connecting to a bot may take."""


class SurfaceService(MultiService):
    """
    Keeps an account signed on, and its bots connected. Bots stay connected while the
    account is signed off.

    @param makeAccount: makes the service that keeps the account signed on, of the
        factory of its protocols.

    @raise InvalidConfiguration: when an endpoint cannot be used.
    """

    def __init__(
        self,
        number: Number,
        settings: SurfaceSettings,
        makeAccount: Callable[[FactoryOf[SurfaceProtocol]], IAccountService],
        reactor: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        loader = PictureLoader(reactor)
        self.account = SurfaceAccount(
            number, reactor, loader, settings.folder, settings.remembered
        )
        self._clients: list[LazyTreq | PictureLoader] = [loader]
        children: list[Any] = [
            ForwardListener(self.account, each, reactor) for each in settings.forward
        ]
        children += [
            ReverseDialler(self.account, each, reactor) for each in settings.reverse
        ]
        children += [
            HTTPListener(self.account, each, reactor) for each in settings.http
        ]
        for each in settings.post:
            policy = policyFor(each.caFile)
            treq = LazyTreq(reactor, EndpointCache(reactor, policy, CONNECT_TIMEOUT))
            self._clients.append(treq)
            children.append(EventPoster(self.account, each, treq))
        # The last one stops first: bots are told of the events that wait for it.
        children.append(makeAccount(SurfaceFactory(self.account)))
        self._settings = settings
        self._withTokens: list[tuple[str, Any]] = [
            (f"{kind} {position}", getattr(child, "resource", child))
            for kind, made in (
                ("forward", ForwardListener),
                ("reverse", ReverseDialler),
                ("http", HTTPListener),
            )
            for position, child in enumerate(
                [each for each in children if isinstance(each, made)], 1
            )
        ]
        for child in children:
            child.setServiceParent(self)

    def reload(self, settings: SurfaceSettings) -> dict[str, bool]:
        """
        Change the tokens of bots. Those that are connected stay so.

        @return: as C{apply} of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.
        """
        new: dict[str, Any] = {}
        for kind in ("forward", "reverse", "http"):
            for position, each in enumerate(getattr(settings, kind), 1):
                new[f"{kind} {position}"] = each
        applied = {}
        for name, child in self._withTokens:
            old = child.settings
            # At another address the token may be none, which is not for this one.
            if name in new and replace(new[name], token=old.token) == old:
                key = f"account {self.account.number}.{name}.token-file"
                applied[key] = new[name].token != old.token
                child.settings = new[name]
        return applied

    def stopService(self) -> Deferred[None]:
        """
        Sign off, and close the connections of the bots.

        @return: fires when that is done.
        """
        stopped = maybeDeferred(super().stopService)

        async def stop() -> None:
            await stopped
            self.account.handover.stop()
            for client in self._clients:
                await client.close()

        return Deferred.fromCoroutine(stop())
