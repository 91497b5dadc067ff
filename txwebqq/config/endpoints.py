"""
The texts of server endpoints, in options and configuration files.
"""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString

from txwebqq.errors import InvalidConfiguration
from txwebqq.systemd.sockets import addressOf

NOT_PASSED_ON = "the service manager has passed on no such socket"
"""The error of a C{systemd:} endpoint outside of its unit."""

# A backslash quotes the character after it.
_WORDS = re.compile(r"(?:\\.|[^:\\])+")


# Errors of Twisted's parsers that speak of Python, and plain words for them.
_PLAIN = (
    (re.compile(r"invalid literal for int\(\) .*: ('.*')"), "{} is not a number"),
    (re.compile(r".* unexpected keyword argument ('.*')"), "{} is not known here"),
    (re.compile(r".* missing 1 required .* argument: ('.*')"), "{} is missing"),
)

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
        found = serverFromString(None, endpoint)
    except (IndexError, KeyError) as e:
        if not endpoint.startswith("systemd:"):
            raise InvalidConfiguration(f"{type(e).__name__}: {e}") from e
        raise InvalidConfiguration(NOT_PASSED_ON) from e
    # Each kind of endpoint has its own errors.
    except Exception as e:
        raise InvalidConfiguration(_plainly(e)) from e
    # Other kinds of endpoints have no port.
    port = getattr(found, "_port", 0)
    if not 0 <= port <= 65535:
        raise InvalidConfiguration(f"a port is from 0 to 65535, not {port}")
    if isinstance(found, AdoptedStreamServerEndpoint):
        _checkInherited(found)


def _plainly(error: Exception) -> str:
    """
    Return the words for an error of a parser of Twisted.
    """
    for pattern, words in _PLAIN:
        found = pattern.fullmatch(str(error))
        if found is not None:
            return words.format(found[1])
    return f"{type(error).__name__}: {error}"


def _checkInherited(endpoint: AdoptedStreamServerEndpoint) -> None:
    try:
        family, _ = addressOf(endpoint.fileno)
    except OSError as e:
        raise InvalidConfiguration(
            f"descriptor {endpoint.fileno} is no socket: {e.strerror}"
        ) from e
    if family != endpoint.addressFamily:
        raise InvalidConfiguration(
            f"the socket is one of domain={family.name.removeprefix('AF_')}"
        )


def isLocal(endpoint: str) -> bool:
    """
    Check that a server endpoint can be reached from this machine only: it is a UNIX
    socket, or names interfaces that are all loopback, or a socket with such an address
    that the service manager passes on.
    """
    words = [re.sub(r"\\(.)", r"\1", word) for word in _WORDS.findall(endpoint)]
    if words and words[0] == "unix":
        return True
    if words and words[0] == "systemd":
        return _isInheritedLocal(endpoint)
    named = [word.partition("=")[2] for word in words if word.startswith("interface=")]
    return bool(named) and all(map(_isLoopback, named))


def _isInheritedLocal(endpoint: str) -> bool:
    try:
        found = serverFromString(None, endpoint)
        family, host = addressOf(found.fileno)
    # Each kind of error is that of an endpoint that cannot be used.
    except Exception:
        return False
    return family is socket.AF_UNIX or _isLoopback(host)


def _isLoopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
