"""
The address and the scheme of clients behind reverse proxies.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import ip_address

LOCAL = "unix"
"""The name of a proxy that connects through a UNIX socket."""


def normal(address: str) -> str:
    """
    Return an IP address in its normal form.

    @raise ValueError: when the text is not an IP address.
    """
    if address == LOCAL:
        return address
    parsed = ip_address(address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def isTrusted(peer: str, proxies: Collection[str]) -> bool:
    """
    Check whether the peer of a connection is one of the trusted proxies.

    @param peer: its address, C{""} for a UNIX socket.
    """
    return bool(proxies) and (_normalized(peer) if peer else LOCAL) in proxies


def clientAddress(
    peer: str, forwarded: Sequence[bytes], proxies: Collection[str]
) -> str:
    """
    Return the address of a client.

    @param peer: the address of the connection, C{""} for a UNIX socket.
    @param forwarded: the values of C{X-Forwarded-For}, to which each proxy appends the
        address of its client.
    @param proxies: the addresses of trusted proxies, as L{normal} returns them.
    """
    if not proxies:
        return peer
    address = _normalized(peer) if peer else LOCAL
    for entry in reversed(b",".join(forwarded).split(b",")):
        if address not in proxies:
            break
        try:
            address = normal(entry.strip().decode("ascii"))
        except ValueError:
            # Proxies write addresses only, so the client has sent this.
            break
    return "" if address == LOCAL else address


def clientScheme(
    peer: str, isSecure: bool, forwarded: Sequence[bytes], proxies: Collection[str]
) -> str:
    """
    Return the scheme that a client uses, C{http} or C{https}, for URLs that it gets.

    @param isSecure: whether the connection uses TLS.
    @param forwarded: the values of C{X-Forwarded-Proto}; the last one is from the
        peer of the connection.
    """
    scheme = b",".join(forwarded).split(b",")[-1].strip().lower()
    if isTrusted(peer, proxies) and scheme in (b"http", b"https"):
        return scheme.decode("ascii")
    return "https" if isSecure else "http"


def _normalized(address: str) -> str:
    try:
        return normal(address)
    except ValueError:
        return address
