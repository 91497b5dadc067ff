"""
Letters about friendships, and about signatures of friends.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.model import (
    WEB_CLIENT,
    Event,
    FriendshipNotice,
    FriendshipStep,
    Number,
    RosterChange,
    Status,
    Tip,
)
from txwebqq.server.events.queued import KINDS
from txwebqq.server.events.sessionids import SessionIds

SIGNATURE_URL = "http://webqq.qq.com/?run=mySignature"
"""What the page knew a tip about a signature by (protocol.md 5.15)."""


@dataclass(frozen=True, slots=True)
class QueuedFriendshipNotice:
    """
    A step on the way to a friendship.

    @ivar step: the word of a L{FriendshipStep}.
    @ivar status: how the other one appeared then, by its number.
    """

    step: str
    other: Number
    sequence: int
    text: str = ""
    category: int = 0
    allow: int = 1
    status: int = 20
    signature: str = ""

    @property
    def conversation(self) -> tuple[str, int]:
        """
        That with the other one, so that nobody is heard before they have come.
        """
        return "buddy", self.other

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        status = Status.fromCode(self.status)
        return FriendshipNotice(
            step=FriendshipStep(self.step),
            uin=sessionIds.uin(self.other),
            number=self.other,
            text=self.text,
            sequence=self.sequence,
            category=self.category,
            allow=self.allow,
            status=status,
            clientType=0 if status is Status.OFFLINE else WEB_CLIENT,
            signature=self.signature,
        )


@dataclass(frozen=True, slots=True)
class QueuedRosterChange:
    """
    Somebody has come into the friend list, or is no longer in it.
    """

    other: Number
    added: bool
    category: int = 0

    @property
    def conversation(self) -> tuple[str, int]:
        """
        Likewise.
        """
        return "buddy", self.other

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        uin = sessionIds.uin(self.other)
        if self.added:
            return RosterChange(added=((uin, self.category),))
        return RosterChange(removed=(uin,))


@dataclass(frozen=True, slots=True)
class QueuedSignature:
    """
    A friend has another signature.
    """

    sender: Number
    nick: str
    text: str
    messageId: int

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two letters of one answer must not have in common.
        """
        return "signature", self.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it; pages show a colon for the line break.
        """
        return Tip(
            sender=sessionIds.uin(self.sender),
            url=SIGNATURE_URL,
            text=f"{self.nick}\r\n{self.text}",
            messageId=self.messageId,
        )


KINDS["friendship"] = QueuedFriendshipNotice
KINDS["roster"] = QueuedRosterChange
KINDS["signature"] = QueuedSignature
