"""
Events of an account in memory: what other people do, and the account elsewhere.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from txwebqq.onebot.memory.account import MemoryAccount, Place
from txwebqq.onebot.memory.interactions import (
    addressOf,
    muted,
    poked,
    reacted,
    recalled,
    shared,
)


class MemoryEvents(MemoryAccount):
    """
    An account for which tests make events. Each method returns when the application
    has been given its event.
    """

    @abstractmethod
    def send(self, event: Mapping[str, Any]) -> None:
        """
        Send any event, to all connections that are for events.
        """

    def tell(self, sender: int, message: Any, **fields: Any) -> int:
        """
        Have a person send a message to the account.

        @param message: a text, or segments.
        @param fields: others of the event.

        @return: the id of the message.
        """
        event = self.makeMessage(sender, message)
        event |= {"message_type": "private", "sub_type": "friend", **fields}
        return self._happened((False, sender), event)

    def tellGroup(self, group: int, sender: int, message: Any, **fields: Any) -> int:
        """
        Have a member send a message to a group. Otherwise as L{tell}.
        """
        event = self.makeMessage(sender, message)
        event |= {
            "message_type": "group",
            "sub_type": "normal",
            "group_id": group,
            **fields,
        }
        return self._happened((True, group), event)

    def _happened(self, place: Place, event: dict[str, Any]) -> int:
        event = {"time": int(self.clock.seconds()), "self_id": self.number, **event}
        self.history.setdefault(place, []).append(event)
        self.send(event)
        messageId: int = event["message_id"]
        return messageId

    def notice(self, kind: str, subType: str = "", **fields: Any) -> None:
        """
        Have a notice come.
        """
        self._eventOf("notice", kind, subType, fields)

    def request(self, kind: str, subType: str = "", **fields: Any) -> None:
        """
        Have a request come.
        """
        self._eventOf("request", kind, subType, fields)

    def heartbeat(self, seconds: float = 30.0) -> None:
        """
        Send a heartbeat.

        @param seconds: the time until the next, as it says.
        """
        status = {"online": self.isOnline, "good": self.isOnline}
        fields = {"status": status, "interval": int(seconds * 1000)}
        self._eventOf("meta_event", "heartbeat", "", fields)

    def _eventOf(
        self, post: str, kind: str, subType: str, fields: Mapping[str, Any]
    ) -> None:
        event = {"post_type": post, f"{post}_type": kind, **fields}
        if subType:
            event["sub_type"] = subType
        self.send(event)

    def sendElsewhere(self, to: int, message: Any, isGroup: bool = False) -> int:
        """
        Have the account send a message by another client.

        @param to: a friend, or a group.

        @return: the id of the message.
        """
        place = isGroup, int(to)
        return self._happened(place, self.makeOwn(place, message))

    def recall(self, messageId: int, operator: int = 0) -> None:
        """
        Have a message recalled.

        @param operator: the administrator who recalls it, by default its sender.
        """
        _, message = self.find(messageId)
        self.send(recalled(self, messageId, operator or message["user_id"]))

    def mute(
        self, group: int, member: int = 0, seconds: int = 600, operator: int = 0
    ) -> None:
        """
        Have a member muted, or all.

        @param member: 0 for all.
        @param seconds: 0 ends the mute.
        @param operator: by default the owner of the group.
        """
        operator = operator or self._ownerOf(group)
        self.send(muted(self, group, member, seconds, operator))

    def _ownerOf(self, group: int) -> int:
        members = self.members[group].values()
        return next(int(each["user_id"]) for each in members if each["role"] == "owner")

    def poke(self, sender: int, group: int = 0, target: int = 0) -> None:
        """
        Have a person poke another.

        @param group: 0 for a poke by a friend.
        @param target: by default the account.
        """
        self.send(poked(group, sender, target or int(self.number)))

    def react(
        self, sender: int, messageId: int, emoji: int | str, isSet: bool = True
    ) -> None:
        """
        Have a member react to a message in a group.

        @param emoji: the number of an emoticon of today's QQ, or a Unicode emoji.
        @param isSet: C{False} takes the reaction back.
        """
        number = ord(emoji) if isinstance(emoji, str) else emoji
        self.send(reacted(self, messageId, sender, str(number), isSet))

    def shareFile(self, group: int, sender: int, name: str, data: bytes) -> str:
        """
        Have a member share a file in a group. As with NapCat, there is a notice and a
        message.

        @return: the C{file_id}.
        """
        notice = shared(self, group, sender, name, addressOf(data))
        file = notice["file"]
        self.send(notice)
        shown = {"file": name, "file_id": file["id"], "file_size": str(file["size"])}
        self.tellGroup(group, sender, [{"type": "file", "data": shown}])
        return str(file["id"])

    def invite(self, sender: int, group: int, comment: str = "") -> str:
        """
        Have a person invite the account to a group.

        @return: the id of the invitation, for the answer.
        """
        flag = f"{group}-{sender}"
        fields = {"group_id": group, "user_id": sender, "comment": comment}
        self.request("group", "invite", flag=flag, **fields)
        return flag
