"""
The ways to servers, and what treq is asked with, prepared so that little is
left to do for each question.
"""

from __future__ import annotations

import re
from typing import Any

from treq.cookies import IndexableCookieJar
from twisted.internet.abstract import isIPAddress
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.url import URL
from twisted.web.client import URI
from twisted.web.error import SchemeNotSupported
from twisted.web.iweb import IAgentEndpointFactory, IPolicyForHTTPS
from zope.interface import implementer

_WRITTEN = re.compile(r"[!#-;=?-Z_a-z~]+")


class NullCookieJar(IndexableCookieJar):
    """
    The jar for treq: it has one for all that it is asked, and we have our own.
    """

    def add_cookie_header(self, request: Any) -> None:
        """
        Add none.
        """

    def extract_cookies(self, response: Any, request: Any) -> None:
        """
        Take none.
        """


class _EncodedURL(URL):
    """
    A URL as it is to be sent. Of others treq has each part encoded, which takes
    it longer than most of what it does for a question.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        # It wants none of its parts, so far.
        return getattr(URL.from_text(self._text), name)

    def to_uri(self) -> URL:
        return self

    def to_text(self, with_password: bool = False) -> str:
        return self._text


def encodedURL(url: str) -> URL | str:
    """
    What to give to treq for a URL.
    """
    return url if _WRITTEN.fullmatch(url) is None else _EncodedURL(url)


@implementer(IAgentEndpointFactory)
class EndpointCache:
    """
    How to get to servers; each way is found once.

    @param verifying: sees to it that servers are who they say.
    @param timeout: the seconds that connecting may take.
    """

    def __init__(self, reactor: Any, verifying: IPolicyForHTTPS, timeout: int) -> None:
        self._reactor = reactor
        self._verifying = verifying
        self._timeout = timeout
        self._known: dict[tuple[bytes, bytes, int], IStreamClientEndpoint] = {}

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """
        The way to a server.

        @raise SchemeNotSupported: when a URL is of another kind than ours.
        """
        key = (uri.scheme, uri.host, uri.port)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._find(*key)
        return known

    def _find(self, scheme: bytes, host: bytes, port: int) -> IStreamClientEndpoint:
        if scheme not in (b"http", b"https"):
            raise SchemeNotSupported(f"Unsupported scheme: {scheme!r}")
        name = host.decode("ascii")
        # For an address nothing has to be looked up, and nothing raced.
        kind = TCP4ClientEndpoint if isIPAddress(name) else HostnameEndpoint
        plain: IStreamClientEndpoint = kind(self._reactor, name, port, self._timeout)
        if scheme == b"http":
            return plain
        creator = self._verifying.creatorForNetloc(host, port)
        wrapped: IStreamClientEndpoint = wrapClientTLS(creator, plain)
        return wrapped
