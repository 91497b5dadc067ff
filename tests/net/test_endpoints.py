"""
Endpoints of URLs, and client endpoints of the configuration.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.web.client import URI, BrowserLikePolicyForHTTPS
from twisted.web.error import SchemeNotSupported

from txwebqq.errors import InvalidConfiguration
from txwebqq.net.endpoints import EndpointCache, NamedEndpoint, clientEndpoint


def test_cached() -> None:
    """
    The endpoint of a server is made once, and there is none for a scheme other
    than HTTP.
    """
    endpoints = EndpointCache(
        MemoryReactorClock(), cast(Any, BrowserLikePolicyForHTTPS()), 10
    )

    def endpoint(url: bytes) -> object:
        return endpoints.endpointForURI(URI.fromBytes(url))

    first = endpoint(b"http://example.org/a")
    assert endpoint(b"HTTP://example.org/b?c") is first
    assert endpoint(b"http://example.org:81/") is not first
    assert endpoint(b"https://example.org/") is not first
    for url in (b"http://127.0.0.1/", b"https://127.0.0.1/"):
        assert endpoint(url) is endpoint(url)
    with pytest.raises(SchemeNotSupported, match="ftp"):
        endpoint(b"ftp://example.org/")


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ("ssl:irc.example.org:6697", "does not verify the server"),
        ("tls:irc.example.org", "tls:HOST:PORT"),
        ("carrier:pigeon", "not a client endpoint"),
        ("tcp:host:port", "not a client endpoint"),
    ],
)
def test_clientEndpoint(endpoint: str, problem: str) -> None:
    """
    An endpoint that is malformed, or would not verify the server, is refused.
    """
    with pytest.raises(InvalidConfiguration, match=problem):
        clientEndpoint(endpoint, None, MemoryReactorClock())


def test_named() -> None:
    """
    An endpoint with a name logs why it could not be connected, by that name, and
    has no class name in the lines of Twisted.
    """

    class Dead:
        def connect(self, factory: object) -> Deferred[object]:
            return fail(ConnectionRefusedError("Connection refused"))

    endpoint: Any = Dead()
    named = NamedEndpoint("network home", endpoint)
    assert str(named) == "network home"
    with capturedLogs() as events:
        named.connect(Factory()).addErrback(lambda _: None)
    assert [formatEvent(event) for event in events] == [
        "Connecting to network home failed: Connection refused."
    ]
