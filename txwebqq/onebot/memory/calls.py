"""
The calls that the program in memory serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.onebot.memory.account import CallRefused, MemoryAccount
from txwebqq.onebot.memory.interactions import INTERACTIONS, Handler
from txwebqq.onebot.reading import boolIn, numberIn


def carryOut(account: MemoryAccount, action: str, params: Mapping[str, Any]) -> Any:
    """
    Carry out a call.

    @return: the data of the answer.

    @raise CallRefused: when that is refused.
    """
    if action in account.answers:
        answer = account.answers[action]
        if isinstance(answer, CallRefused):
            raise answer
        return answer
    handler = _ACTIONS.get(action)
    if handler is None:
        raise CallRefused(1404, f"不支持的API {action}")
    return handler(account, params)


def _login(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return {"user_id": account.number, "nickname": account.nick}


def _status(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return {"online": account.isOnline, "good": account.isOnline}


def _group(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = account.groups.get(numberIn(params, "group_id"))
    if group is None:
        raise CallRefused(1200, "群不存在")
    return group


def _members(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = _group(account, params)
    return list(account.members[group["group_id"]].values())


def _member(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    members = account.members.get(numberIn(params, "group_id"), {})
    member = members.get(numberIn(params, "user_id"))
    if member is None:
        raise CallRefused(1200, "群员不存在")
    return member


def _stranger(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    number = numberIn(params, "user_id")
    known = account.friends.get(number, {})
    return {"user_id": number, "nickname": account.nickOf(number), **known}


def _sendPrivate(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return account.say((False, numberIn(params, "user_id")), params)


def _sendGroup(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = _group(account, params)
    return account.say((True, group["group_id"]), params)


def _leave(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = _group(account, params)
    role = account.roleOf(group["group_id"], int(account.number))
    if boolIn(params, "is_dismiss") and role != "owner":
        raise CallRefused(1200, "不是群主")
    del account.groups[group["group_id"]]


def _nothing(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return None


_ACTIONS: Mapping[str, Handler] = {
    **INTERACTIONS,
    "get_login_info": _login,
    "get_status": _status,
    "get_friend_list": lambda account, params: list(account.friends.values()),
    "get_group_list": lambda account, params: list(account.groups.values()),
    "get_group_info": _group,
    "get_group_member_list": _members,
    "get_group_member_info": _member,
    "get_stranger_info": _stranger,
    "send_private_msg": _sendPrivate,
    "send_group_msg": _sendGroup,
    "get_friend_msg_history": lambda account, params: account.page(
        (False, numberIn(params, "user_id")), params
    ),
    "get_group_msg_history": lambda account, params: account.page(
        (True, numberIn(params, "group_id")), params
    ),
    "set_group_leave": _leave,
    "_get_group_notice": lambda account, params: [],
    "get_recent_contact": lambda account, params: [],
    **dict.fromkeys(
        (
            "_send_group_notice",
            "delete_friend",
            "friend_poke",
            "set_friend_add_request",
            "set_friend_category",
            "set_friend_remark",
            "set_group_add_request",
            "set_group_admin",
            "set_group_card",
            "set_group_kick",
            "set_group_msg_mask",
            "set_group_name",
            "set_group_portrait",
            "set_group_remark",
            "set_input_status",
            "set_online_status",
            "set_qq_avatar",
            "set_qq_profile",
            "set_self_longnick",
            "upload_private_file",
        ),
        _nothing,
    ),
}
