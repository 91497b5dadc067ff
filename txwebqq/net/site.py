"""
HTTP servers that keep to themselves what they are asked.
"""

from __future__ import annotations

from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers
from twisted.web.server import Site


class HTTP11Channel(HTTPChannel):
    """
    A connection that speaks HTTP/1.1, which is all that clients of WebQQ do.
    """

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers
    ) -> None:
        """
        Write the head of an answer in one piece: transports look at each piece.
        """
        lines = [b"%b %b %b" % (version, code, reason)]
        for name, values in headers.getAllRawHeaders():
            lines += [b"%b: %b" % (name, value) for value in values]
        assert self.transport is not None
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n")


class SiteWithoutAccessLog(Site):
    """
    A L{Site} without an access log: what is asked for can be a secret, such as
    the digest of a password or the link to somebody's picture.
    """

    noisy = False
    protocol = HTTP11Channel  # type: ignore[assignment]

    def startFactory(self) -> None:
        """
        Nothing to do: what it does otherwise is for the access log.
        """

    def stopFactory(self) -> None:
        """
        Likewise.
        """
