"""
L{Site} without an access log, for HTTP servers whose URLs hold secrets; and the
headers of requests as texts, and the address of the client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers
from twisted.web.server import Request, Site


def textHeaders(headers: Headers) -> dict[str, str]:
    """
    Return the first value of each header, by names in lower case, decoded as Latin-1.
    """
    return {
        name.decode("latin-1").lower(): values[0].decode("latin-1")
        for name, values in headers.getAllRawHeaders()
    }


def peerAddress(request: Request) -> str:
    """
    Return the IP address of the peer of a request, C{""} at a UNIX socket.
    """
    return getattr(request.getClientAddress(), "host", "")


class HTTP11Channel(HTTPChannel):
    """
    A server connection that speaks HTTP/1.1 only, as all clients of WebQQ do.

    @cvar usualHeaders: the headers of all replies that do not set them, by names in
        the capitals of L{Headers.getAllRawHeaders}.
    """

    usualHeaders: Mapping[bytes, Sequence[bytes]] = {}

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers
    ) -> None:
        # One write for the whole head: each write costs the transport a buffer.
        lines = [b"%b %b %b" % (version, code, reason)]
        own = dict(headers.getAllRawHeaders())
        for name, values in {**self.usualHeaders, **own}.items():
            lines += [b"%b: %b" % (name, value) for value in values]
        assert self.transport is not None
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")


class SiteWithoutAccessLog(Site):
    """
    A L{Site} without an access log: a URL may hold a secret, such as the digest
    of a password or the link to a picture.

    Forms are left to the resources: Twisted reads those in memory, and raises an
    exception for some values of C{Content-Type}.
    """

    noisy = False
    name = "HTTP server"
    """The name of the server in log lines."""

    protocol = HTTP11Channel  # type: ignore[assignment]

    def logPrefix(self) -> str:
        return self.name

    def __init__(
        self, *args: Any, parsePOSTFormSubmission: bool = False, **more: Any
    ) -> None:
        base: Any = super()
        base.__init__(*args, parsePOSTFormSubmission=parsePOSTFormSubmission, **more)

    # Site opens and closes its access log in these two.

    def startFactory(self) -> None: ...

    def stopFactory(self) -> None: ...
