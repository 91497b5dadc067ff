"""
Calls about groups and their members.
"""

from __future__ import annotations

from typing import Any

from txwebqq.errors import WebQQError
from txwebqq.model import Code, Did, Gid, GroupStep, Uin
from txwebqq.onebot.surface.calls.contacts import NO_REQUEST
from txwebqq.onebot.surface.calls.messages import loadPicture
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.directory import GroupId, GroupInfo, MemberInfo
from txwebqq.onebot.surface.replies import CallFailed

TABLE = CallTable()

MAX_MEMBERS = 500
"""Members that a group may have where the server does not tell."""

ONLY_GROUPS = "a discussion has nothing of this kind"


@TABLE.call("get_group_list")
async def getGroups(caller: Caller, params: Params) -> Any:
    """
    Return all groups and discussions.
    """
    directory = caller.online.directory
    if params.flag("no_cache", False):
        await directory.loadGroups()
    groups = []
    for ids in directory.groups:
        try:
            group = await directory.group(ids.number)
        except WebQQError:
            # As far as known.
            group = GroupInfo(ids, _listedName(caller, ids))
        groups.append(_group(caller, group))
    return groups


@TABLE.call("get_group_info")
async def getGroup(caller: Caller, params: Params) -> Any:
    """
    Return a group.
    """
    isFresh = params.flag("no_cache", False)
    group = await caller.online.directory.group(params.number("group_id"), isFresh)
    return _group(caller, group)


def _listedName(caller: Caller, ids: GroupId) -> str:
    for each in caller.online.groups.values():
        if each.gid == ids.id:
            return each.name
    return ""


def _group(caller: Caller, group: GroupInfo) -> dict[str, Any]:
    remark = ""
    for each in caller.online.groups.values():
        if each.gid == group.id.id:
            remark = each.markname
    return {
        "group_id": group.id.number,
        "group_name": group.name,
        "group_memo": group.memo,
        "group_remark": remark,
        "group_create_time": group.created,
        "group_all_shut": 0,
        "member_count": len(group.members),
        "max_member_count": max(MAX_MEMBERS, len(group.members)),
    }


@TABLE.call("get_group_member_list")
async def getMembers(caller: Caller, params: Params) -> Any:
    """
    Return the members of a group.
    """
    isFresh = params.flag("no_cache", False)
    group = await caller.online.directory.group(params.number("group_id"), isFresh)
    return [_member(group, member) for member in group.members.values()]


@TABLE.call("get_group_member_info")
async def getMember(caller: Caller, params: Params) -> Any:
    """
    Return a member of a group.
    """
    isFresh = params.flag("no_cache", False)
    group = await caller.online.directory.group(params.number("group_id"), isFresh)
    number = params.number("user_id")
    member = group.members.get(number)
    if member is None:
        raise CallFailed(f"{number} is not in the group")
    return _member(group, member)


def _member(group: GroupInfo, member: MemberInfo) -> dict[str, Any]:
    gender = member.gender
    return {
        "group_id": group.id.number,
        "user_id": member.number,
        "nickname": member.nick,
        "card": member.card,
        "sex": gender if gender in ("male", "female") else "unknown",
        "age": 0,
        "area": member.area,
        "join_time": 0,
        "last_sent_time": 0,
        "level": "",
        "role": member.role,
        "unfriendly": False,
        "title": "",
        "title_expire_time": 0,
        "card_changeable": False,
    }


async def groupCode(caller: Caller, params: Params) -> Code:
    """
    Return the code of the group that a call names.
    """
    number = params.number("group_id")
    group = await caller.online.directory.group(number)
    if group.id.code is None:
        raise CallFailed(ONLY_GROUPS)
    return group.id.code


async def groupGid(caller: Caller, number: int) -> Gid:
    """
    Return the gid of a group.
    """
    group = await caller.online.directory.group(number)
    if group.id.code is None:
        raise CallFailed(ONLY_GROUPS)
    return Gid(group.id.id)


async def memberUin(caller: Caller, params: Params) -> Uin:
    """
    Return the uin of the member that a call names.
    """
    group = await caller.online.directory.group(params.number("group_id"))
    number = params.number("user_id")
    member = group.members.get(number)
    if member is None:
        group = await caller.online.directory.group(group.id.number, isFresh=True)
        member = group.members.get(number)
    if member is None:
        raise CallFailed(f"{number} is not in the group")
    return member.uin


