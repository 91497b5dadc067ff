"""
Events of OneBot 11 as events of the model.

Uins, gids and codes are the permanent numbers themselves: today's QQ has no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    SYSTEM,
    Code,
    Content,
    Event,
    FriendshipNotice,
    FriendshipStep,
    Gid,
    GroupMessage,
    GroupNotice,
    GroupStep,
    KickNotice,
    Message,
    Number,
    OfflineFile,
    RosterChange,
    Shake,
    StrangerMessage,
    Typing,
    Uin,
    UnknownEvent,
)
from txwebqq.model.notices import DISSOLVED, LEFT_ALONE, REMOVED
from txwebqq.onebot.reading import (
    idIn,
    messageIdIn,
    numberIn,
    objectIn,
    textIn,
    timeIn,
)
from txwebqq.onebot.segments import PictureStore, readContent, readSegments
from txwebqq.wire.command import printable

MAX_REQUESTS = 1000
"""Friend requests and requests to join groups that can be answered."""


class EventReader:
    """
    Reads the events of one account.

    @param number: the account.
    @ivar flags: the ids of requests, which answers need, by the account that asks
        and the group, which is 0 for a friend request.
    """

    def __init__(self, number: Number, pictures: PictureStore) -> None:
        self._number = number
        self._pictures = pictures
        self.flags: dict[tuple[int, int], str] = {}

    def read(self, event: Mapping[str, Any]) -> list[Event]:
        """
        Translate an event, usually to one; to none where there is nothing to tell.
        """
        match event.get("post_type"):
            case "message":
                return self._message(event)
            case "notice":
                return self._notice(event)
            case "request":
                return self._request(event)
            case "message_sent" | "meta_event":
                return []
        return [_unknown(event)]

    def content(self, message: Mapping[str, Any], isPrivate: bool) -> Content:
        """
        Translate the content of a message, also one of the history.
        """
        said = message.get("message")
        if not readSegments(said):
            said = message.get("raw_message")
        return readContent(said, isPrivate, self._pictures)

    def _message(self, event: Mapping[str, Any]) -> list[Event]:
        number = numberIn(event, "user_id", -1)
        if number == self._number:
            return []
        isGroup = event.get("message_type") == "group"
        group = idIn(event, "group_id")
        if number < 0 or (isGroup and not group):
            return [_unknown(event)]
        sender = Uin(number) if number else SYSTEM
        content = self.content(event, not isGroup)
        time = timeIn(event)
        messageId = messageIdIn(event)
        ids = messageId, messageId
        me = self._number
        if isGroup:
            return [
                GroupMessage(
                    Gid(group),
                    Code(group),
                    Number(group),
                    sender,
                    me,
                    content,
                    time,
                    *ids,
                    sequence=idIn(event, "real_seq"),
                )
            ]
        if event.get("sub_type") == "group":
            place = group or idIn(objectIn(event, "sender"), "group_id")
            return [
                StrangerMessage(
                    sender, me, place, 0, Number(sender), content, time, *ids
                )
            ]
        return [Message(sender, me, content, time, *ids)]

    def _notice(self, event: Mapping[str, Any]) -> list[Event]:
        uin = Uin(idIn(event, "user_id"))
        match event.get("notice_type"), event.get("sub_type"):
            case "bot_offline", _:
                reason = printable(textIn(event, "message") or textIn(event, "tag"))
                return [KickNotice(reason or "the account was signed off")]
            case _ if not uin:
                return [_unknown(event)]
            case "friend_add", _:
                return [RosterChange(added=((uin, 0),))]
            case "notify", "poke" if not idIn(event, "group_id"):
                sender = idIn(event, "sender_id") or uin
                if idIn(event, "target_id") != self._number or sender == self._number:
                    return []
                return [Shake(Uin(sender), self._number)]
            case "notify", "input_status":
                isTyping = numberIn(event, "event_type", 1) == 1
                return [Typing(uin, self._number)] if isTyping else []
            case "offline_file", _:
                return [_offlineFile(event, uin)]
            case _ if not idIn(event, "group_id"):
                return [_unknown(event)]
            case "group_increase", _:
                return [self._groupNotice(event, GroupStep.JOINED, 0)]
            case "group_decrease" | "group_dismiss", _:
                return [self._groupNotice(event, GroupStep.LEFT, _operation(event))]
            case "group_admin", how:
                operation = 1 if how == "set" else 0
                return [self._groupNotice(event, GroupStep.ADMIN, operation)]
        return [_unknown(event)]

    def _groupNotice(
        self, event: Mapping[str, Any], step: GroupStep, operation: int, text: str = ""
    ) -> GroupNotice:
        group = idIn(event, "group_id")
        member = idIn(event, "user_id")
        operator = idIn(event, "operator_id")
        # A notice about our own account names no member.
        about = 0 if member == self._number else member
        return GroupNotice(
            step,
            Gid(group),
            Code(group),
            Number(group),
            self._number,
            Uin(about),
            Number(about),
            Uin(0 if operator == member else operator),
            operation=operation,
            text=text,
        )

    def _request(self, event: Mapping[str, Any]) -> list[Event]:
        uin, group = idIn(event, "user_id"), idIn(event, "group_id")
        comment, flag = textIn(event, "comment"), textIn(event, "flag")
        match event.get("request_type"), event.get("sub_type"):
            case "friend", _ if uin:
                self._keep((uin, 0), flag)
                step = FriendshipStep.REQUESTED
                return [FriendshipNotice(step, Uin(uin), Number(uin), comment)]
            case "group", "add" if uin and group:
                self._keep((uin, group), flag)
                return [self._groupNotice(event, GroupStep.REQUESTED, 0, comment)]
        return [_unknown(event)]

    def _keep(self, key: tuple[int, int], flag: str) -> None:
        self.flags.pop(key, None)
        self.flags[key] = flag
        if len(self.flags) > MAX_REQUESTS:
            del self.flags[next(iter(self.flags))]


def _operation(event: Mapping[str, Any]) -> int:
    if event.get("notice_type") == "group_dismiss":
        return DISSOLVED
    match event.get("sub_type"):
        case "disband":
            return DISSOLVED
        case "kick" | "kick_me":
            return REMOVED
    return LEFT_ALONE


def _offlineFile(event: Mapping[str, Any], sender: Uin) -> OfflineFile:
    file = objectIn(event, "file")
    key = textIn(file, "id") or textIn(file, "url")
    size, time = idIn(file, "size"), timeIn(event)
    return OfflineFile(sender, textIn(file, "name"), size, key, "", 0, time=time)


def _unknown(event: Mapping[str, Any]) -> UnknownEvent:
    kinds = [textIn(event, "post_type")]
    kinds.append(textIn(event, f"{kinds[0]}_type"))
    kinds.append(textIn(event, "sub_type"))
    name = "/".join(each for each in kinds if each)
    return UnknownEvent(f"onebot/{name}", dict(event))
