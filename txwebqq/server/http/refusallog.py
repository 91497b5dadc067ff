"""
The log of requests that the server cannot read or whose path it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.logger import Logger

from txwebqq.ratelimit import RateLimiter

LINES, ALL_LINES, WINDOW = 10, 200, 600.0
"""Maximum number of lines about the requests of one address, and of all addresses,
within a time in seconds."""

MAX_PATH = 100
"""Maximum number of characters of a path in a line."""


class RefusalLog:
    """
    Logs refused requests. Anybody can send such requests, so the number of lines is
    limited.

    @param now: returns the time in seconds.
    """

    def __init__(self, log: Logger, now: Callable[[], float]) -> None:
        self._log = log
        self._lines = RateLimiter(now, LINES, WINDOW)
        self._allLines = RateLimiter(now, ALL_LINES, WINDOW)

    def refused(self, path: bytes, address: str, reason: str) -> None:
        """
        Log the refusal of a request.

        @param path: the path of the request, without the query.
        """
        if not (self._lines.hasCapacity(address) and self._allLines.take("")):
            return
        self._lines.take(address)
        isLast = not self._lines.hasCapacity(address)
        isLastOfAll = not self._allLines.hasCapacity("")
        rest = ""
        if isLast or isLastOfAll:
            whose = "" if isLastOfAll else " of this address"
            rest = f" Further ones{whose} are not logged for up to ten minutes."
        self._log.info(
            "Refused a request of {path} from {address}: {reason}.{rest}",
            path=_printable(path),
            address=address,
            reason=reason,
            rest=rest,
        )


def _printable(path: bytes) -> str:
    """
    Return a path for the log: without what may be a secret, on one line, and not
    too long.
    """
    text = _SECRET.sub(b"...", path)[:MAX_PATH].decode("latin-1")
    return text if text.isascii() and text.isprintable() else ascii(text)


_SECRET = re.compile(rb"[0-9A-Za-z]{24,}")
