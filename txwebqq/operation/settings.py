"""
The settings of the endpoint for operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import ip_address

from twisted.internet.endpoints import serverFromString

from txwebqq.errors import InvalidConfiguration


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """
    The endpoint for operators.

    @ivar endpoint: the server endpoint.
    @ivar token: the token that requests need, C{""} for none.
    """

    endpoint: str
    token: str = field(default="", repr=False)

    def check(self) -> None:
        """
        @raise InvalidConfiguration: when the endpoint or the token cannot be used, or
            a library is missing.
        """
        try:
            # Parsing does not use the reactor.
            serverFromString(None, self.endpoint)
        except Exception as e:
            reason = f"{type(e).__name__}: {e}"
            raise InvalidConfiguration(f"--operate {self.endpoint}: {reason}") from e
        if self.token != self.token.strip() or not self.token.isprintable():
            raise InvalidConfiguration(
                "--operate-token-file: the token begins or ends with a space, or has a"
                " control character"
            )
        if not self.token and not isLoopback(self.endpoint):
            raise InvalidConfiguration(
                f"--operate {self.endpoint}: others can reach the endpoint, so a token"
                " is needed: use --operate-token-file, or listen with"
                " interface=127.0.0.1 or at a UNIX socket"
            )
        try:
            import_module("txwebqq.operation.registry")
        except ImportError as e:
            raise InvalidConfiguration(
                "--operate needs the package prometheus-client: run pip install"
                " --editable '.[metrics]' in the checkout of txwebqq"
            ) from e


def isLoopback(endpoint: str) -> bool:
    """
    Check that a server endpoint can be reached from this machine only: it is a UNIX
    socket, or names interfaces that are all loopback.
    """
    words = [re.sub(r"\\(.)", r"\1", word) for word in _WORDS.findall(endpoint)]
    if words and words[0] == "unix":
        return True
    named = [word.partition("=")[2] for word in words if word.startswith("interface=")]
    return bool(named) and all(map(_isLoopbackAddress, named))


# A backslash quotes the character after it.
_WORDS = re.compile(r"(?:\\.|[^:\\])+")


def _isLoopbackAddress(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
