"""
Factories that pass everything on to the factory of an application.
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from txwebqq.interfaces import (
    FactoryOf,
    IStateObserver,
    IWebQQFactory,
    IWebQQProtocol,
)
from txwebqq.model import Account, StateChange


@implementer(IWebQQFactory, IStateObserver)
class FactoryWrapper:
    """
    Builds the protocols of another factory. Subclasses see the protocols and the
    states before the application does.
    """

    def __init__(self, factory: FactoryOf[Any]) -> None:
        self._factory = factory
        # The session reads it.
        known: int | None = getattr(factory, "maxUnfinished", None)
        if known is not None:
            self.maxUnfinished = known

    def buildProtocol(self, account: Account) -> Any:
        """
        Build a protocol, and prepare it.
        """
        built: object = self._factory.buildProtocol(account)
        if not IWebQQProtocol.providedBy(built):
            # The caller reports it.
            return built
        protocol: Any = built
        self.prepare(account, protocol)
        makeConnection = protocol.makeConnection

        def connect(account: Account, transport: Any, factory: object) -> object:
            # Applications know their own factory.
            return makeConnection(account, transport, self._factory)

        protocol.makeConnection = connect
        return protocol

    def prepare(self, account: Account, protocol: Any) -> None:
        """
        Replace methods of a new protocol.
        """

    def stateChanged(self, account: Account, change: StateChange) -> object:
        """
        Pass a change of the state on.
        """
        factory: Any = self._factory
        if not IStateObserver.providedBy(factory):
            return None
        result: object = factory.stateChanged(account, change)
        return result
