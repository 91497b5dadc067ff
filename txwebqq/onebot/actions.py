"""
The commands of the client as calls of OneBot 11.

Each command of L{txwebqq.wire.commands} says what is wanted, and is answered by
calls; what OneBot 11 has nothing for is refused. Uins, gids and codes are the
permanent numbers themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from txwebqq.errors import MalformedReply, RequestRefused
from txwebqq.model import (
    Code,
    Content,
    DiscussionList,
    FriendList,
    GroupDetails,
    GroupList,
    GroupProfile,
    Number,
    Profile,
    Status,
    Uin,
)
from txwebqq.onebot.events import EventReader
from txwebqq.onebot.lists import readDetails, readFriends, readGroups, readProfile
from txwebqq.onebot.reading import numberIn, objectsIn, textIn
from txwebqq.onebot.segments import PictureStore, writeContent
from txwebqq.wire.command import Command
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetFriendUin2,
    GetGroupInfoExt2,
    GetGroupNameListMask2,
    GetUserFriends2,
    Identity,
)
from txwebqq.wire.commands.discussions import GetDiscuListNew2
from txwebqq.wire.commands.friends import (
    AllowAddedRequest2,
    AllowAndAdd2,
    ChangeMarkName2,
    DeleteFriend,
    DenyAddedRequest2,
)
from txwebqq.wire.commands.groupadmin import (
    DissolveGroup,
    ModifyGroupInfo,
    RemoveGroupMember,
    SetGroupAdmin,
)
from txwebqq.wire.commands.groupmember import (
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)
from txwebqq.wire.commands.groups import (
    AGREE,
    GetGroupInfo,
    GetGroupPublicInfo2,
    Memos,
    OpGroupJoinReq,
    QuitGroup2,
)
from txwebqq.wire.commands.messages import (
    ChangeStatus2,
    InputNotify2,
    SendBuddyMsg2,
    SendQunMsg2,
    Shake2,
)
from txwebqq.wire.commands.profiles import (
    GetSingleInfo2,
    GetStrangerInfo2,
    SetLongNick2,
)
from txwebqq.wire.commands.temporary import GetC2cmsgSig2, SendSessMsg2

R = TypeVar("R")
C = TypeVar("C")

NOT_SERVED = 1404
"""The retcode of a command that OneBot 11 has nothing for."""

# set_online_status takes the codes of the desktop client.
_STATUSES = {
    Status.ONLINE: 10,
    Status.AWAY: 30,
    Status.HIDDEN: 40,
    Status.OFFLINE: 40,
    Status.BUSY: 50,
    Status.CALLME: 60,
    Status.SILENT: 70,
}

Call = Callable[[str, Mapping[str, Any]], Deferred[Any]]
"""Makes a call: the action and its parameters."""

_Handler = Callable[["Actions", Any], Awaitable[Any]]
_handlers: dict[type[Any], _Handler] = {}


def _serves(
    *commands: type[Any],
) -> Callable[
    [Callable[[Actions, C], Awaitable[Any]]], Callable[[Actions, C], Awaitable[Any]]
]:
    def register(
        handler: Callable[[Actions, C], Awaitable[Any]],
    ) -> Callable[[Actions, C], Awaitable[Any]]:
        for command in commands:
            _handlers[command] = handler
        return handler

    return register


class Actions:
    """
    Carries out the commands of one account.

    @param call: makes a call.
    @param send: makes a call that sends something, when the pace allows.
    """

    def __init__(
        self,
        number: Number,
        call: Call,
        send: Call,
        reader: EventReader,
        pictures: PictureStore,
    ) -> None:
        self.number = number
        self.call = call
        self.send = send
        self.reader = reader
        self.pictures = pictures

    def perform(self, command: Command[R]) -> Deferred[R]:
        """
        Carry out a command.

        @return: fires with what the command's reply would be; fails with
            L{RequestRefused}, also for a command that OneBot 11 has nothing for,
            L{NotSent}, L{Unreachable} or L{MalformedReply}.
        """
        handler = _handlers.get(type(command))

        async def perform() -> R:
            if handler is None:
                raise RequestRefused(
                    NOT_SERVED, f"OneBot 11 has nothing for {command.endpointName}"
                )
            try:
                result: R = await handler(self, command)
            except (TypeError, ValueError, KeyError) as e:
                raise MalformedReply(f"{command.endpointName}: {e}") from e
            return result

        return Deferred.fromCoroutine(perform())

    def segments(self, content: Content) -> list[dict[str, Any]]:
        """
        Translate a content to send.

        @raise RequestRefused: when a part of it cannot be sent.
        """
        try:
            return writeContent(content, self.pictures)
        except ValueError as e:
            raise RequestRefused(NOT_SERVED, str(e)) from e

    def flag(self, who: int, group: int = 0) -> str:
        """
        Return the id of a request of an account.

        @raise RequestRefused: when no such request has come over this link.
        """
        try:
            return self.reader.flags[who, group]
        except KeyError:
            raise RequestRefused(
                NOT_SERVED, "no request of this account has come since the sign-on"
            ) from None


# Messages.


@_serves(SendBuddyMsg2)
async def _sendMessage(actions: Actions, command: SendBuddyMsg2) -> None:
    message = actions.segments(command.content)
    await actions.send(
        "send_private_msg", {"user_id": int(command.to), "message": message}
    )


@_serves(SendQunMsg2)
async def _sendGroupMessage(actions: Actions, command: SendQunMsg2) -> None:
    message = actions.segments(command.content)
    await actions.send(
        "send_group_msg", {"group_id": int(command.group), "message": message}
    )


@_serves(GetC2cmsgSig2)
async def _temporaryChat(actions: Actions, command: GetC2cmsgSig2) -> str:
    if command.service != 0:
        raise RequestRefused(NOT_SERVED, "today's QQ has no discussions")
    # There is no signature; the message needs the group.
    return str(int(command.place))


@_serves(SendSessMsg2)
async def _sendTemporary(actions: Actions, command: SendSessMsg2) -> None:
    params = {
        "user_id": int(command.to),
        "group_id": int(command.signature),
        "message": actions.segments(command.content),
    }
    await actions.send("send_private_msg", params)


@_serves(InputNotify2)
async def _sendTyping(actions: Actions, command: InputNotify2) -> None:
    params = {"user_id": int(command.to), "event_type": 1}
    await actions.call("set_input_status", params)


@_serves(Shake2)
async def _shake(actions: Actions, command: Shake2) -> None:
    await actions.send("friend_poke", {"user_id": int(command.to)})


@_serves(ChangeStatus2)
async def _setStatus(actions: Actions, command: ChangeStatus2) -> None:
    params = {"status": _STATUSES[command.status], "ext_status": 0, "battery_status": 0}
    await actions.call("set_online_status", params)


# Friends and other people.


@_serves(GetUserFriends2)
async def _friends(actions: Actions, command: GetUserFriends2) -> FriendList:
    return readFriends(await actions.call("get_friend_list", {}))


@_serves(GetFriendUin2)
async def _number(actions: Actions, command: GetFriendUin2) -> Identity:
    return Identity(command.uin, Number(int(command.uin)))


@_serves(GetFriendInfo2, GetStrangerInfo2, GetSingleInfo2)
async def _profile(actions: Actions, command: GetFriendInfo2) -> Profile:
    found = await actions.call("get_stranger_info", {"user_id": int(command.uin)})
    return readProfile({"user_id": int(command.uin), **found})


@_serves(AllowAndAdd2, AllowAddedRequest2)
async def _acceptFriend(
    actions: Actions, command: AllowAndAdd2 | AllowAddedRequest2
) -> None:
    remark = command.markname if isinstance(command, AllowAndAdd2) else ""
    flag = actions.flag(command.account)
    params = {"flag": flag, "approve": True, "remark": remark}
    await actions.call("set_friend_add_request", params)


@_serves(DenyAddedRequest2)
async def _refuseFriend(actions: Actions, command: DenyAddedRequest2) -> None:
    params = {"flag": actions.flag(command.account), "approve": False}
    await actions.call("set_friend_add_request", params)


@_serves(ChangeMarkName2)
async def _setMarkname(actions: Actions, command: ChangeMarkName2) -> None:
    params = {"user_id": int(command.uin), "remark": command.markname}
    await actions.call("set_friend_remark", params)


@_serves(DeleteFriend)
async def _removeFriend(actions: Actions, command: DeleteFriend) -> None:
    await actions.call("delete_friend", {"user_id": int(command.uin)})


@_serves(SetLongNick2)
async def _setSignature(actions: Actions, command: SetLongNick2) -> None:
    await actions.call("set_self_longnick", {"longNick": command.text})


# Groups.


@_serves(GetGroupNameListMask2)
async def _groups(actions: Actions, command: GetGroupNameListMask2) -> GroupList:
    return readGroups(await actions.call("get_group_list", {}))


@_serves(GetDiscuListNew2)
async def _discussions(actions: Actions, command: GetDiscuListNew2) -> DiscussionList:
    return DiscussionList({})


@_serves(GetGroupInfoExt2)
async def _groupDetails(actions: Actions, command: GetGroupInfoExt2) -> GroupDetails:
    params = {"group_id": int(command.code)}
    group = await actions.call("get_group_info", params)
    members = await actions.call("get_group_member_list", params)
    return readDetails({**params, **group}, members)


@_serves(GetGroupPublicInfo2)
async def _groupProfile(actions: Actions, command: GetGroupPublicInfo2) -> GroupProfile:
    group = await actions.call("get_group_info", {"group_id": int(command.code)})
    details = readDetails({"group_id": int(command.code), **group}, [])
    return GroupProfile(
        details.gid,
        details.code,
        details.name,
        Uin(0),
        memberCount=numberIn(group, "member_count"),
        maxMembers=numberIn(group, "max_member_count"),
    )


@_serves(GetGroupInfo)
async def _announcements(actions: Actions, command: GetGroupInfo) -> Memos:
    memos: dict[Code, str] = {}
    for code in command.codes:
        notices = objectsIn(
            await actions.call("_get_group_notice", {"group_id": int(code)})
        )
        latest = max(
            notices, key=lambda each: numberIn(each, "publish_time"), default={}
        )
        message = latest.get("message")
        memos[code] = textIn(message, "text") if isinstance(message, dict) else ""
    return Memos(memos, command.isBare)


@_serves(OpGroupJoinReq)
async def _answerJoinRequest(actions: Actions, command: OpGroupJoinReq) -> None:
    params = {
        "flag": actions.flag(command.applicant, command.group),
        "sub_type": "add",
        "approve": command.operation == AGREE,
        "reason": command.text,
    }
    await actions.call("set_group_add_request", params)


@_serves(UpdateGroupBusinessCard2)
async def _setCard(actions: Actions, command: UpdateGroupBusinessCard2) -> None:
    if command.name is None:
        raise RequestRefused(NOT_SERVED, "only the name of a card can be set")
    params = {
        "group_id": int(command.code),
        "user_id": int(actions.number),
        "card": command.name,
    }
    await actions.call("set_group_card", params)


@_serves(UpdateGroupInfo2)
async def _setGroupMarkname(actions: Actions, command: UpdateGroupInfo2) -> None:
    params = {"group_id": int(command.code), "remark": command.markname}
    await actions.call("set_group_remark", params)


@_serves(QuitGroup2, DissolveGroup)
async def _leaveGroup(actions: Actions, command: QuitGroup2 | DissolveGroup) -> None:
    isDismissed = isinstance(command, DissolveGroup)
    params = {"group_id": int(command.code), "is_dismiss": isDismissed}
    await actions.call("set_group_leave", params)


@_serves(RemoveGroupMember)
async def _removeMember(actions: Actions, command: RemoveGroupMember) -> None:
    params = {"group_id": int(command.code), "user_id": int(command.member)}
    await actions.call("set_group_kick", params)


@_serves(SetGroupAdmin)
async def _setAdmin(actions: Actions, command: SetGroupAdmin) -> None:
    params = {
        "group_id": int(command.code),
        "user_id": int(command.member),
        "enable": command.granted,
    }
    await actions.call("set_group_admin", params)


@_serves(ModifyGroupInfo)
async def _editGroup(actions: Actions, command: ModifyGroupInfo) -> None:
    if command.description is not None or command.option is not None:
        raise RequestRefused(
            NOT_SERVED, "only the name and the announcement of a group can be set"
        )
    group = int(command.code)
    if command.name is not None:
        params = {"group_id": group, "group_name": command.name}
        await actions.call("set_group_name", params)
    if command.memo is not None:
        notice = {"group_id": group, "content": command.memo}
        await actions.send("_send_group_notice", notice)
