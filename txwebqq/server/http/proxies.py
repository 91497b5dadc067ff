"""
Where a client is that comes through reverse proxies, and how it came.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import ip_address

LOCAL = "unix"
"""What stands for whoever comes through a UNIX socket."""


def normal(address: str) -> str:
    """
    The one spelling of an address.

    @raise ValueError: when it is none.
    """
    if address == LOCAL:
        return address
    parsed = ip_address(address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def clientAddress(
    peer: str, forwarded: Sequence[bytes], proxies: Collection[str]
) -> str:
    """
    The address of a client.

    @param peer: whoever is connected to us, C{""} behind a UNIX socket.
    @param forwarded: the values of C{X-Forwarded-For}, in which each proxy
        adds at the end where it was called from.
    @param proxies: the addresses whose word is taken, as L{normal} spells them.
    """
    if not proxies:
        return peer
    address = _spelled(peer) if peer else LOCAL
    for entry in reversed(b",".join(forwarded).split(b",")):
        if address not in proxies:
            break
        try:
            address = normal(entry.strip().decode("ascii"))
        except ValueError:
            # What no proxy writes was sent by the client: worth nothing.
            break
    return "" if address == LOCAL else address


def clientScheme(
    peer: str, isSecure: bool, forwarded: Sequence[bytes], proxies: Collection[str]
) -> str:
    """
    Whether a client came by C{http} or C{https}, for addresses to give it.

    @param isSecure: whether whoever is connected to us did by TLS.
    @param forwarded: the values of C{X-Forwarded-Proto}; the last is the word
        of whoever is connected to us.
    """
    said = b",".join(forwarded).split(b",")[-1].strip().lower()
    trusted = bool(proxies) and (_spelled(peer) if peer else LOCAL) in proxies
    if trusted and said in (b"http", b"https"):
        return said.decode("ascii")
    return "https" if isSecure else "http"


def _spelled(address: str) -> str:
    try:
        return normal(address)
    except ValueError:
        return address
