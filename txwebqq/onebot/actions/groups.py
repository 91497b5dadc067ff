"""
Groups: their lists and details, our own settings in them, and administration.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import (
    BusinessCard,
    Code,
    GroupDetails,
    GroupList,
    GroupProfile,
    Uin,
)
from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.onebot.lists import readDetails, readGroups
from txwebqq.onebot.reading import numberIn, objectIn, objectOf, objectsIn, textIn
from txwebqq.wire.commands.contacts import GetGroupInfoExt2, GetGroupNameListMask2
from txwebqq.wire.commands.groupadmin import (
    DissolveGroup,
    ModifyGroupInfo,
    RemoveGroupMember,
    SetGroupAdmin,
    SetMemberCard,
)
from txwebqq.wire.commands.groupmember import (
    GetSelfBusinessCard2,
    MessageFilter,
    OwnCard,
    UpdateGroupBusinessCard2,
    UpdateGroupInfo2,
)
from txwebqq.wire.commands.groups import (
    ACCEPT,
    DECLINE,
    GetGroupInfo,
    GetGroupPublicInfo2,
    Memos,
    OpGroupJoinReq,
    QuitGroup2,
)
from txwebqq.wire.events.interaction import AGREE

# Notify, receive without notification, do not receive.
_MASKS = {0: 1, 1: 4, 2: 3}


async def _groups(calls: Calls, command: GetGroupNameListMask2) -> GroupList:
    return readGroups(await calls.call("get_group_list", {}))


async def _group(calls: Calls, code: Code) -> dict[str, Any]:
    found = objectOf(await calls.call("get_group_info", {"group_id": int(code)}))
    return {**found, "group_id": int(code)}


async def _details(calls: Calls, command: GetGroupInfoExt2) -> GroupDetails:
    group = await _group(calls, command.code)
    params = {"group_id": int(command.code)}
    members = await calls.call("get_group_member_list", params)
    details = readDetails(group, members)
    for member in details.members:
        name = member.card or member.nick
        calls.memory.names.keep(details.code, member.uin, name)
    return details


async def _profile(calls: Calls, command: GetGroupPublicInfo2) -> GroupProfile:
    group = await _group(calls, command.code)
    details = readDetails(group, [])
    return GroupProfile(
        details.gid,
        details.code,
        details.name,
        Uin(0),
        memberCount=numberIn(group, "member_count"),
        maxMembers=numberIn(group, "max_member_count"),
    )


async def _announcements(calls: Calls, command: GetGroupInfo) -> Memos:
    memos: dict[Code, str] = {}
    for code in command.codes:
        notices = objectsIn(
            await calls.call("_get_group_notice", {"group_id": int(code)})
        )
        latest = max(
            notices, key=lambda each: numberIn(each, "publish_time"), default={}
        )
        memos[code] = textIn(objectIn(latest, "message"), "text")
    return Memos(memos, command.isBare)


async def _ownCard(calls: Calls, command: GetSelfBusinessCard2) -> OwnCard:
    params = {"group_id": int(command.code), "user_id": int(calls.number)}
    member = objectOf(await calls.call("get_group_member_info", params))
    card = BusinessCard(name=textIn(member, "card"))
    return OwnCard(command.code, Uin(calls.number), card)


async def _setCard(calls: Calls, command: UpdateGroupBusinessCard2) -> None:
    others = command.phone, command.email, command.remark, command.gender
    if command.name is None or any(each is not None for each in others):
        raise refusal("only the name of a card can be set")
    params = {
        "group_id": int(command.code),
        "user_id": int(calls.number),
        "card": command.name,
    }
    await calls.call("set_group_card", params)


async def _setMemberCard(calls: Calls, command: SetMemberCard) -> None:
    params = {
        "group_id": int(command.code),
        "user_id": int(command.member),
        "card": command.card,
    }
    await calls.call("set_group_card", params)


async def _setMarkname(calls: Calls, command: UpdateGroupInfo2) -> None:
    params = {"group_id": int(command.code), "remark": command.markname}
    await calls.call("set_group_remark", params)


async def _setMasks(calls: Calls, command: MessageFilter) -> None:
    # 0: each group by its own.
    if command.globalMask:
        raise refusal("groups are treated one by one")
    # The command has the masks of all groups.
    for gid, mask in command.groups.items():
        if calls.memory.masks.get(gid, 0) != mask:
            params = {"group_id": int(gid), "mask": _MASKS[mask]}
            await calls.call("set_group_msg_mask", params)
            calls.memory.masks[gid] = mask


async def _answerJoinRequest(calls: Calls, command: OpGroupJoinReq) -> None:
    isInvitation = command.operation in (ACCEPT, DECLINE)
    params = {
        "flag": calls.flag(command.applicant, command.group),
        "sub_type": "invite" if isInvitation else "add",
        "approve": command.operation in (AGREE, ACCEPT),
        "reason": command.text,
    }
    await calls.call("set_group_add_request", params)


async def _leave(calls: Calls, command: QuitGroup2 | DissolveGroup) -> None:
    isDismissed = isinstance(command, DissolveGroup)
    params = {"group_id": int(command.code), "is_dismiss": isDismissed}
    await calls.call("set_group_leave", params)


async def _removeMember(calls: Calls, command: RemoveGroupMember) -> None:
    params = {"group_id": int(command.code), "user_id": int(command.member)}
    await calls.call("set_group_kick", params)


async def _setAdmin(calls: Calls, command: SetGroupAdmin) -> None:
    params = {
        "group_id": int(command.code),
        "user_id": int(command.member),
        "enable": command.granted,
    }
    await calls.call("set_group_admin", params)


async def _edit(calls: Calls, command: ModifyGroupInfo) -> None:
    if command.description is not None or command.option is not None:
        raise refusal("only the name and the announcement of a group can be set")
    group = int(command.code)
    if command.name is not None:
        params = {"group_id": group, "group_name": command.name}
        await calls.call("set_group_name", params)
    if command.memo is not None:
        notice = {"group_id": group, "content": command.memo}
        await calls.send("_send_group_notice", notice)


HANDLERS: Handlers = {
    GetGroupNameListMask2: _groups,
    GetGroupInfoExt2: _details,
    GetGroupPublicInfo2: _profile,
    GetGroupInfo: _announcements,
    GetSelfBusinessCard2: _ownCard,
    UpdateGroupBusinessCard2: _setCard,
    SetMemberCard: _setMemberCard,
    UpdateGroupInfo2: _setMarkname,
    MessageFilter: _setMasks,
    OpGroupJoinReq: _answerJoinRequest,
    QuitGroup2: _leave,
    DissolveGroup: _leave,
    RemoveGroupMember: _removeMember,
    SetGroupAdmin: _setAdmin,
    ModifyGroupInfo: _edit,
}
"""The functions that carry out the commands."""
