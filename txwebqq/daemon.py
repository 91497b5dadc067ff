"""
How a process of ours starts and ends under C{twistd}.
"""

from __future__ import annotations

import signal
from typing import Any

from twisted.internet.error import CannotListenError


class StartupError(SystemExit, Exception):
    """
    Ends the process with one line and no traceback; being an L{Exception} as
    well, it is one that a C{twistd} in the background passes on to whoever
    waits in the foreground.
    """


def listenErrorText(error: object) -> str:
    """
    Why nobody can listen somewhere.
    """
    if isinstance(error, CannotListenError):
        error = error.socketError
    return str(getattr(error, "strerror", None) or error)


def exitCleanlyOnSigterm(reactor: Any) -> None:
    """
    Have SIGTERM end the process with exit code 0, once all is done; twistd's
    own way ends in dying of the signal. To be called when the reactor runs.
    """

    def terminate(number: int, frame: object) -> None:
        reactor.callFromThread(reactor.stop)

    signal.signal(signal.SIGTERM, terminate)
