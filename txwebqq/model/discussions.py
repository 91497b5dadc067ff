"""
Discussions and their members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NewType

from txwebqq.model.contacts import Number, Status, Uin
from txwebqq.values import Value

Did = NewType("Did", int)
"""The id of a discussion; unlike ids of groups, the same in every session."""


class Discussion(Value):
    """
    A discussion that the account is a member of.

    @ivar name: C{""} where no member has named the discussion.
    @ivar mask: what to do with messages: 0 notify, 1 receive silently, 2 block.
    @ivar version: C{info_seq} of the last message, which changes whenever the
        members or the name change; 0 before the first message.
    """

    did: Did
    name: str
    mask: int = 0
    version: int = 0


class DiscussionList(Value):
    """
    The discussions of an account.

    @ivar globalMask: as in L{GroupList}.
    """

    discussions: Mapping[Did, Discussion]
    globalMask: int = 0


class DiscussionMember(Value):
    """
    A member of a discussion.

    @ivar number: the permanent number, which the server never hides here.
    """

    uin: Uin
    number: Number
    nick: str
    status: Status = Status.OFFLINE
    clientType: int = 0


class DiscussionDetails(Value):
    """
    A discussion with its members.

    @ivar version: C{info_seq}, which changes whenever the members or the name change.
    """

    did: Did
    name: str
    owner: Uin
    version: int
    members: tuple[DiscussionMember, ...]
