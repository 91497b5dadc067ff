"""
What was said lately, to know it again when it comes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from txwebqq.irc.relay.attribution import comparable, unwrapped

SECONDS = 120.0
REMEMBERED = 1000

_ENOUGH = 20
"""Part of a text is known again by so many characters."""


class LoopDetector:
    """
    The last words of one room, from all its places.

    Another relay that joins two of our places brings us back what we have
    heard, under a name and before it the name of whoever said it. Not all
    networks carry a mark of ours, so the words themselves are compared.

    @param now: the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._heard: deque[tuple[float, str, str]] = deque(maxlen=REMEMBERED)

    def heard(self, author: str, text: str) -> None:
        """
        Somebody said something, in any of the places.
        """
        self._heard.append((self._now(), comparable(author), comparable(text)))

    def isCopy(self, text: str) -> bool:
        """
        Whether somebody only repeats for others what was said here lately.
        """
        since = self._now() - SECONDS
        for author, words in unwrapped(text):
            who, what = comparable(author), comparable(words)
            for time, name, said in self._heard:
                if time < since or name != who:
                    continue
                if what == said or (len(what) >= _ENOUGH and what in said):
                    return True
        return False

    def isRelayed(self, text: str) -> bool:
        """
        Whether that looks like somebody else's words.
        """
        return next(unwrapped(text), None) is not None
