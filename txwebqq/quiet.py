"""
HTTP servers that keep to themselves what they are asked.
"""

from __future__ import annotations

from twisted.web.server import Site


class QuietSite(Site):
    """
    A L{Site} without an access log: what is asked for can be a secret, such as
    the digest of a password or the link to somebody's picture.
    """

    noisy = False

    def startFactory(self) -> None:
        """
        Nothing to do: what it does otherwise is for the access log.
        """

    def stopFactory(self) -> None:
        """
        Likewise.
        """
