"""
The decision whether a message is sent by C{RELAYMSG}.
"""

from __future__ import annotations

from collections.abc import Callable

RETRY = 600.0
"""The seconds after which a refused C{RELAYMSG} is tried again."""

_MAX_NAMES = 3
"""The number of names that are refused one after the other until no further
name is tried."""

_NAME_CODES = frozenset({"INVALID_NICK", "NICKNAME_IN_USE", "RESERVED_NICK", "432"})
"""The error codes that are about the name."""


class RelaymsgPermission:
    """
    The answers of the server to the C{RELAYMSG} of one channel: a refused name
    does not concern other names, missing privileges do.

    @param now: the time in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._names: dict[str, float] = {}
        self._refused = 0
        self._until = 0.0

    def reset(self) -> None:
        """
        Try all names again: the connection or the relay's privileges are new.
        """
        self._names.clear()
        self._refused = 0
        self._until = 0.0

    def allows(self, name: str) -> bool:
        """
        Tell whether C{RELAYMSG} is to be tried for a name.
        """
        now = self._now()
        return now >= self._until and now >= self._names.get(name, now)

    def accepted(self) -> None:
        """
        The server has accepted a message.
        """
        self._refused = 0

    def refused(self, name: str, code: str) -> bool:
        """
        The server has refused a message.

        @param code: the code of the C{FAIL}, or the numeric.
        @return: whether other names are still tried.
        """
        until = self._now() + RETRY
        self._names = {n: t for n, t in self._names.items() if t > self._now()}
        self._names[name] = until
        self._refused += 1
        if code in _NAME_CODES and self._refused < _MAX_NAMES:
            return True
        self._until = until
        self._refused = 0
        return False
