"""
Groups: their details and numbers, what we keep of them, in and out, and their
administration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from txwebqq.errors import MessageTooLong, RequestRefused
from txwebqq.model import (
    MAY_ASK,
    BusinessCard,
    Captcha,
    Code,
    FoundGroups,
    Gid,
    Group,
    GroupDetails,
    GroupList,
    GroupNotice,
    GroupProfile,
    NewGroup,
    Number,
    Presence,
    Uin,
)
from txwebqq.requests.requester import Requester, numberOf
from txwebqq.wire.commands.contacts import (
    GROUP_NUMBER,
    GetFriendUin2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
)
from txwebqq.wire.commands.groupadmin import (
    CreateGroup,
    DissolveGroup,
    ModifyGroupInfo,
    RemoveGroupMember,
    SetGroupAdmin,
    TransferGroup,
)
from txwebqq.wire.commands.groupmember import (
    GetSelfBusinessCard2,
    MessageFilter,
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)
from txwebqq.wire.commands.groups import (
    AGREE,
    REFUSE,
    ApplyJoinGroup2,
    GetGroupInfo,
    GetGroupMemberStat2,
    GetGroupPublicInfo2,
    OpGroupJoinReq,
    QuitGroup2,
    SearchGroups,
    SendGroupWebMsg,
)
from txwebqq.wire.commands.signon import GetImage

LOOK_UP = "1003901"
"""The C{aid} of captchas that are not for a login (protocol.md 1.2)."""

NO_CARD = 100003
"""The refusal of somebody's card who has none."""

MAX_WORDS, MAX_ANSWER = 128, 1000
"""The characters of texts that travel in a query, which must stay short."""

NO_CAPTCHA = Captcha()


