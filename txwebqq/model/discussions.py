"""
Discussions and their members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

from txwebqq.model.contacts import Number, Status, Uin

Did = NewType("Did", int)
"""A discussion."""


@dataclass(frozen=True, slots=True)
class Discussion:
    """
    A discussion that we are in.

    @ivar name: C{""} where nobody has given it one.
    @ivar mask: 0 notify, 1 receive quietly, 2 receive nothing.
    @ivar version: C{info_seq} of the last message, another one whenever the
        members or the name change; 0 before the first.
    """

    did: Did
    name: str
    mask: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class DiscussionList:
    """
    The answer of the discussion list.

    @ivar globalMask: as in L{GroupList}.
    """

    discussions: Mapping[Did, Discussion]
    globalMask: int = 0


@dataclass(frozen=True, slots=True)
class DiscussionMember:
    """
    Somebody in a discussion.

    @ivar number: their permanent number, which nobody hides here.
    """

    uin: Uin
    number: Number
    nick: str
    status: Status = Status.OFFLINE
    clientType: int = 0


@dataclass(frozen=True, slots=True)
class DiscussionDetails:
    """
    A discussion with its members.

    @ivar version: C{info_seq}, another one whenever members or name change.
    """

    did: Did
    name: str
    owner: Uin
    version: int
    members: tuple[DiscussionMember, ...]
