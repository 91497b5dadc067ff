"""
What the server keeps, as those who need it see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.mail import Letter
from txwebqq.server.mediastore import MediaStore
from txwebqq.server.records import (
    Attendant,
    Drawer,
    Friend,
    Person,
    Population,
    Room,
    Seat,
)


class Storage(MediaStore, Protocol):
    """
    Somewhere to keep things (L{txwebqq.server.store.Store}).
    """

    def person(self, number: Number) -> Person | None: ...

    def friendNumbers(self, number: Number) -> list[Number]: ...

    def areFriends(self, number: Number, other: Number) -> bool: ...

    def areAcquainted(self, number: Number, other: Number) -> bool: ...

    def friends(self, number: Number) -> list[Friend]: ...

    def drawers(self, number: Number) -> list[Drawer]: ...

    def seats(self, number: Number) -> list[Seat]: ...

    def seat(self, room: Number, number: Number) -> Seat | None: ...

    def room(self, number: Number) -> Room | None: ...

    def isMember(self, room: Number, number: Number) -> bool: ...

    def memberNumbers(self, room: Number) -> list[Number]: ...

    def members(self, room: Number) -> list[Attendant]: ...

    def keep(self, letter: Letter, numbers: Sequence[Number]) -> int: ...

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, Letter]]: ...

    def delivered(self, receipts: Iterable[tuple[Number, int]]) -> None: ...

    def merge(self, population: Population) -> None: ...
