"""
Who is in a channel or a group, and who of them speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

ACTIVE = 1800.0
"""The seconds for which somebody who has spoken is missed."""


class MemberList:
    """
    Those who are there.

    @param now: the time in seconds.
    @ivar names: what they are called, by what never changes while they are
        there.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.names: dict[Hashable, str] = {}
        self._spoke: dict[Hashable, tuple[float, str]] = {}

    def replace(self, names: Iterable[tuple[Hashable, str]]) -> None:
        """
        These are there, and nobody else.
        """
        self.names = dict(names)

    def add(self, key: Hashable, name: str) -> None:
        """
        Somebody is there.
        """
        self.names[key] = name

    def remove(self, key: Hashable) -> bool:
        """
        Somebody is not.

        @return: whether they were.
        """
        return self.names.pop(key, None) is not None

    def markActive(self, key: Hashable) -> None:
        """
        Somebody has said something.
        """
        since = self._now() - ACTIVE
        self._spoke = {
            who: (at, name) for who, (at, name) in self._spoke.items() if at > since
        }
        self._spoke[key] = self._now(), self.nameOf(key)

    def nameOf(self, key: Hashable) -> str:
        """
        What somebody is called who is there, or was when they spoke; C{""}
        for one of whom nothing is known.
        """
        return self.names.get(key, "") or self._spoke.get(key, (0.0, ""))[1]

    def isActive(self, key: Hashable) -> bool:
        """
        Whether somebody has spoken lately.
        """
        return self._spoke.get(key, (-ACTIVE, ""))[0] > self._now() - ACTIVE

    def renamed(self, key: Hashable, after: Hashable, name: str) -> None:
        """
        Somebody is called otherwise.
        """
        if self.names.pop(key, None) is not None:
            self.names[after] = name
        if key in self._spoke:
            self._spoke[after] = self._spoke.pop(key)
