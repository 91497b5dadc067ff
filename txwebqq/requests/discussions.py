"""
Requests about discussions.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred

from txwebqq.model import (
    Captcha,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    Font,
    Gid,
    Presence,
    Sent,
    Uin,
)
from txwebqq.requests.messages import DEFAULT_FONT, MessageRequests, Sendable
from txwebqq.requests.requester import NO_CAPTCHA
from txwebqq.requests.splitting import TooLong
from txwebqq.wire.commands.discussions import (
    ChangeDiscuMem,
    CreateDiscu,
    GetDiscuInfo,
    GetDiscuListNew2,
    GetDiscuStatusInfo,
    Invitation,
    ModifyDiscuInfo,
    QuitDiscu,
    SendDiscuMsg2,
)
from txwebqq.wire.commands.groupmember import MessageFilter

GroupMemberRef = tuple[Uin, Gid]
"""The uin of a group member, and a group that this account shares with it."""


class DiscussionRequests(MessageRequests):
    """
    Looks up, creates, changes and leaves discussions, and sends messages to
    them.

    A request about a discussion that has ended, or that this account is not a
    member of, fails with L{RequestRefused}.
    """

    def fetchDiscussions(self) -> Deferred[DiscussionList]:
        """
        Fetch the discussion list again (protocol.md 2.6), and bring
        C{discussions} up to date with it.
        """

        def learn(reply: DiscussionList) -> DiscussionList:
            self.transport.roster.learnDiscussions(reply)
            return reply

        return self.transport.call(GetDiscuListNew2).addCallback(learn)

    def fetchDiscussion(self, did: Did) -> Deferred[DiscussionDetails]:
        """
        Fetch a discussion and its members (protocol.md 2.6).
        """

        def learn(details: DiscussionDetails) -> DiscussionDetails:
            self.transport.roster.learnDiscussion(details)
            return details

        return self.transport.call(GetDiscuInfo, did).addCallback(learn)

    def fetchDiscussionPresence(self, did: Did) -> Deferred[tuple[Presence, ...]]:
        """
        Fetch the presence of those members of a discussion who are not offline
        (protocol.md 2.6).
        """
        return self.transport.call(GetDiscuStatusInfo, did)

    def createDiscussion(
        self,
        name: str,
        uins: Iterable[Uin] = (),
        members: Iterable[GroupMemberRef] = (),
        captcha: Captcha = NO_CAPTCHA,
    ) -> Deferred[Did]:
        """
        Create a discussion with at least two other accounts (protocol.md 2.6).

        @param uins: friends to invite.
        @param members: members of shared groups to invite.

        @return: fires with its id; also fails with L{CaptchaNeeded}.
        """
        invited = Invitation(tuple(uins), tuple(members))

        def created(did: Did) -> Did:
            self.transport.roster.discussions[did] = Discussion(did, name)
            return did

        return self.transport.call(
            CreateDiscu, name, invited, captcha.text, captcha.session
        ).addCallback(created)

    def inviteToDiscussion(
        self,
        did: Did,
        uins: Iterable[Uin] = (),
        members: Iterable[GroupMemberRef] = (),
    ) -> Deferred[None]:
        """
        Add accounts to a discussion (protocol.md 2.6).

        @param uins: friends to invite.
        @param members: members of shared groups to invite.
        """
        invited = Invitation(tuple(uins), tuple(members))
        return self.transport.call(ChangeDiscuMem, did, invited)

    def renameDiscussion(self, did: Did, name: str) -> Deferred[None]:
        """
        Rename a discussion (protocol.md 2.6).
        """
        return self.transport.call(ModifyDiscuInfo, did, name).addCallback(
            lambda _: self.transport.roster.changeDiscussion(did, name=name)
        )

    def leaveDiscussion(self, did: Did) -> Deferred[None]:
        """
        Leave a discussion (protocol.md 2.6).
        """
        return self.transport.call(QuitDiscu, did).addCallback(
            lambda _: self.transport.roster.leaveDiscussion(did)
        )

    def setDiscussionMask(self, did: Did, mask: int) -> Deferred[None]:
        """
        Set the treatment of the messages of a discussion (protocol.md 2.5.3).

        @param mask: 0 notify, 1 receive without notification, 2 do not receive.
        """
        masks = {d.did: d.mask for d in self.transport.discussions.values()}
        masks[did] = mask
        return self.transport.call(MessageFilter, discussions=masks).addCallback(
            lambda _: self.transport.roster.changeDiscussion(did, mask=mask)
        )

    def sendDiscussionMessage(
        self,
        did: Did,
        content: Sendable,
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[Sent]:
        """
        Send a message to a discussion (protocol.md 2.2.4). The server sends no
        copy of it back.

        @return: fires with the message's id and time when the server has accepted
            it. Also fails with L{MessageTooLong} or L{PartlySent}.
        """
        return self.sendTo(
            ("discussion", did),
            content,
            lambda ticket, part, n: SendDiscuMsg2(ticket, did, part, n, font),
            tooLong,
        )
