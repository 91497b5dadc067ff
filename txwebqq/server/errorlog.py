"""
The log of a server's failures.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from txwebqq.ratelimit import RateLimiter

INTERVAL = 60.0
"""Time between two log lines about the same operation, in seconds."""


class ErrorLog:
    """
    Logs failures with their tracebacks. Those of the database have one line
    without a traceback, since a full disk or a lock is no bug, and one operation
    one line in L{INTERVAL}, since all requests fail at once.

    @param now: returns the time in seconds.
    """

    def __init__(self, log: Logger, now: Callable[[], float]) -> None:
        self._log = log
        self._limiter = RateLimiter(now, 1, INTERVAL)

    def failure(self, sentence: str, **fields: Any) -> None:
        """
        Log the exception that is being handled.

        @param sentence: the format of the line; has C{reason}, as in C{fields}.
        """
        if not isinstance(sys.exc_info()[1], sqlite3.Error):
            self._log.failure(sentence, **fields)
        elif self._limiter.take(sentence):
            self._log.error(sentence, **fields)
