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
from txwebqq.server.events.queued import LETTERS, Postmark
from txwebqq.server.events.sessionids import Aliases
from txwebqq.wire.commands.temporary import IN_DISCUSSION

NOBODY = Number(0)


def _uin(aliases: Aliases, number: Number) -> Uin:
    return Uin(0) if number == NOBODY else aliases.uin(number)


@dataclass(frozen=True, slots=True)
class GroupNoticeLetter:
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

    def event(self, aliases: Aliases) -> Event:
        """
        The letter as a session sees it.
        """
        step = GroupStep(self.step)
        member = self.member
        if step is GroupStep.LEFT and self.operation == DISSOLVED:
            member = aliases.own
        return GroupNotice(
            step=step,
            group=aliases.gid(self.group),
            code=aliases.code(self.group),
            number=self.group,
            recipient=aliases.own,
            member=_uin(aliases, member),
            memberNumber=member,
            admin=_uin(aliases, self.admin),
            adminTitle=self.adminTitle,
            previous=_uin(aliases, self.previous),
            operation=self.operation,
            text=self.text,
            messageId=self.messageId,
            messageId2=self.messageId2,
        )


@dataclass(frozen=True, slots=True)
class GroupShareLetter:
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

    def event(self, aliases: Aliases) -> Event:
        """
        The letter as a session sees it.
        """
        return GroupWebMessage(
            group=aliases.gid(self.group),
            code=aliases.code(self.group),
            sender=aliases.uin(self.sender),
            markup=self.markup,
            recipient=aliases.own,
            messageId=self.messageId,
            messageId2=self.messageId2,
        )


@dataclass(frozen=True, slots=True)
class DiscussionLetter:
    """
    Words in a discussion.

    @ivar sequence: the running number of messages in the discussion.
    @ivar version: another one whenever the members or the name change.
    """

    mark: Postmark
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

    def event(self, aliases: Aliases) -> Event:
        """
        The letter as a session sees it.
        """
        return DiscussionMessage(
            discussion=Did(self.discussion),
            sender=aliases.uin(self.mark.sender),
            recipient=aliases.own,
            content=self.content,
            time=self.mark.time,
            messageId=self.mark.messageId,
            messageId2=self.mark.messageId2,
            sequence=self.sequence,
            version=self.version,
            font=self.font,
        )


@dataclass(frozen=True, slots=True)
class StrangerLetter:
    """
    Words of a fellow member who is no friend.

    @ivar place: the group or discussion that both are in.
    @ivar service: which of the two that is.
    """

    mark: Postmark
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

    def event(self, aliases: Aliases) -> Event:
        """
        The letter as a session sees it.
        """
        isDiscussion = self.service == IN_DISCUSSION
        return StrangerMessage(
            sender=aliases.uin(self.mark.sender),
            recipient=aliases.own,
            place=self.place if isDiscussion else aliases.gid(self.place),
            service=self.service,
            number=self.mark.sender,
            content=self.content,
            time=self.mark.time,
            messageId=self.mark.messageId,
            messageId2=self.mark.messageId2,
            font=self.font,
        )


LETTERS["group notice"] = GroupNoticeLetter
LETTERS["group share"] = GroupShareLetter
LETTERS["discussion"] = DiscussionLetter
LETTERS["stranger"] = StrangerLetter
