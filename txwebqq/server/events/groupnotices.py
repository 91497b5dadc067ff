"""
Letters of groups, discussions and temporary conversations.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.model import (
    DISSOLVED,
    Content,
    Did,
    DiscussionMessage,
    Event,
    Font,
    GroupNotice,
    GroupStep,
    GroupWebMessage,
    Number,
    StrangerMessage,
    Uin,
)
from txwebqq.server.events.queued import KINDS, MessageIds
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.wire.commands.temporary import IN_DISCUSSION

NOBODY = Number(0)


def _uin(sessionIds: SessionIds, number: Number) -> Uin:
    return Uin(0) if number == NOBODY else sessionIds.uin(number)


@dataclass(frozen=True, slots=True)
class QueuedGroupNotice:
    """
    Something happened to a group's membership.

    @ivar step: the word of a L{GroupStep}.
    @ivar member: whom it is about, and C{admin} who did it; 0 for nobody.
    @ivar operation: as in L{GroupNotice}, like C{previous} and C{adminTitle}.
    """

    step: str
    group: Number
    messageId: int
    messageId2: int
    member: Number = NOBODY
    admin: Number = NOBODY
    adminTitle: str = ""
    previous: Number = NOBODY
    operation: int = 0
    text: str = ""

    @property
    def conversation(self) -> tuple[str, int]:
        """
        The group's, so that nobody is heard before they have come.
        """
        return "group", self.group

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        step = GroupStep(self.step)
        member = self.member
        if step is GroupStep.LEFT and self.operation == DISSOLVED:
            member = sessionIds.own
        return GroupNotice(
            step=step,
            group=sessionIds.gid(self.group),
            code=sessionIds.code(self.group),
            number=self.group,
            recipient=sessionIds.own,
            member=_uin(sessionIds, member),
            memberNumber=member,
            admin=_uin(sessionIds, self.admin),
            adminTitle=self.adminTitle,
            previous=_uin(sessionIds, self.previous),
            operation=self.operation,
            text=self.text,
            messageId=self.messageId,
            messageId2=self.messageId2,
        )


@dataclass(frozen=True, slots=True)
class QueuedGroupShare:
    """
    Something was shared in a group.
    """

    group: Number
    sender: Number
    markup: str
    messageId: int
    messageId2: int

    @property
    def conversation(self) -> tuple[str, int]:
        """
        The group's.
        """
        return "group", self.group

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        return GroupWebMessage(
            group=sessionIds.gid(self.group),
            code=sessionIds.code(self.group),
            sender=sessionIds.uin(self.sender),
            markup=self.markup,
            recipient=sessionIds.own,
            messageId=self.messageId,
            messageId2=self.messageId2,
        )


@dataclass(frozen=True, slots=True)
class QueuedDiscussionMessage:
    """
    Words in a discussion.

    @ivar sequence: the running number of messages in the discussion.
    @ivar version: another one whenever the members or the name change.
    """

    mark: MessageIds
    content: Content
    font: Font
    discussion: Number
    sequence: int
    version: int

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two letters of one answer must not have in common.
        """
        return "discussion", self.discussion

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        return DiscussionMessage(
            discussion=Did(self.discussion),
            sender=sessionIds.uin(self.mark.sender),
            recipient=sessionIds.own,
            content=self.content,
            time=self.mark.time,
            messageId=self.mark.messageId,
            messageId2=self.mark.messageId2,
            sequence=self.sequence,
            version=self.version,
            font=self.font,
        )


@dataclass(frozen=True, slots=True)
class QueuedTemporaryMessage:
    """
    Words of a fellow member who is no friend.

    @ivar place: the group or discussion that both are in.
    @ivar service: which of the two that is.
    """

    mark: MessageIds
    content: Content
    font: Font
    place: Number
    service: int

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two letters of one answer must not have in common.
        """
        return "stranger", self.mark.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        isDiscussion = self.service == IN_DISCUSSION
        return StrangerMessage(
            sender=sessionIds.uin(self.mark.sender),
            recipient=sessionIds.own,
            place=self.place if isDiscussion else sessionIds.gid(self.place),
            service=self.service,
            number=self.mark.sender,
            content=self.content,
            time=self.mark.time,
            messageId=self.mark.messageId,
            messageId2=self.mark.messageId2,
            font=self.font,
        )


KINDS["group notice"] = QueuedGroupNotice
KINDS["group share"] = QueuedGroupShare
KINDS["discussion"] = QueuedDiscussionMessage
KINDS["stranger"] = QueuedTemporaryMessage
