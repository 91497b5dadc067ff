"""
What treq is asked with, and the ways to servers.
"""

from __future__ import annotations

from typing import Any, cast

import pytest
from hyperlink import EncodedURL
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import MemoryReactorClock
from twisted.web.client import URI, BrowserLikePolicyForHTTPS
from twisted.web.error import SchemeNotSupported

from txwebqq.net.endpoints import EndpointCache, encodedURL


@given(st.text(max_size=20), st.sampled_from(["", "?", "?r=%7B%22a%22%3A1%7D&t="]))
def test_sameRequest(path: str, query: str) -> None:
    """
    treq sends for a prepared URL what it sends for its text.
    """
    text = f"http://example.org/{path}{query}"
    try:
        plain = EncodedURL.from_text(text).to_uri().to_text()
    except ValueError:
        assert encodedURL(text) is text
        return
    url = encodedURL(text)
    if not isinstance(url, str):
        assert url.to_uri().to_text() == text
        # A fragment, or an empty query, is never sent.
        told = [URI.fromBytes(one.encode("ascii")) for one in (plain, text)]
        assert told[0].originForm == told[1].originForm


def test_parts() -> None:
    """
    A prepared URL has its parts, too, for whoever asks for them.
    """
    url: Any = encodedURL("http://example.org:8080/a/b?c=d")
    assert (url.host, url.port, url.path) == ("example.org", 8080, ("a", "b"))
    with pytest.raises(AttributeError):
        _ = url.colour


def test_found() -> None:
    """
    A way is found once; to what is no server of ours there is none.
    """
    endpoints = EndpointCache(
        MemoryReactorClock(), cast(Any, BrowserLikePolicyForHTTPS()), 10
    )

    def way(url: bytes) -> object:
        return endpoints.endpointForURI(URI.fromBytes(url))

    first = way(b"http://example.org/a")
    assert way(b"HTTP://example.org/b?c") is first
    assert way(b"http://example.org:81/") is not first
    assert way(b"https://example.org/") is not first
    for url in (b"http://127.0.0.1/", b"https://127.0.0.1/"):
        assert way(url) is way(url)
    with pytest.raises(SchemeNotSupported, match="ftp"):
        way(b"ftp://example.org/")