@TABLE.call("set_group_add_request")
async def answerJoinRequest(caller: Caller, params: Params) -> Any:
    """
    Accept or refuse a request to join a group, or an invitation to one.
    """
    flag = params.text("flag")
    request = caller.account.joinRequests.get(flag)
    if request is None:
        raise CallFailed(NO_REQUEST)
    isAgreed = params.flag("approve", True)
    reason = "" if isAgreed else params.textOr("reason")
    if request.step is GroupStep.INVITED:
        await caller.online.answerInvitation(request, isAgreed, reason)
    else:
        await caller.online.answerJoinRequest(request, isAgreed, reason)
    caller.account.joinRequests.pop(flag, None)


@TABLE.call("set_group_kick")
async def kick(caller: Caller, params: Params) -> Any:
    """
    Remove a member from a group. Whether the account may ask again cannot be said.
    """
    code = await groupCode(caller, params)
    await caller.online.removeMember(code, await memberUin(caller, params))
    caller.online.directory.forget(params.number("group_id"))


@TABLE.call("set_group_admin")
async def setAdmin(caller: Caller, params: Params) -> Any:
    """
    Make a member an administrator, or an ordinary member again.
    """
    code = await groupCode(caller, params)
    isGranted = params.flag("enable", True)
    await caller.online.setAdmin(code, await memberUin(caller, params), isGranted)
    caller.online.directory.forget(params.number("group_id"))


@TABLE.call("set_group_card")
async def setCard(caller: Caller, params: Params) -> Any:
    """
    Set our own card, or that of a member of a group that the account administers.
    """
    code = await groupCode(caller, params)
    card = params.textOr("card")
    if params.number("user_id") == caller.account.number:
        await caller.online.setGroupCard(code, name=card)
    else:
        uin = await memberUin(caller, params)
        await caller.online.setMemberCard(code, uin, card)
    caller.online.directory.forget(params.number("group_id"))


@TABLE.call("set_group_name")
async def setName(caller: Caller, params: Params) -> Any:
    """
    Rename a group or discussion.
    """
    number, name = params.number("group_id"), params.text("group_name")
    group = await caller.online.directory.group(number)
    if group.id.code is None:
        await caller.online.renameDiscussion(Did(group.id.id), name)
    else:
        await caller.online.editGroup(group.id.code, name=name)
    caller.online.directory.forget(number)


@TABLE.call("set_group_leave")
async def leave(caller: Caller, params: Params) -> Any:
    """
    Leave a group or discussion, or dissolve a group of ours.
    """
    number = params.number("group_id")
    group = await caller.online.directory.group(number)
    if group.id.code is None:
        await caller.online.leaveDiscussion(Did(group.id.id))
    elif params.flag("is_dismiss", False):
        await caller.online.dissolveGroup(group.id.code)
    else:
        await caller.online.leaveGroup(group.id.code)
    caller.online.directory.remove(number)


@TABLE.call("set_group_remark")
async def setRemark(caller: Caller, params: Params) -> Any:
    """
    Set our private name for a group.
    """
    code = await groupCode(caller, params)
    await caller.online.setGroupMarkname(code, params.textOr("remark"))


@TABLE.call("set_group_portrait")
async def setAvatar(caller: Caller, params: Params) -> Any:
    """
    Set the avatar of a group.
    """
    code = await groupCode(caller, params)
    picture = await loadPicture(caller, params.text("file"))
    await caller.online.setGroupAvatar(code, picture)


@TABLE.call("_send_group_notice")
async def sendNotice(caller: Caller, params: Params) -> Any:
    """
    Set the announcement of a group, which has one.
    """
    code = await groupCode(caller, params)
    await caller.online.editGroup(code, notice=params.text("content"))


@TABLE.call("_get_group_notice")
async def getNotice(caller: Caller, params: Params) -> Any:
    """
    Return the announcement of a group, as a list.
    """
    text = await caller.online.fetchGroupNotice(await groupCode(caller, params))
    if not text:
        return []
    message = {"text": text, "images": []}
    return [{"notice_id": "1", "sender_id": 0, "publish_time": 0, "message": message}]
