"""
Calls about friends, other accounts and our own.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from txwebqq import __version__
from txwebqq.errors import WebQQError
from txwebqq.model import Number, Profile, Status
from txwebqq.onebot.surface.calls.messages import friendUin, loadPicture
from txwebqq.onebot.surface.calls.table import Caller, CallTable, Params
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed

TABLE = CallTable()

LOGIN_PATIENCE = 10.0
"""Seconds to wait for the first sign-on."""

NO_REQUEST = "no request has this flag, or it was answered"


@TABLE.call("get_login_info")
async def getLoginInfo(caller: Caller, params: Params) -> Any:
    """
    Return our own number and nickname. Some bots ask but once, at the start, so this
    waits a little for the first sign-on.
    """
    account = caller.account
    if not account.nick:
        await account.untilSignedOn(LOGIN_PATIENCE)
    if not account.nick and account.isOnline:
        with suppress(WebQQError):
            account.nick = (await account.online.fetchSelf()).nick
    return {"user_id": account.number, "nickname": account.nick}


@TABLE.call("get_status")
async def getStatus(caller: Caller, params: Params) -> Any:
    """
    Return whether the account is signed on.
    """
    return caller.account.status


@TABLE.call("get_version_info")
async def getVersion(caller: Caller, params: Params) -> Any:
    """
    Return our own name and version.
    """
    return {
        "app_name": "txwebqq",
        "app_version": __version__,
        "protocol_version": "v11",
    }


@TABLE.call("get_stranger_info")
async def getStranger(caller: Caller, params: Params) -> Any:
    """
    Return the profile of any account.
    """
    online, number = caller.online, params.number("user_id")
    uin = online.directory.friends.get(number)
    if number == caller.account.number:
        profile = await online.fetchSelf()
    elif uin is not None:
        profile = await online.fetchBuddy(uin)
    else:
        found = await online.directory.findMember(number)
        if found is not None:
            profile = await online.fetchStranger(found[1].uin)
        else:
            profile = await online.searchNumber(Number(number))
    return {
        "user_id": number,
        "nickname": profile.nick,
        "sex": _gender(profile.gender),
        "age": _age(profile, caller.account.clock.seconds()),
        "long_nick": profile.signature,
    }


def _gender(gender: str) -> str:
    return gender if gender in ("male", "female") else "unknown"


def _age(profile: Profile, now: float) -> int:
    born = profile.birthday
    if not born.year:
        return 0
    today = datetime.fromtimestamp(now, UTC)
    isBefore = (today.month, today.day) < (born.month, born.day)
    return max(0, today.year - born.year - isBefore)


@TABLE.call("get_friend_list")
async def getFriends(caller: Caller, params: Params) -> Any:
    """
    Return all friends.
    """
    directory = caller.online.directory
    friends = []
    for number in directory.friends:
        buddy = directory.friend(number)
        if buddy is not None:
            friends.append(_friend(number, buddy.nick, buddy.markname))
    return friends


def _friend(number: int, nick: str, markname: str) -> dict[str, Any]:
    return {"user_id": number, "nickname": nick, "remark": markname or nick}


@TABLE.call("get_friends_with_category")
async def getCategories(caller: Caller, params: Params) -> Any:
    """
    Return all friends by their categories.
    """
    online = caller.online
    names = {0: "我的好友"} | {each.index: each.name for each in online.categories}
    members: dict[int, list[dict[str, Any]]] = {index: [] for index in names}
    for number in online.directory.friends:
        buddy = online.directory.friend(number)
        if buddy is not None:
            index = buddy.category if buddy.category in names else 0
            members[index].append(_friend(number, buddy.nick, buddy.markname))
    return [
        {
            "categoryId": index,
            "categoryName": name,
            "categoryMbCount": len(members[index]),
            "buddyList": members[index],
        }
        for index, name in names.items()
    ]


@TABLE.call("set_friend_add_request")
async def answerFriendRequest(caller: Caller, params: Params) -> Any:
    """
    Accept a friend request, and add the account too; or refuse it.
    """
    flag = params.text("flag")
    request = caller.account.friendRequests.get(flag)
    if request is None:
        raise CallFailed(NO_REQUEST)
    if params.flag("approve", True):
        await caller.online.acceptFriendship(request, markname=params.textOr("remark"))
    else:
        await caller.online.refuseFriendship(request, params.textOr("reason"))
    caller.account.friendRequests.pop(flag, None)


@TABLE.call("delete_friend")
async def deleteFriend(caller: Caller, params: Params) -> Any:
    """
    Remove a friend.
    """
    uin = friendUin(caller, params)
    await caller.online.removeFriend(uin, params.flag("temp_both_del", False))
    caller.online.directory.removeFriends([uin])


@TABLE.call("set_friend_remark")
async def setRemark(caller: Caller, params: Params) -> Any:
    """
    Set our private name for a friend.
    """
    await caller.online.setMarkname(friendUin(caller, params), params.textOr("remark"))


@TABLE.call("set_self_longnick")
async def setSignature(caller: Caller, params: Params) -> Any:
    """
    Set our signature.
    """
    await caller.online.setSignature(params.text("longNick"))


@TABLE.call("set_qq_profile")
async def setProfile(caller: Caller, params: Params) -> Any:
    """
    Set our nickname and the text about us.
    """
    details = {}
    if params.has("nickname"):
        details["nick"] = params.text("nickname")
    if params.has("personal_note"):
        details["personal"] = params.text("personal_note")
    if not details:
        raise CallFailed("nickname is missing", MALFORMED)
    await caller.online.setDetails(**details)
    caller.account.nick = details.get("nick", caller.account.nick)


@TABLE.call("set_qq_avatar")
async def setAvatar(caller: Caller, params: Params) -> Any:
    """
    Set our avatar.
    """
    picture = await loadPicture(caller, params.text("file"))
    await caller.online.setAvatar(picture)


@TABLE.call("set_online_status")
async def setStatus(caller: Caller, params: Params) -> Any:
    """
    Set our presence; the numbers are WebQQ's own.
    """
    code = params.number("status")
    if code not in (status.code for status in Status):
        raise CallFailed(f"{code} is no status of WebQQ", MALFORMED)
    await caller.online.setStatus(Status.fromCode(code))


@TABLE.call("nc_get_user_status")
async def getUserStatus(caller: Caller, params: Params) -> Any:
    """
    Return the presence of a friend.
    """
    friendUin(caller, params)
    buddy = caller.online.directory.friend(params.number("user_id"))
    status = buddy.status if buddy else Status.OFFLINE
    return {"status": status.code, "ext_status": 0}
