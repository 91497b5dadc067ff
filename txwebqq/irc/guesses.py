"""
How often somebody may guess a password.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MAX_KEPT = 10_000


class Guesses:
    """
    Wrong passwords of late, by address and by user.

    @param seconds: the time; it never goes back.
    @param most: the wrong ones that are allowed within C{window}.
    @param window: the seconds until all is forgotten.
    @param kept: the keys remembered; beyond them the oldest are forgotten.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        most: int = 5,
        window: float = 60.0,
        kept: int = MAX_KEPT,
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._window = window
        self._kept = kept
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def allowed(self, key: str) -> bool:
        """
        Whether a password may be looked at; one that may not must be refused
        unseen, or the refusal would tell whether it was right.
        """
        number, since = self._wrong.get(key, (0, 0.0))
        return number < self._most or self._seconds() - since >= self._window

    def failed(self, key: str) -> None:
        """
        A password was wrong.
        """
        now = self._seconds()
        number, since = self._wrong.pop(key, (0, now))
        if now - since >= self._window:
            number, since = 0, now
        self._wrong[key] = (number + 1, since)
        while len(self._wrong) > self._kept:
            self._wrong.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """
        A password was right.
        """
        self._wrong.pop(key, None)
