"""
Clients behind reverse proxies.
"""

from __future__ import annotations

import pytest

from txwebqq.server.http.proxies import (
    clientAddress,
    clientScheme,
    normal,
)


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("10.0.0.9", [b"192.0.2.1"], [], "10.0.0.9"),
        ("10.0.0.9", [b"192.0.2.1"], ["10.0.0.1"], "10.0.0.9"),
        ("10.0.0.1", [b"192.0.2.1"], ["10.0.0.1"], "192.0.2.1"),
        ("10.0.0.1", [], ["10.0.0.1"], "10.0.0.1"),
        # What the client itself has sent stands before what the proxy adds.
        ("10.0.0.1", [b"6.6.6.6, 192.0.2.1"], ["10.0.0.1"], "192.0.2.1"),
        ("10.0.0.1", [b"6.6.6.6", b"192.0.2.1"], ["10.0.0.1"], "192.0.2.1"),
        ("10.0.0.1", [b"192.0.2.1, 10.0.0.2"], ["10.0.0.1", "10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", [b"192.0.2.1, <b>"], ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", [b"192.0.2.1:80"], ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", [b"\xff"], ["10.0.0.1"], "10.0.0.1"),
        ("10.0.0.1", [b"2001:DB8:0::1"], ["10.0.0.1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", [b"192.0.2.1"], ["10.0.0.1"], "192.0.2.1"),
        ("", [b"192.0.2.1"], ["unix"], "192.0.2.1"),
        ("", [b"192.0.2.1"], ["10.0.0.1"], ""),
        ("", [], ["unix"], ""),
    ],
)
def test_clientAddress(
    peer: str, forwarded: list[bytes], proxies: list[str], expected: str
) -> None:
    """
    The addresses from trusted proxies are used, and no others.
    """
    assert clientAddress(peer, forwarded, proxies) == expected


@pytest.mark.parametrize(
    ("peer", "isSecure", "forwarded", "proxies", "expected"),
    [
        ("10.0.0.1", False, [], ["10.0.0.1"], "http"),
        ("10.0.0.1", True, [], [], "https"),
        ("10.0.0.1", False, [b"https"], ["10.0.0.1"], "https"),
        ("10.0.0.9", False, [b"https"], ["10.0.0.1"], "http"),
        ("10.0.0.1", False, [b"https"], [], "http"),
        ("10.0.0.1", False, [b"http, HTTPS"], ["10.0.0.1"], "https"),
        ("10.0.0.1", True, [b"javascript"], ["10.0.0.1"], "https"),
        ("", False, [b"https"], ["unix"], "https"),
    ],
)
def test_clientScheme(
    peer: str, isSecure: bool, forwarded: list[bytes], proxies: list[str], expected: str
) -> None:
    """
    The scheme from trusted proxies is used, and no other.
    """
    assert clientScheme(peer, isSecure, forwarded, proxies) == expected


def test_normal() -> None:
    """
    Addresses have one normal form, and host names are refused.
    """
    assert normal("::FFFF:127.0.0.1") == "127.0.0.1"
    assert normal("0:0::1") == "::1"
    for text in ("localhost", "10.0.0.0/8", ""):
        with pytest.raises(ValueError, match="does not appear to be"):
            normal(text)
