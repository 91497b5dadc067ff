"""
The muted members of groups.
"""

from __future__ import annotations

from txwebqq.irc.targets import Target

ALL = 0
"""Stands for all members of a group but its owner and administrators."""


class GroupMutes:
    """
    The mutes of members that QQ has told of, until they end. QQ tells of no end
    that comes by itself.
    """

    def __init__(self) -> None:
        # When the mute ends, in Unix seconds; 0 for one that was ended.
        self._ends: dict[tuple[Target, int], float] = {}

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
        return before is None or (before > now) != bool(seconds)

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
        return ended

    def forget(self, target: Target) -> None:
        """
        Forget a group that the user is not in any more.
        """
        self._ends = {key: end for key, end in self._ends.items() if key[0] != target}
