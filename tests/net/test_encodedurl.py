"""
URLs that treq sends as they are.
"""

from __future__ import annotations

from typing import Any

import pytest
from hyperlink import EncodedURL
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.client import URI

from txwebqq.net.encodedurl import encodedURL


@given(st.text(max_size=20), st.sampled_from(["", "?", "?r=%7B%22a%22%3A1%7D&t="]))
def test_sameRequest(path: str, query: str) -> None:
    """
    treq sends the same for an encoded URL and for its text.
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
    An encoded URL has the parts of a URL, and no other attributes.
    """
    url: Any = encodedURL("http://example.org:8080/a/b?c=d")
    assert (url.host, url.port, url.path) == ("example.org", 8080, ("a", "b"))
    with pytest.raises(AttributeError):
        _ = url.colour
