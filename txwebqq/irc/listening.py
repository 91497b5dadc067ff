"""
What gateway and relay listen with.
"""

from __future__ import annotations

from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IProtocolFactory

from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.accounts import PictureSettings
from txwebqq.irc.links import Bounds, LinkResource, Links
from txwebqq.net.site import QuietSite
from txwebqq.sqlite.database import Database

DAY = 24 * 3600


def listening(
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


def showing(
    settings: PictureSettings, database: Database, reactor: Any
) -> tuple[Links, StreamServerEndpointService]:
    """
    Links to what is in a database, and what serves them.
    """
    bounds = Bounds(total=settings.megabytes << 20, seconds=settings.days * DAY)
    links = Links(database, reactor.seconds, settings.url, bounds)
    site = QuietSite(LinkResource(links))  # type: ignore[no-untyped-call]
    return links, listening(settings.listen, site, reactor)
