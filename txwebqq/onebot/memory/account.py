"""
An account of today's QQ in memory: its friends, groups, history and files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import count
from typing import Any

from twisted.internet.task import Clock

from txwebqq.model import Account, Gid, Number, Uin
from txwebqq.onebot.reading import numberIn

Place = tuple[bool, int]
"""Whether it is a group, and its number or that of the friend."""


class CallRefused(Exception):
    """
    The answer to a call is a failure.
    """

    def __init__(self, retcode: int, reason: str) -> None:
        super().__init__(reason)
        self.retcode = retcode


class MemoryAccount(ABC):
    """
    The account of a program that speaks OneBot 11.

    @ivar clock: advanced by L{MemoryOneBot<txwebqq.onebot.memory.program.MemoryOneBot>}
        only.
    @ivar isOnline: whether the program is signed on to QQ.
    @ivar answers: data that actions are answered with, or L{CallRefused}.
    @ivar history: the messages by the place.
    @ivar reportsOwn: whether it reports the messages that were sent by calls, as
        NapCat does with C{reportSelfMessage}.
    @ivar muted: by the group and the member, 0 for all: the end of the mute.
    @ivar reactions: those who have reacted to a message, by its id and the
        C{emoji_id}.
    @ivar files: the files of groups, by the group and the C{file_id}.
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
        self.history: dict[Place, list[dict[str, Any]]] = {}
        self.reportsOwn = False
        self.muted: dict[tuple[int, int], int] = {}
        self.reactions: dict[tuple[int, str], set[int]] = {}
        self.files: dict[int, dict[str, dict[str, Any]]] = {}
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

    @abstractmethod
    def emit(self, event: Mapping[str, Any]) -> None:
        """
        Send an event, to all connections that are for events.
        """

    def say(self, place: Place, params: Mapping[str, Any]) -> Any:
        """
        Add a message of the account to a history, and report it if C{reportsOwn}.
        """
        event = self.makeOwn(place, params.get("message"))
        self.history.setdefault(place, []).append(event)
        if self.reportsOwn:
            self.emit(event)
        return {"message_id": event["message_id"]}

    def makeOwn(self, place: Place, message: Any) -> dict[str, Any]:
        """
        Make a message of the account, as a program reports it.
        """
        isGroup, number = place
        event = self.makeMessage(int(self.number), message)
        event |= {
            "post_type": "message_sent",
            "message_sent_type": "self",
            "message_type": "group" if isGroup else "private",
            "sub_type": "normal" if isGroup else "friend",
            "target_id": number,
            "time": int(self.clock.seconds()),
        }
        if isGroup:
            event["group_id"] = number
        return event

    def find(self, messageId: int) -> tuple[Place, dict[str, Any]]:
        """
        Find a message.

        @raise CallRefused: when there is none.
        """
        for place, messages in self.history.items():
            for each in messages:
                if each["message_id"] == messageId:
                    return place, each
        raise CallRefused(1200, "消息不存在")

    def roleOf(self, group: int, member: int) -> str:
        """
        Return the role of a member.

        @raise CallRefused: when the person is no member.
        """
        try:
            return str(self.members[group][member]["role"])
        except KeyError:
            raise CallRefused(1200, "群员不存在") from None

    def page(self, place: Place, params: Mapping[str, Any]) -> Any:
        """
        Return the end of a history, or what comes before a message, with it.
        """
        messages = self.history.get(place, [])
        before = numberIn(params, "message_seq")
        if before:
            ids = [each["message_id"] for each in messages]
            if before not in ids:
                raise CallRefused(1200, "消息不存在")
            messages = messages[: ids.index(before) + 1]
        if not messages:
            raise CallRefused(1200, "没有消息")
        return {"messages": messages[-numberIn(params, "count", 20) :]}
