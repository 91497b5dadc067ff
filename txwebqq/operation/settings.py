"""
The settings of the endpoint for operators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module

from txwebqq.config.endpoints import checkEndpoint, isLocal
from txwebqq.errors import InvalidConfiguration

MIN_TOKEN = 16
"""Minimum length of a token where other machines can reach the endpoint."""


@dataclass(frozen=True, slots=True)
class OperationSettings:
    """
    The endpoint for operators.

    @ivar endpoint: the server endpoint.
    @ivar token: the token that requests need, C{""} for none.
    @ivar daemon: the name of the command, for the status page.
    """

    endpoint: str
    token: str = field(default="", repr=False)
    daemon: str = ""

    def check(self) -> None:
        """
        @raise InvalidConfiguration: when the endpoint or the token cannot be used, or
            a library is missing.
        """
        try:
            checkEndpoint(self.endpoint)
        except InvalidConfiguration as e:
            raise InvalidConfiguration(f"--operate {self.endpoint}: {e}") from e
        if self.token != self.token.strip() or not self.token.isprintable():
            raise InvalidConfiguration(
                "--operate-token-file: the token begins or ends with a space, or has a"
                " control character"
            )
        if not self.token and not isLocal(self.endpoint):
            raise InvalidConfiguration(
                f"--operate {self.endpoint}: others can reach the endpoint, so a token"
                " is needed: use --operate-token-file, or listen with"
                " interface=127.0.0.1 or at a UNIX socket"
            )
        if self.token and len(self.token) < MIN_TOKEN and not isLocal(self.endpoint):
            # Where the right token was given, any number of wrong ones can be tried,
            # so that nobody can keep the operator out.
            raise InvalidConfiguration(
                "--operate-token-file: others can reach the endpoint, and a token of"
                f" less than {MIN_TOKEN} characters can be guessed: make one by"
                " head -c 32 /dev/urandom | base64"
            )
        try:
            import_module("txwebqq.operation.registry")
        except ImportError as e:
            raise InvalidConfiguration(
                "--operate needs the package prometheus-client: run pip install"
                " --editable '.[metrics]' in the checkout of txwebqq"
            ) from e
