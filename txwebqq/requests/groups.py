"""
Requests about groups: details and numbers, this account's settings, joining and
leaving, and administration.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail

from txwebqq.errors import MessageTooLong
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
from txwebqq.requests.requester import NO_CAPTCHA, Requester, ebEmpty, numberOf
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
    SetMemberCard,
    TransferGroup,
)
from txwebqq.wire.commands.groupmember import (
    GetSelfBusinessCard2,
    MessageFilter,
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)
from txwebqq.wire.commands.groups import (
    ACCEPT,
    DECLINE,
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
from txwebqq.wire.events.interaction import AGREE, REFUSE

LOOK_UP = "1003901"
"""The C{aid} of captchas that are not for a login (protocol.md 1.2)."""

NO_CARD = 100003
"""The server's code for a member without a card (protocol.md 2.5.3)."""

MAX_WORDS, MAX_ANSWER = 128, 1000
"""Maximum lengths of texts that travel in the query of a URL, in characters:
search words, and the answer to a join request."""


class GroupRequests(Requester):
    """
    Looks up, joins, leaves and administers groups.

    A group is named by its C{code}, except where a parameter is called C{gid}.
    A request that only the owner or an administrator may send fails with
    L{RequestRefused} for other members.
    """

    def fetchGroups(self) -> Deferred[GroupList]:
        """
        Fetch the group list again (protocol.md 2.5.1).
        """
        return self.transport.call(
            lambda ticket: GetGroupNameListMask2(
                ticket, self.transport.friendListHash(ticket)
            )
        )

    def fetchGroup(self, code: Code) -> Deferred[GroupDetails]:
        """
        Fetch the details and members of a group (protocol.md 2.5.2).

        @param code: the group's C{code}, not its C{gid}.
        """
        return self.transport.call(GetGroupInfoExt2, code)

    def fetchGroupNumber(self, code: Code) -> Deferred[Number]:
        """
        Fetch the permanent number of a group (protocol.md 2.3.6).
        """
        return self.transport.call(GetFriendUin2, code, GROUP_NUMBER).addCallback(
            numberOf
        )

    def fetchGroupProfile(self, code: Code) -> Deferred[GroupProfile]:
        """
        Fetch the profile that a group shows to accounts that are not members
        (protocol.md 2.5.3).
        """
        return self.transport.call(GetGroupPublicInfo2, code)

    def fetchGroupNotice(self, code: Code) -> Deferred[str]:
        """
        Fetch the announcement of a group (protocol.md 2.5.3).
        """
        return self.transport.call(GetGroupInfo, (code,)).addCallback(
            lambda reply: "".join(reply.memos.values())
        )

    def fetchGroupPresence(self, code: Code) -> Deferred[tuple[Presence, ...]]:
        """
        Fetch the presence of those members of a group who are not offline
        (protocol.md 2.5.3).
        """
        return self.transport.call(GetGroupMemberStat2, code).addCallback(
            lambda reply: reply.present
        )

    def fetchOwnCard(self, code: Code) -> Deferred[BusinessCard | None]:
        """
        Fetch this account's card in a group (protocol.md 2.5.3).

        @return: fires with L{None} when there is none.
        """
        return (
            self.transport.call(GetSelfBusinessCard2, code)
            .addCallback(lambda reply: reply.card)
            .addErrback(ebEmpty, NO_CARD, None)
        )

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
        Change this account's card in a group (protocol.md 2.5.3). Fields that
        are not given keep their values.

        @param name: the name that the members see there; C{""} for the nick.
        """
        return self.transport.call(
            UpdateGroupBusinessCard2, code, name, phone, email, remark, gender
        )

    def setGroupMarkname(self, code: Code, markname: str) -> Deferred[None]:
        """
        Set a private name for a group (protocol.md 2.5.3).
        """
        return self.transport.call(UpdateGroupInfo2, code, markname).addCallback(
            lambda _: self.transport.roster.changeGroup(code, markname=markname)
        )

    def setGroupMask(self, gid: Gid, mask: int) -> Deferred[None]:
        """
        Set the treatment of the messages of a group (protocol.md 2.5.3).

        @param mask: 0 notify, 1 receive without notification, 2 do not receive.
        """
        roster = self.transport.roster
        # The request carries the masks of all groups, as that of the original
        # page.
        masks = {group.gid: group.mask for group in roster.groups.values()}
        masks[gid] = mask

        def changed(result: None) -> None:
            group = roster.groups.get(gid)
            if group is not None:
                roster.groups[gid] = replace(group, mask=mask)

        return self.transport.call(
            MessageFilter, masks, globalMask=roster.globalMask
        ).addCallback(changed)

    def setGlobalGroupMask(self, mask: int) -> Deferred[None]:
        """
        Set the treatment of the messages of all groups (protocol.md 2.5.1).

        @param mask: 0 each group by its own mask, 1 notify, 2 receive without
            notification, 3 do not receive.
        """
        roster = self.transport.roster
        masks = {group.gid: group.mask for group in roster.groups.values()}

        def changed(result: None) -> None:
            roster.globalMask = mask

        return self.transport.call(MessageFilter, masks, globalMask=mask).addCallback(
            changed
        )

    def fetchCaptcha(self) -> Deferred[Captcha]:
        """
        Fetch a captcha, for a request that has failed with L{CaptchaNeeded}.

        @return: fires with the captcha and its image; repeat the request with
            C{msgspec.structs.replace(captcha, text=...)}.
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
        Search for groups by number, or by words of their names
        (protocol.md 2.5.3).

        @param captcha: the captcha that was fetched last.

        @return: also fails with L{CaptchaNeeded}.
        """
        if len(words) > MAX_WORDS:
            return fail(MessageTooLong(123, f"more than {MAX_WORDS} characters"))
        return self.transport.call(SearchGroups, words, page, code=captcha.text)

    def joinGroup(
        self, code: Code, text: str = "", captcha: Captcha = NO_CAPTCHA
    ) -> Deferred[None]:
        """
        Ask to join a group (protocol.md 2.5.3).

        @param text: for the administrators.

        @return: fires when the server has accepted the join request. The answer
            comes as the event C{groupChanged}. Also fails with
            L{CaptchaNeeded}.
        """
        return self.transport.call(
            ApplyJoinGroup2, code, text, captcha.text, captcha.session
        )

    def answerJoinRequest(
        self, notice: GroupNotice, agree: bool, text: str = ""
    ) -> Deferred[None]:
        """
        Accept or refuse a request to join a group that this account administers
        (protocol.md 2.5.3).

        @param notice: the request, with C{step} L{GroupStep.REQUESTED}.
        @param text: for the account that asked.
        """
        if len(text) > MAX_ANSWER:
            return fail(MessageTooLong(123, f"more than {MAX_ANSWER} characters"))
        operation = AGREE if agree else REFUSE
        return self.transport.call(
            OpGroupJoinReq, notice.group, notice.member, operation, text
        )

    def answerInvitation(
        self, notice: GroupNotice, accept: bool, text: str = ""
    ) -> Deferred[None]:
        """
        Accept or decline an invitation to a group. Today's QQ has invitations; WebQQ
        has none, so its servers refuse, which is L{RequestRefused}.

        @param notice: the invitation, with C{step} L{GroupStep.INVITED}.
        @param text: for the account that invites.
        """
        if len(text) > MAX_ANSWER:
            return fail(MessageTooLong(123, f"more than {MAX_ANSWER} characters"))
        operation = ACCEPT if accept else DECLINE
        return self.transport.call(
            OpGroupJoinReq, notice.group, notice.admin, operation, text
        )

    def leaveGroup(self, code: Code) -> Deferred[None]:
        """
        Leave a group (protocol.md 2.5.3).
        """
        return self.transport.call(QuitGroup2, code).addCallback(
            lambda _: self.transport.roster.leaveGroup(code)
        )

    def createGroup(
        self,
        name: str,
        uins: Iterable[Uin] = (),
        notice: str = "",
        description: str = "",
        option: int = MAY_ASK,
    ) -> Deferred[NewGroup]:
        """
        Create a group that this account owns. Tencent's server had no such
        call.

        @param uins: friends who are members from the start.
        @param notice: the announcement.
        @param option: the accounts that may join: L{MAY_JOIN}, L{MAY_ASK} or
            L{MAY_NOT_JOIN}.
        """

        def created(group: NewGroup) -> NewGroup:
            groups = self.transport.roster.groups
            groups[group.gid] = Group(group.gid, group.code, name)
            return group

        return self.transport.call(
            CreateGroup, name, tuple(uins), notice, description, option
        ).addCallback(created)

    def editGroup(
        self,
        code: Code,
        name: str | None = None,
        notice: str | None = None,
        description: str | None = None,
        option: int | None = None,
    ) -> Deferred[None]:
        """
        Change the profile of a group that this account administers. Fields that
        are not given keep their values. Tencent's server had no such call.
        """

        def changed(result: None) -> None:
            if name is not None:
                self.transport.roster.changeGroup(code, name=name)

        return self.transport.call(
            ModifyGroupInfo, code, name, notice, description, option
        ).addCallback(changed)

    def removeMember(self, code: Code, uin: Uin) -> Deferred[None]:
        """
        Remove a member from a group that this account administers. Tencent's
        server had no such call.
        """
        return self.transport.call(RemoveGroupMember, code, uin)

    def setAdmin(self, code: Code, uin: Uin, granted: bool = True) -> Deferred[None]:
        """
        Make a member an administrator of a group that this account owns, or
        take that role away. Tencent's server had no such call.
        """
        return self.transport.call(SetGroupAdmin, code, uin, granted)

    def setMemberCard(self, code: Code, uin: Uin, card: str) -> Deferred[None]:
        """
        Change the name of a member in a group that this account administers.
        Tencent's server had no such call.

        @param card: C{""} for the nick.
        """
        return self.transport.call(SetMemberCard, code, uin, card)

    def transferGroup(self, code: Code, uin: Uin) -> Deferred[None]:
        """
        Make a member the owner of a group that this account owns. Tencent's
        server had no such call.
        """
        return self.transport.call(TransferGroup, code, uin)

    def dissolveGroup(self, code: Code) -> Deferred[None]:
        """
        Dissolve a group that this account owns. Tencent's server had no such
        call.
        """
        return self.transport.call(DissolveGroup, code).addCallback(
            lambda _: self.transport.roster.leaveGroup(code)
        )

    def shareInGroup(self, gid: Gid, markup: str) -> Deferred[None]:
        """
        Share an item, such as a link, in a group: the other members receive a
        L{GroupWebMessage<txwebqq.model.GroupWebMessage>}. Tencent's server had
        no such call.

        @param markup: as in protocol.md 5.11.
        """
        return self.transport.call(SendGroupWebMsg, gid, markup)
