"""
The friends and groups of one sign-on, kept current by events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from txwebqq.model import (
    Buddy,
    Category,
    Event,
    FriendList,
    Gid,
    Group,
    GroupList,
    Presence,
    Status,
    StatusChange,
    Uin,
)


class Roster:
    """
    Fetched once per sign-on; events change it before applications see them.
    """

    def __init__(
        self,
        friends: FriendList | None = None,
        groups: GroupList | None = None,
        present: Iterable[Presence] = (),
    ) -> None:
        self.buddies: dict[Uin, Buddy] = dict(friends.buddies) if friends else {}
        self.categories: tuple[Category, ...] = friends.categories if friends else ()
        self.groups: dict[Gid, Group] = dict(groups.groups) if groups else {}
        for presence in present:
            self._see(presence.uin, presence.status, presence.clientType)

    def apply(self, event: Event) -> None:
        """
        Change what an event says has changed.
        """
        if isinstance(event, StatusChange):
            self._see(event.uin, event.status, event.clientType)

    def _see(self, uin: Uin, status: Status, clientType: int) -> None:
        buddy = self.buddies.get(uin)
        if buddy is not None:
            self.buddies[uin] = replace(buddy, status=status, clientType=clientType)
