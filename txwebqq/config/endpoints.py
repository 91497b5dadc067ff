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


# The methods of OpenSSL that allow no version of TLS from 1.2 on.
_OLD = re.compile(r"sslmethod=(?:SSLv2|SSLv3|TLSv1|TLSv1_1)_METHOD")


def checkEndpoint(endpoint: str) -> None:
    """
    Check that a text describes a server endpoint, and one that newer versions of TLS
    can use.

    @raise InvalidConfiguration: when it does not; tells only why.
    """
    if any(_OLD.fullmatch(word) for word in _WORDS.findall(endpoint)):
        raise InvalidConfiguration(
            "sslmethod allows only versions of TLS before 1.2: leave it out"
        )
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
