"""
Discussions, and words to fellow members who are no friends.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, fail, succeed

from txwebqq.model import (
    Captcha,
    Did,
    Discussion,
    DiscussionDetails,
    DiscussionList,
    Font,
    Gid,
    Presence,
    Segment,
    StrangerMessage,
    Uin,
)
from txwebqq.requests.messages import DEFAULT_FONT, MessageRequests
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
from txwebqq.wire.commands.temporary import (
    IN_DISCUSSION,
    IN_GROUP,
    GetC2cmsgSig2,
    SendSessMsg2,
)

SIGNATURE_LIFE = 300.0
"""The seconds for which what lets us write to somebody is used again."""

NO_CAPTCHA = Captcha()

Fellow = tuple[Uin, Gid]
"""Somebody, with the group that we share."""


class DiscussionRequests(MessageRequests):
    """
    What to do with discussions and strangers.

    Whatever is about a discussion that has ended, or that we are not in, fails
    with L{RequestRefused}.
    """

    # ---- discussions

    def fetchDiscussions(self) -> Deferred[DiscussionList]:
        """
        Ask for the discussion list anew (protocol.md 2.6); C{discussions} is
        then as current.
        """

        def learn(answer: DiscussionList) -> DiscussionList:
            self.transport.roster.learnDiscussions(answer)
            return answer

        return self.transport.call(GetDiscuListNew2).addCallback(learn)

    def fetchDiscussion(self, did: Did) -> Deferred[DiscussionDetails]:
        """
        Ask for a discussion and its members (protocol.md 2.6).
        """

        def learn(details: DiscussionDetails) -> DiscussionDetails:
            self.transport.roster.learnDiscussion(details)
            return details

        return self.transport.call(
            lambda ticket: GetDiscuInfo(ticket, did)
        ).addCallback(learn)

    def fetchDiscussionPresence(self, did: Did) -> Deferred[tuple[Presence, ...]]:
        """
        Ask which members of a discussion are not offline (protocol.md 2.6).
        """
        return self.transport.call(lambda ticket: GetDiscuStatusInfo(ticket, did))

    def createDiscussion(
        self,
        name: str,
        uins: Iterable[Uin] = (),
        members: Iterable[Fellow] = (),
        captcha: Captcha = NO_CAPTCHA,
    ) -> Deferred[Did]:
        """
        Begin a discussion with two others at least (protocol.md 2.6).

        @param uins: friends.
        @param members: fellow members of groups.

        @return: also fails with L{CaptchaNeeded}.
        """
        invited = Invitation(tuple(uins), tuple(members))

        def learn(did: Did) -> Did:
            self.transport.roster.discussions[did] = Discussion(did, name)
            return did

        return self.transport.call(
            lambda ticket: CreateDiscu(
                ticket, name, invited, captcha.text, captcha.session
            )
        ).addCallback(learn)

    def inviteToDiscussion(
        self, did: Did, uins: Iterable[Uin] = (), members: Iterable[Fellow] = ()
    ) -> Deferred[None]:
        """
        Take more people into a discussion (protocol.md 2.6).

        @param uins: friends.
        @param members: fellow members of groups.
        """
        invited = Invitation(tuple(uins), tuple(members))
        return self.transport.call(lambda ticket: ChangeDiscuMem(ticket, did, invited))

    def renameDiscussion(self, did: Did, name: str) -> Deferred[None]:
        """
        Give a discussion another name (protocol.md 2.6).
        """

        def renamed(result: None) -> None:
            self.transport.roster.changeDiscussion(did, name=name)

        return self.transport.call(
            lambda ticket: ModifyDiscuInfo(ticket, did, name)
        ).addCallback(renamed)

    def leaveDiscussion(self, did: Did) -> Deferred[None]:
        """
        Leave a discussion (protocol.md 2.6).
        """

        def left(result: None) -> None:
            self.transport.roster.leaveDiscussion(did)

        return self.transport.call(lambda ticket: QuitDiscu(ticket, did)).addCallback(
            left
        )

    def setDiscussionMask(self, did: Did, mask: int) -> Deferred[None]:
        """
        Decide what happens to the messages of a discussion (protocol.md 2.5.3).

        @param mask: 0 notify, 1 receive quietly, 2 receive nothing.
        """
        masks = {d.did: d.mask for d in self.transport.discussions.values()}
        masks[did] = mask

        def changed(result: None) -> None:
            self.transport.roster.changeDiscussion(did, mask=mask)

        return self.transport.call(
            lambda ticket: MessageFilter(ticket, discussions=masks)
        ).addCallback(changed)

    def sendDiscussionMessage(
        self,
        did: Did,
        content: str | Iterable[Segment],
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[None]:
        """
        Write in a discussion (protocol.md 2.2.4); we get no copy of it.

        @return: fires when the server has accepted the message. Also fails
            with L{MessageTooLong} or L{PartlySent}.
        """
        return self.sendTo(
            ("discussion", did),
            content,
            lambda ticket, piece, n: SendDiscuMsg2(ticket, did, piece, n, font),
            tooLong,
        )

    # ---- temporary conversations

    def sendStrangerMessage(
        self,
        uin: Uin,
        content: str | Iterable[Segment],
        *,
        group: Gid | None = None,
        discussion: Did | None = None,
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[None]:
        """
        Write to somebody who is no friend, but in a group or a discussion with
        us (protocol.md 2.2.5).

        @param group: the group that we share, or else C{discussion}.

        @return: fires when the server has accepted the message. Also fails
            with L{MessageTooLong} or L{PartlySent}, and with L{ValueError}
            unless one place is given.
        """
        place: Gid | Did
        if group is not None and discussion is None:
            place, service = group, IN_GROUP
        elif discussion is not None and group is None:
            place, service = discussion, IN_DISCUSSION
        else:
            return fail(ValueError("name either the group or the discussion"))

        async def send() -> None:
            signature = await self._signature(uin, place, service)
            await self.sendTo(
                ("stranger", uin),
                content,
                lambda ticket, piece, n: SendSessMsg2(
                    ticket, uin, signature, service, piece, n, font
                ),
                tooLong,
            )

        return Deferred.fromCoroutine(send())

    def answerStranger(
        self,
        message: StrangerMessage,
        content: str | Iterable[Segment],
        font: Font = DEFAULT_FONT,
    ) -> Deferred[None]:
        """
        Write back to a stranger, by the place that they wrote from.
        """
        if message.service == IN_DISCUSSION:
            return self.sendStrangerMessage(
                message.sender, content, discussion=Did(message.place), font=font
            )
        return self.sendStrangerMessage(
            message.sender, content, group=Gid(message.place), font=font
        )

    def _signature(self, uin: Uin, place: Gid | Did, service: int) -> Deferred[str]:
        signatures = self.transport.temporaryChatSignatures
        key = uin, int(place), service
        now = self.transport.seconds()
        for old, (given, _) in list(signatures.items()):
            if now - given >= SIGNATURE_LIFE:
                del signatures[old]
        if key in signatures:
            return succeed(signatures[key][1])

        def keep(signature: str) -> str:
            signatures[key] = now, signature
            return signature

        return self.transport.call(
            lambda ticket: GetC2cmsgSig2(ticket, place, uin, service)
        ).addCallback(keep)
