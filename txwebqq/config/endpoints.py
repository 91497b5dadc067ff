"""
The texts of server endpoints, in options and configuration files.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from twisted.internet.endpoints import serverFromString

from txwebqq.errors import InvalidConfiguration

# A backslash quotes the character after it.
_WORDS = re.compile(r"(?:\\.|[^:\\])+")


def checkEndpoint(endpoint: str) -> None:
    """
    Check that a text describes a server endpoint.

    @raise InvalidConfiguration: when it does not; tells only why.
    """
    try:
        # Parsing does not use the reactor.
        serverFromString(None, endpoint)
    # Each kind of endpoint has its own errors.
    except Exception as e:
        raise InvalidConfiguration(f"{type(e).__name__}: {e}") from e


def isLocal(endpoint: str) -> bool:
    """
    Check that a server endpoint can be reached from this machine only: it is a UNIX
    socket, or names interfaces that are all loopback.
    """
    words = [re.sub(r"\\(.)", r"\1", word) for word in _WORDS.findall(endpoint)]
    if words and words[0] == "unix":
        return True
    named = [word.partition("=")[2] for word in words if word.startswith("interface=")]
    return bool(named) and all(map(_isLoopback, named))


def _isLoopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
