"""
An account of today's QQ in memory: its friends, groups and history, and the answers
to calls about them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from twisted.internet.task import Clock

from txwebqq.model import Account, Gid, Number, Uin
from txwebqq.onebot.reading import boolIn, numberIn


class Failed(Exception):
    """
    The answer to a call is a failure.
    """

    def __init__(self, retcode: int, reason: str) -> None:
        super().__init__(reason)
        self.retcode = retcode


class MemoryAccount:
    """
    The account of a program that speaks OneBot 11.

    @ivar clock: advanced by L{MemoryOneBot<txwebqq.onebot.memory.program.MemoryOneBot>}
        only.
    @ivar isOnline: whether the program is signed on to QQ.
    @ivar answers: data that actions are answered with, or L{Failed}.
    @ivar history: by whether it is a group's, and the number of the group or the
        friend.
    """

    def __init__(self, number: int, nick: str) -> None:
        self.clock = Clock()
        self.clock.advance(1795000000)
        self.number = Number(number)
        self.nick = nick
        self.isOnline = True
        self.answers: dict[str, Any] = {}
        self.friends: dict[int, dict[str, Any]] = {}
        self.groups: dict[int, dict[str, Any]] = {}
        self.members: dict[int, dict[int, dict[str, Any]]] = {}
        self.history: dict[tuple[bool, int], list[dict[str, Any]]] = {}
        self._numbers = count(20001)
        self._messageIds = count(1_000_001)

    @property
    def account(self) -> Account:
        """
        The account, for a service.
        """
        return Account(self.number, "")

    def addFriend(self, nick: str, remark: str = "") -> Uin:
        """
        Create a friend.

        @return: the number.
        """
        number = next(self._numbers)
        self.friends[number] = {
            "user_id": number,
            "nickname": nick,
            "remark": remark or nick,
            "sex": "unknown",
        }
        return Uin(number)

    def addGroup(self, name: str, *members: int, owner: int = 0) -> Gid:
        """
        Create a group, of which the account is a member.

        @param owner: by default the account.

        @return: the number.
        """
        number = next(self._numbers)
        self.groups[number] = {
            "group_id": number,
            "group_name": name,
            "member_count": len(members) + 1,
            "max_member_count": 500,
        }
        self.members[number] = {}
        for member in (int(self.number), *members):
            isOwner = member == (owner or self.number)
            self.addMember(number, member, "owner" if isOwner else "member")
        return Gid(number)

    def addMember(self, group: int, member: int, role: str = "member") -> None:
        """
        Add a member to a group, without an event.

        @param role: C{"owner"}, C{"admin"} or C{"member"}.
        """
        self.members[group][member] = {
            "group_id": group,
            "user_id": member,
            "nickname": self.nickOf(member),
            "card": "",
            "role": role,
        }

    def nickOf(self, number: int) -> str:
        """
        Return the nickname of a person.
        """
        if number == self.number:
            return self.nick
        return str(self.friends.get(number, {}).get("nickname", f"Person {number}"))

    def makeMessage(self, sender: int, message: Any) -> dict[str, Any]:
        """
        Make a message with a new id.
        """
        messageId = next(self._messageIds)
        if isinstance(message, str):
            message = [{"type": "text", "data": {"text": message}}]
        return {
            "post_type": "message",
            "user_id": sender,
            "message_id": messageId,
            "message_seq": messageId,
            "sender": {"user_id": sender, "nickname": self.nickOf(sender)},
            "message": message,
            "raw_message": "",
            "font": 14,
        }

    def carryOut(self, action: str, params: Mapping[str, Any]) -> Any:
        """
        Carry out a call.

        @return: the data of the answer.

        @raise Failed: when that is refused.
        """
        if action in self.answers:
            answer = self.answers[action]
            if isinstance(answer, Failed):
                raise answer
            return answer
        handler = _ACTIONS.get(action)
        if handler is None:
            raise Failed(1404, f"不支持的API {action}")
        return handler(self, params)

    def say(self, place: tuple[bool, int], params: Mapping[str, Any]) -> Any:
        """
        Add a message of the account to a history.
        """
        event = self.makeMessage(int(self.number), params.get("message"))
        event["time"] = int(self.clock.seconds())
        self.history.setdefault(place, []).append(event)
        return {"message_id": event["message_id"]}

    def page(self, place: tuple[bool, int], params: Mapping[str, Any]) -> Any:
        """
        Return the end of a history, or what comes before a message, with it.
        """
        messages = self.history.get(place, [])
        before = numberIn(params, "message_seq")
        if before:
            ids = [each["message_id"] for each in messages]
            if before not in ids:
                raise Failed(1200, "消息不存在")
            messages = messages[: ids.index(before) + 1]
        if not messages:
            raise Failed(1200, "没有消息")
        return {"messages": messages[-numberIn(params, "count", 20) :]}


def _login(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return {"user_id": account.number, "nickname": account.nick}


def _status(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return {"online": account.isOnline, "good": account.isOnline}


def _group(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = account.groups.get(numberIn(params, "group_id"))
    if group is None:
        raise Failed(1200, "群不存在")
    return group


def _members(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    group = _group(account, params)
    return list(account.members[group["group_id"]].values())


def _member(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    members = account.members.get(numberIn(params, "group_id"), {})
    member = members.get(numberIn(params, "user_id"))
    if member is None:
        raise Failed(1200, "群员不存在")
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
    if boolIn(params, "is_dismiss"):
        owner = account.members[group["group_id"]][int(account.number)]["role"]
        if owner != "owner":
            raise Failed(1200, "不是群主")
    del account.groups[group["group_id"]]


def _nothing(account: MemoryAccount, params: Mapping[str, Any]) -> Any:
    return None


_ACTIONS: Mapping[str, Callable[[MemoryAccount, Mapping[str, Any]], Any]] = {
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
