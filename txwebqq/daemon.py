"""
Start and end of a daemon that runs under C{twistd}.
"""

from __future__ import annotations

import signal
from typing import Any

from twisted.internet.error import CannotListenError


class StartupError(SystemExit, Exception):
    """
    Ends the process with one line and no traceback. It is an L{Exception} too,
    since C{twistd} passes only those from the background process to the
    foreground process that waits for it.
    """


def listenErrorText(error: object) -> str:
    """
    Make the text for an error of listening at a port.
    """
    if isinstance(error, CannotListenError):
        error = error.socketError
    return str(getattr(error, "strerror", None) or error)


def exitCleanlyOnSigterm(reactor: Any) -> None:
    """
    Make SIGTERM stop the reactor and end the process with exit code 0. By
    default C{twistd} ends by the signal itself. Call this when the reactor
    runs.
    """

    def terminate(number: int, frame: object) -> None:
        reactor.callFromThread(reactor.stop)

    signal.signal(signal.SIGTERM, terminate)
