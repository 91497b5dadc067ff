"""
The muted members of groups.
"""

from __future__ import annotations

from collections.abc import Callable

from txwebqq.irc.targets import Target

ALL = 0
"""Stands for all members of a group but its owner and administrators."""

Ends = dict[tuple[Target, int], float]
"""The end of the mute of each group and member, in Unix seconds."""


class GroupMutes:
    """
    The mutes of members that QQ has told of, until they end. QQ tells of no end
    that comes by itself.

    @param ends: mutes that are known already.
    @param onChanged: called with all mutes that have an end, after a change.
    """

    def __init__(
        self,
        ends: Ends | None = None,
        onChanged: Callable[[Ends], object] = lambda ends: None,
    ) -> None:
        # When the mute ends, in Unix seconds; 0 for one that was ended.
        self._ends: Ends = dict(ends or {})
        self._onChanged = onChanged

    def change(self, target: Target, member: int, seconds: int, now: float) -> bool:
        """
        Note the mute of a member, or its end.

        @param member: the member's number, or L{ALL}.
        @param seconds: the length of the mute; 0 for its end.
        @param now: Unix seconds.

        @return: whether this was not known.
        """
        key = target, member
        before = self._ends.get(key)
        self._ends[key] = now + seconds if seconds else 0
        self._changed()
        return before is None or (before > now) != bool(seconds)

    def _changed(self) -> None:
        self._onChanged({key: end for key, end in self._ends.items() if end})

    def members(self, target: Target, now: float) -> list[int]:
        """
        Return the numbers of the muted members of a group, without L{ALL}.
        """
        return [
            member
            for (group, member), end in self._ends.items()
            if group == target and member != ALL and end > now
        ]

    def isMuted(self, target: Target, now: float) -> bool:
        """
        Check whether all members of a group are muted.
        """
        return self._ends.get((target, ALL), 0) > now

    def ended(self, now: float) -> list[tuple[Target, int]]:
        """
        Return each group and member whose mute has ended by itself, once.
        """
        ended = [key for key, end in self._ends.items() if 0 < end <= now]
        for key in ended:
            self._ends[key] = 0
        if ended:
            self._changed()
        return ended

    def forget(self, target: Target) -> None:
        """
        Forget a group that the user is not in any more.
        """
        self._ends = {key: end for key, end in self._ends.items() if key[0] != target}
        self._changed()
