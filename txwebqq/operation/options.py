"""
The options C{--operate} and C{--operate-token-file}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.application.service import IService
from twisted.python.usage import UsageError

from txwebqq.config.passwordfile import readPasswordFile, secretPath
from txwebqq.errors import InvalidConfiguration
from txwebqq.logs.options import LogOptions
from txwebqq.operation.metrics import Source
from txwebqq.operation.settings import OperationSettings


class OperationOptions(LogOptions):
    """
    Options of a daemon with a log and an endpoint for operators.
    """

    pathOptions = ["operate-token-file"]

    optParameters = [
        [
            "operate",
            None,
            None,
            "The endpoint for operators: the status page, /readyz and /metrics.",
        ],
        [
            "operate-token-file",
            None,
            None,
            "A file with the token that requests there need.",
        ],
    ]

    def readOperation(self) -> OperationSettings | None:
        """
        Return the endpoint for operators, L{None} for none.

        @raise UsageError: when it is invalid; names the option.
        """
        endpoint, file = self["operate"], self["operate-token-file"]
        if endpoint is None:
            if file is not None:
                raise UsageError("--operate-token-file is for --operate only")
            return None
        try:
            token = "" if file is None else readPasswordFile(secretPath(file))
            daemon = self.command.removeprefix("twistd ")
            settings = OperationSettings(endpoint, token, daemon)
            settings.check()
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e
        return settings


def operationService(
    settings: OperationSettings, sources: Sequence[Source], reactor: Any
) -> IService:
    """
    Make the service that listens for operators.

    @raise InvalidConfiguration: when the endpoint cannot be used.
    """
    # It needs an extra.
    from txwebqq.operation.service import OperationService

    return OperationService(settings, sources, reactor)
