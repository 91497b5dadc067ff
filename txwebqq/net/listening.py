"""
Services that listen at an endpoint of a configuration file.
"""

from __future__ import annotations

from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IProtocolFactory

from txwebqq.errors import InvalidConfiguration


def listeningService(
    endpoint: str, factory: IProtocolFactory, reactor: Any
) -> StreamServerEndpointService:
    """
    A service that listens; its start fails when the port is taken.

    @raise InvalidConfiguration: when the endpoint is none.
    """
    try:
        server = serverFromString(reactor, endpoint)
    except (ValueError, TypeError, OSError) as e:
        raise InvalidConfiguration(f"{endpoint}: {e}") from e
    service = StreamServerEndpointService(server, factory)
    # A port that is taken ends the process, with its reason.
    service._raiseSynchronously = True
    return service
