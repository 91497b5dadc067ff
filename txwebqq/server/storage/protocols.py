"""
What the server keeps, as those who need it see it.
"""

from __future__ import annotations

from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.events.queued import EventChanges, QueuedEvent
from txwebqq.server.records import (
    AccountRecord,
    CategoryRecord,
    FriendRecord,
    Population,
)
from txwebqq.server.storage.discussions import DiscussionStorage
from txwebqq.server.storage.friends import FriendStorage
from txwebqq.server.storage.groups import GroupStorage
from txwebqq.server.storage.history import HistoryStorage
from txwebqq.server.storage.media import MediaStorage
from txwebqq.server.storage.settings import SettingsStorage


class Storage(
    MediaStorage,
    GroupStorage,
    DiscussionStorage,
    HistoryStorage,
    SettingsStorage,
    FriendStorage,
    Protocol,
):
    """
    Somewhere to keep things (L{txwebqq.server.storage.store.Store}).
    """

    def account(self, number: Number) -> AccountRecord | None: ...

    def friendNumbers(self, number: Number) -> list[Number]: ...

    def areFriends(self, number: Number, other: Number) -> bool: ...

    def areAcquainted(self, number: Number, other: Number) -> bool: ...

    def friends(self, number: Number) -> list[FriendRecord]: ...

    def categories(self, number: Number) -> list[CategoryRecord]: ...

    def nextLetter(self) -> int: ...

    def writeMail(self, changes: EventChanges) -> None: ...

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, QueuedEvent]]: ...

    def unacknowledged(self, number: Number) -> list[tuple[int, int, QueuedEvent]]: ...

    def merge(self, population: Population) -> None: ...
