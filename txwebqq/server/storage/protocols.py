"""
What the server keeps, as those who need it see it.
"""

from __future__ import annotations

from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.events.queued import EventChanges, QueuedEvent
from txwebqq.server.records import (
    Drawer,
    Friend,
    Person,
    Population,
)
from txwebqq.server.storage.discussions import DiscussionStore
from txwebqq.server.storage.friends import PeopleStore
from txwebqq.server.storage.groups import GroupStore
from txwebqq.server.storage.history import HistoryStore
from txwebqq.server.storage.media import MediaStore
from txwebqq.server.storage.settings import SettingsStore


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
    Somewhere to keep things (L{txwebqq.server.storage.store.Store}).
    """

    def person(self, number: Number) -> Person | None: ...

    def friendNumbers(self, number: Number) -> list[Number]: ...

    def areFriends(self, number: Number, other: Number) -> bool: ...

    def areAcquainted(self, number: Number, other: Number) -> bool: ...

    def friends(self, number: Number) -> list[Friend]: ...

    def drawers(self, number: Number) -> list[Drawer]: ...

    def nextLetter(self) -> int: ...

    def writeMail(self, changes: EventChanges) -> None: ...

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, QueuedEvent]]: ...

    def unacknowledged(self, number: Number) -> list[tuple[int, int, QueuedEvent]]: ...

    def merge(self, population: Population) -> None: ...
