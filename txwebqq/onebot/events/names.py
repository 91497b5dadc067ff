"""
Names of members of groups and of friends, as messages and lists have told them.
"""

from __future__ import annotations

MAX_NAMES = 10_000
"""Names that are remembered, those that were told last."""


class NameStore:
    """
    Remembers names, so that a mention has one without a call.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[int, int], str] = {}

    def keep(self, group: int, number: int, name: str) -> None:
        """
        Remember the name of a person.

        @param group: the group in which it is the person's name, 0 for a nickname.
        """
        key = group, number
        self._names.pop(key, None)
        if name:
            self._names[key] = name
            if len(self._names) > MAX_NAMES:
                del self._names[next(iter(self._names))]

    def find(self, group: int, number: int) -> str:
        """
        Return the name of a person in a group, or else the nickname, C{""} if neither
        is known.
        """
        return self._names.get((group, number)) or self._names.get((0, number), "")
