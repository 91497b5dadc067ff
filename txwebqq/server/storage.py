"""
What the server keeps, as those who need it see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.discussionstore import DiscussionStore
from txwebqq.server.groupstore import GroupStore
from txwebqq.server.historystore import HistoryStore
from txwebqq.server.mail import Letter
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

    def keep(self, letter: Letter, numbers: Sequence[Number]) -> int: ...

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, Letter]]: ...

    def delivered(self, receipts: Iterable[tuple[Number, int]]) -> None: ...

    def merge(self, population: Population) -> None: ...
