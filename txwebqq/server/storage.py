"""
What the server keeps, as those who need it see it.
"""

from __future__ import annotations

from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.discussionstore import DiscussionStore
from txwebqq.server.events.queued import Letter, MailChanges
from txwebqq.server.groupstore import GroupStore
from txwebqq.server.historystore import HistoryStore
from txwebqq.server.mediastore import MediaStore
from txwebqq.server.peoplestore import PeopleStore
from txwebqq.server.records import (
    Drawer,
    Friend,
    Person,
    Population,
)
from txwebqq.server.settingsstore import SettingsStore


class Storage(
    MediaStore,
    GroupStore,
    DiscussionStore,
    HistoryStore,
    SettingsStore,
    PeopleStore,
    Protocol,
):
    """
    Somewhere to keep things (L{txwebqq.server.store.Store}).
    """

    def person(self, number: Number) -> Person | None: ...

    def friendNumbers(self, number: Number) -> list[Number]: ...

    def areFriends(self, number: Number, other: Number) -> bool: ...

    def areAcquainted(self, number: Number, other: Number) -> bool: ...

    def friends(self, number: Number) -> list[Friend]: ...

    def drawers(self, number: Number) -> list[Drawer]: ...

    def nextLetter(self) -> int: ...

    def writeMail(self, changes: MailChanges) -> None: ...

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, Letter]]: ...

    def unacknowledged(self, number: Number) -> list[tuple[int, int, Letter]]: ...

    def merge(self, population: Population) -> None: ...
