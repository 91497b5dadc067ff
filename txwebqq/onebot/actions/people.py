"""
Friends, other people, and our own profile.
"""

from __future__ import annotations

from typing import Any

from txwebqq.errors import RequestRefused, Unreachable
from txwebqq.model import (
    RECENT_BUDDY,
    RECENT_GROUP,
    FriendList,
    Level,
    Number,
    Profile,
    RecentContact,
)
from txwebqq.net.failures import raiseTimedOut
from txwebqq.onebot.actions.calls import Calls, Handlers, refusal
from txwebqq.onebot.lists import readFriends, readProfile
from txwebqq.onebot.reading import idIn, numberIn, objectOf, objectsIn, textIn
from txwebqq.wire.commands.contacts import (
    GetFriendInfo2,
    GetFriendUin2,
    GetUserFriends2,
    Identity,
)
from txwebqq.wire.commands.friends import (
    AllowAddedRequest2,
    AllowAndAdd2,
    ChangeMarkName2,
    DeleteFriend,
    DenyAddedRequest2,
    ModifyFriendGroup,
)
from txwebqq.wire.commands.profiles import (
    GetQQLevel2,
    GetRecentContact2,
    GetRecentList2,
    GetSelfInfo2,
    GetSingleInfo2,
    GetSingleLongNick2,
    GetStrangerInfo2,
    LevelOf,
    ModifyMyDetails2,
    OwnProfile,
    SetLongNick2,
    Signatures,
)

RECENT = 30
"""The number of recent conversations to ask for."""

CATEGORIES_TIMEOUT = 5.0
"""Seconds that the categories are waited for."""

# The C{chatType} of conversations.
_RECENT_KINDS = {1: RECENT_BUDDY, 2: RECENT_GROUP}

_SEXES = {"unknown": 0, "male": 1, "female": 2}


async def fetchFriends(calls: Calls) -> FriendList:
    """
    Fetch the friends, with their categories where the program tells them.
    """
    friends = await calls.call("get_friend_list", {})
    categories: Any = None
    if calls.memory.hasCategories:
        try:
            asked = calls.call("get_friends_with_category", {})
            categories = await asked.addTimeout(
                CATEGORIES_TIMEOUT, calls.clock, raiseTimedOut
            )
        except (RequestRefused, Unreachable):
            # Only NapCat and LLOneBot have it. Some answer nothing at all.
            calls.memory.hasCategories = False
    found = readFriends(friends, categories)
    for buddy in found.buddies.values():
        calls.memory.names.keep(0, buddy.uin, buddy.nick)
    return found


async def _friends(calls: Calls, command: GetUserFriends2) -> FriendList:
    return await fetchFriends(calls)


async def _number(calls: Calls, command: GetFriendUin2) -> Identity:
    return Identity(command.uin, Number(int(command.uin)))


async def _stranger(calls: Calls, uin: int) -> dict[str, Any]:
    found = objectOf(await calls.call("get_stranger_info", {"user_id": uin}))
    return {**found, "user_id": uin}


async def _profile(calls: Calls, command: GetFriendInfo2) -> Profile:
    return readProfile(await _stranger(calls, int(command.uin)))


async def _signature(calls: Calls, command: GetSingleLongNick2) -> Signatures:
    found = await _stranger(calls, int(command.uin))
    return {command.uin: textIn(found, "long_nick")}


async def _level(calls: Calls, command: GetQQLevel2) -> LevelOf:
    found = await _stranger(calls, int(command.uin))
    if found.get("qqLevel") is None:
        raise refusal("the OneBot program does not tell levels")
    days = numberIn(found, "login_days")
    return LevelOf(command.uin, Level(numberIn(found, "qqLevel"), days=days))


async def _ownProfile(calls: Calls, command: GetSelfInfo2) -> OwnProfile:
    own = int(calls.number)
    login = objectOf(await calls.call("get_login_info", {}))
    found = await _stranger(calls, own)
    nick = textIn(login, "nickname") or textIn(found, "nickname")
    return OwnProfile(readProfile({**found, "nickname": nick}))


async def _setDetails(calls: Calls, command: ModifyMyDetails2) -> None:
    details = command.details
    if details.keys() - {"nick", "personal", "gender"}:
        raise refusal("only nick, personal and gender can be set")
    nick = details.get("nick")
    if nick is None:
        # The call needs it.
        login = objectOf(await calls.call("get_login_info", {}))
        nick = textIn(login, "nickname")
    params: dict[str, Any] = {"nickname": nick}
    if "personal" in details:
        params["personal_note"] = details["personal"]
    if "gender" in details:
        params["sex"] = _SEXES.get(details["gender"], 0)
    await calls.call("set_qq_profile", params)


async def _setSignature(calls: Calls, command: SetLongNick2) -> None:
    await calls.call("set_self_longnick", {"longNick": command.text})


async def _recent(
    calls: Calls, command: GetRecentList2 | GetRecentContact2
) -> tuple[RecentContact, ...]:
    found = objectsIn(await calls.call("get_recent_contact", {"count": RECENT}))
    contacts = []
    for each in found:
        kind, number = _RECENT_KINDS.get(numberIn(each, "chatType")), "peerUin"
        if kind is not None and idIn(each, number):
            contacts.append(RecentContact(kind, idIn(each, number)))
    return tuple(contacts)


async def _accept(calls: Calls, command: AllowAndAdd2 | AllowAddedRequest2) -> None:
    remark = command.markname if isinstance(command, AllowAndAdd2) else ""
    flag = calls.flag(command.account)
    params = {"flag": flag, "approve": True, "remark": remark}
    await calls.call("set_friend_add_request", params)


async def _refuseFriend(calls: Calls, command: DenyAddedRequest2) -> None:
    params = {"flag": calls.flag(command.account), "approve": False}
    await calls.call("set_friend_add_request", params)


async def _setMarkname(calls: Calls, command: ChangeMarkName2) -> None:
    params = {"user_id": int(command.uin), "remark": command.markname}
    await calls.call("set_friend_remark", params)


async def _move(calls: Calls, command: ModifyFriendGroup) -> None:
    params = {"user_id": int(command.uin), "category_id": command.category}
    await calls.call("set_friend_category", params)


async def _removeFriend(calls: Calls, command: DeleteFriend) -> None:
    await calls.call("delete_friend", {"user_id": int(command.uin)})


HANDLERS: Handlers = {
    GetUserFriends2: _friends,
    GetFriendUin2: _number,
    GetFriendInfo2: _profile,
    GetStrangerInfo2: _profile,
    GetSingleInfo2: _profile,
    GetSingleLongNick2: _signature,
    GetQQLevel2: _level,
    GetSelfInfo2: _ownProfile,
    ModifyMyDetails2: _setDetails,
    SetLongNick2: _setSignature,
    GetRecentList2: _recent,
    GetRecentContact2: _recent,
    AllowAndAdd2: _accept,
    AllowAddedRequest2: _accept,
    DenyAddedRequest2: _refuseFriend,
    ChangeMarkName2: _setMarkname,
    ModifyFriendGroup: _move,
    DeleteFriend: _removeFriend,
}
"""The functions that carry out the commands."""