class GroupRequests(Requester):
    """
    What to know of groups, and what to do with them.

    Groups are named by their C{code}, unless it says otherwise. What only the
    owner or an administrator may do fails with L{RequestRefused} for others.
    """

    # ---- looking

    def fetchGroups(self) -> Deferred[GroupList]:
        """
        Ask for the group list anew (protocol.md 2.5.1).
        """
        return self.transport.call(
            lambda ticket: GetGroupNameListMask2(
                ticket, self.transport.friendListHash(ticket)
            )
        )

    def fetchGroup(self, code: Code) -> Deferred[GroupDetails]:
        """
        Ask for a group's details and members (protocol.md 2.5.2).

        @param code: the group's C{code}, not its C{gid}.
        """
        return self.transport.call(lambda ticket: GetGroupInfoExt2(ticket, code))

    def fetchGroupNumber(self, code: Code) -> Deferred[Number]:
        """
        Ask which permanent number a group has (protocol.md 2.3.6).
        """
        return self.transport.call(
            lambda ticket: GetFriendUin2(ticket, code, GROUP_NUMBER)
        ).addCallback(numberOf)

    def fetchGroupProfile(self, code: Code) -> Deferred[GroupProfile]:
        """
        Ask what a group shows to those who consider joining it
        (protocol.md 2.5.3).
        """
        return self.transport.call(lambda ticket: GetGroupPublicInfo2(ticket, code))

    def fetchGroupNotice(self, code: Code) -> Deferred[str]:
        """
        Ask for a group's announcement (protocol.md 2.5.3).
        """
        return self.transport.call(
            lambda ticket: GetGroupInfo(ticket, (code,))
        ).addCallback(lambda answer: "".join(answer.memos.values()))

    def fetchGroupPresence(self, code: Code) -> Deferred[tuple[Presence, ...]]:
        """
        Ask which members of a group are not offline (protocol.md 2.5.3).
        """
        return self.transport.call(
            lambda ticket: GetGroupMemberStat2(ticket, code)
        ).addCallback(lambda stats: stats.present)

    # ---- what we keep of a group

    def fetchOwnCard(self, code: Code) -> Deferred[BusinessCard | None]:
        """
        Ask for our own card in a group (protocol.md 2.5.3).

        @return: fires with L{None} when we have none.
        """

        def none(failure: Failure) -> None:
            failure.trap(RequestRefused)
            if getattr(failure.value, "retcode", None) != NO_CARD:
                failure.raiseException()

        return self.transport.call(
            lambda ticket: GetSelfBusinessCard2(ticket, code)
        ).addCallbacks(lambda answer: answer.card, none)

    def setGroupCard(
        self,
        code: Code,
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        remark: str | None = None,
        gender: int | None = None,
    ) -> Deferred[None]:
        """
        Change our own card in a group (protocol.md 2.5.3); what is not given
        stays.

        @param name: what the others call us there; C{""} for our nick.
        """
        return self.transport.call(
            lambda ticket: UpdateGroupBusinessCard2(
                ticket, code, name, phone, email, remark, gender
            )
        )

    def setGroupMarkname(self, code: Code, markname: str) -> Deferred[None]:
        """
        Give a group another name, for ourselves alone (protocol.md 2.5.3).
        """

        def changed(result: None) -> None:
            self.transport.roster.changeGroup(code, markname=markname)

        return self.transport.call(
            lambda ticket: UpdateGroupInfo2(ticket, code, markname)
        ).addCallback(changed)

    def setGroupMask(self, gid: Gid, mask: int) -> Deferred[None]:
        """
        Decide what happens to a group's messages (protocol.md 2.5.3).

        @param mask: 0 notify, 1 receive quietly, 2 receive nothing.
        """
        roster = self.transport.roster
        # The server is always told all of them, as by the original page.
        masks = {group.gid: group.mask for group in roster.groups.values()}
        masks[gid] = mask

        def changed(result: None) -> None:
            group = roster.groups.get(gid)
            if group is not None:
                roster.groups[gid] = replace(group, mask=mask)

        return self.transport.call(
            lambda ticket: MessageFilter(ticket, masks, globalMask=roster.globalMask)
        ).addCallback(changed)

    def setGlobalGroupMask(self, mask: int) -> Deferred[None]:
        """
        Decide what happens to the messages of all groups (protocol.md 2.5.1).

        @param mask: 0 each group by its own mask, 1 notify of all, 2 receive
            all quietly, 3 receive nothing.
        """
        roster = self.transport.roster
        masks = {group.gid: group.mask for group in roster.groups.values()}

        def changed(result: None) -> None:
            roster.globalMask = mask

        return self.transport.call(
            lambda ticket: MessageFilter(ticket, masks, globalMask=mask)
        ).addCallback(changed)

    # ---- in and out

    def fetchCaptcha(self) -> Deferred[Captcha]:
        """
        Fetch a captcha, for what has failed with L{CaptchaNeeded}.

        @return: fires with its picture; ask again with the text that was read
            from it: C{replace(captcha, text=...)}.
        """

        def fetched(image: bytes) -> Captcha:
            return Captcha(self.transport.cookie("verifysession"), image)

        return self.transport.call(
            lambda ticket: GetImage("", aid=LOOK_UP)
        ).addCallback(fetched)

    def searchGroups(
        self, words: str, page: int = 1, captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[FoundGroups]:
        """
        Find groups by their number, or by words in their names
        (protocol.md 2.5.3).

        @param captcha: the last one that was fetched.

        @return: also fails with L{CaptchaNeeded}.
        """
        if len(words) > MAX_WORDS:
            return fail(MessageTooLong(123, f"more than {MAX_WORDS} characters"))
        return self.transport.call(
            lambda ticket: SearchGroups(ticket, words, page, code=captcha.text)
        )

    def joinGroup(
        self, code: Code, text: str = "", captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[None]:
        """
        Ask to be let into a group (protocol.md 2.5.3).

        @param text: for the administrators.

        @return: fires when they have been asked; C{groupChanged} tells the
            answer. Also fails with L{CaptchaNeeded}.
        """
        return self.transport.call(
            lambda ticket: ApplyJoinGroup2(
                ticket, code, text, captcha.text, captcha.session
            )
        )

    def answerJoinRequest(
        self, notice: GroupNotice, agree: bool, text: str = ""
    ) -> Deferred[None]:
        """
        Let somebody into a group that we administer, or not
        (protocol.md 2.5.3).

        @param notice: with C{step} L{GroupStep.REQUESTED}.
        @param text: for whoever asked.
        """
        if len(text) > MAX_ANSWER:
            return fail(MessageTooLong(123, f"more than {MAX_ANSWER} characters"))
        operation = AGREE if agree else REFUSE
        return self.transport.call(
            lambda ticket: OpGroupJoinReq(
                ticket, notice.group, notice.member, operation, text
            )
        )

    def leaveGroup(self, code: Code) -> Deferred[None]:
        """
        Leave a group (protocol.md 2.5.3).
        """
        return self.transport.call(lambda ticket: QuitGroup2(ticket, code)).addCallback(
            lambda _: self.transport.roster.leaveGroup(code)
        )

    # ---- administration, which only our own server knows

    def createGroup(
        self,
        name: str,
        uins: Iterable[Uin] = (),
        notice: str = "",
        description: str = "",
        option: int = MAY_ASK,
    ) -> Deferred[NewGroup]:
        """
        Make a group of our own. Tencent's server had no such call.

        @param uins: friends who are in it from the start.
        @param notice: the announcement.
        @param option: who may join: L{MAY_JOIN}, L{MAY_ASK}, L{MAY_NOT_JOIN}.
        """
        friends = tuple(uins)

        def made(group: NewGroup) -> NewGroup:
            groups = self.transport.roster.groups
            groups[group.gid] = Group(group.gid, group.code, name)
            return group

        return self.transport.call(
            lambda ticket: CreateGroup(
                ticket, name, friends, notice, description, option
            )
        ).addCallback(made)

    def editGroup(
        self,
        code: Code,
        name: str | None = None,
        notice: str | None = None,
        description: str | None = None,
        option: int | None = None,
    ) -> Deferred[None]:
        """
        Change what a group that we administer says of itself; what is not
        given stays. Tencent's server had no such call.
        """

        def changed(result: None) -> None:
            if name is not None:
                self.transport.roster.changeGroup(code, name=name)

        return self.transport.call(
            lambda ticket: ModifyGroupInfo(
                ticket, code, name, notice, description, option
            )
        ).addCallback(changed)

    def removeMember(self, code: Code, uin: Uin) -> Deferred[None]:
        """
        Put somebody out of a group that we administer. Tencent's server had no
        such call.
        """
        return self.transport.call(lambda ticket: RemoveGroupMember(ticket, code, uin))

    def setAdmin(self, code: Code, uin: Uin, granted: bool = True) -> Deferred[None]:
        """
        Make a member of our group an administrator, or no longer one.
        Tencent's server had no such call.
        """
        return self.transport.call(
            lambda ticket: SetGroupAdmin(ticket, code, uin, granted)
        )

    def transferGroup(self, code: Code, uin: Uin) -> Deferred[None]:
        """
        Give our group to one of its members. Tencent's server had no such
        call.
        """
        return self.transport.call(lambda ticket: TransferGroup(ticket, code, uin))

    def dissolveGroup(self, code: Code) -> Deferred[None]:
        """
        End our group. Tencent's server had no such call.
        """
        return self.transport.call(
            lambda ticket: DissolveGroup(ticket, code)
        ).addCallback(lambda _: self.transport.roster.leaveGroup(code))

    def shareInGroup(self, gid: Gid, markup: str) -> Deferred[None]:
        """
        Share something in a group: the others get it as a
        L{GroupWebMessage<txwebqq.model.GroupWebMessage>}. Tencent's server had
        no such call.

        @param markup: as in protocol.md 5.11.
        """
        return self.transport.call(lambda ticket: SendGroupWebMsg(ticket, gid, markup))
