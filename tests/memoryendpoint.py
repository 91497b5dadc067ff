"""
Connections to a resource, without a network.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.test import iosim
from twisted.web.error import SchemeNotSupported
from twisted.web.resource import IResource
from twisted.web.server import Site
from zope.interface import implementer


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """
    Connects clients to a resource, without a network.
    """

    def __init__(self, resource: IResource) -> None:
        self._site = Site(resource, reactor=MemoryReactorClock())
        self._pumps: list[iosim.IOPump] = []

    def find(self, server: str) -> MemoryEndpoint:
        """
        Find the endpoint of a server.
        """
        if not server.startswith(("http://", "https://")):
            raise SchemeNotSupported(server)
        return self

    def connect(self, factory: Any) -> Deferred[Any]:
        """
        Connect.
        """
        server = self._site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 80))
        client = factory.buildProtocol(None)
        ends = (
            iosim.FakeTransport(server, isServer=True),
            iosim.FakeTransport(client, isServer=False),
        )
        self._pumps.append(iosim.connect(server, ends[0], client, ends[1]))
        return succeed(client)

    @property
    def connections(self) -> int:
        """
        The number of connections that neither end has closed.
        """
        return sum(
            not (pump.clientIO.disconnected or pump.serverIO.disconnected)
            for pump in self._pumps
        )

    def flush(self) -> None:
        """
        Deliver the data that was written.
        """
        while any(pump.flush() for pump in self._pumps):
            pass
