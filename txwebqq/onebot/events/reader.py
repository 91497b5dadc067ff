"""
The reader of the events of one account.

Uins, gids and codes are the permanent numbers themselves: today's QQ has no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    SYSTEM,
    CardChanged,
    Code,
    Content,
    Event,
    FriendshipNotice,
    FriendshipStep,
    Gid,
    GroupFile,
    GroupMessage,
    GroupNotice,
    GroupStep,
    KickNotice,
    Message,
    MessageSent,
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
from txwebqq.onebot.events.interaction import (
    fileIn,
    readGroupFile,
    readMute,
    readPoke,
    readReactions,
    readRecall,
)
from txwebqq.onebot.events.names import NameStore
from txwebqq.onebot.events.own import isOwn
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
"""Friend requests, requests to join groups and invitations that can be answered."""

MAX_FILES = 100
"""Files of groups that are remembered, because programs tell each of them twice."""


class EventReader:
    """
    Reads the events of one account.

    @param number: the account.
    @param names: is told the names that messages have, and gives mentions theirs.
    @ivar flags: the ids of requests, which answers need, by the account that asks or
        invites and the group, which is 0 for a friend request.
    """

    def __init__(
        self, number: Number, pictures: PictureStore, names: NameStore | None = None
    ) -> None:
        self._number = number
        self._pictures = pictures
        self._names = names or NameStore()
        self.flags: dict[tuple[int, int], str] = {}
        # By the group, the sender and the name: whether a notice has told the file.
        self._files: dict[tuple[int, int, str], bool] = {}

    def read(self, event: Mapping[str, Any]) -> list[Event]:
        """
        Translate an event, usually to one; to none where there is nothing to tell.
        """
        match event.get("post_type"):
            case "message" | "message_sent":
                return self._message(event)
            case "notice":
                return self._notice(event)
            case "request":
                return self._request(event)
            case "meta_event":
                return []
        return [_unknown(event)]

    def content(self, message: Mapping[str, Any], isPrivate: bool) -> Content:
        """
        Translate the content of a message, also one of the history.
        """
        said = message.get("message")
        if not readSegments(said):
            said = message.get("raw_message")
        group = 0 if isPrivate else idIn(message, "group_id")
        return readContent(
            said,
            isPrivate,
            self._pictures,
            lambda number: self._names.find(group, number),
        )

    def _message(self, event: Mapping[str, Any]) -> list[Event]:
        number = numberIn(event, "user_id", -1)
        isGroup = event.get("message_type") == "group"
        group = idIn(event, "group_id")
        if isGroup and group:
            file = fileIn(event)
            shared = file and readGroupFile(event, file, self._number)
            if shared:
                return self._tellOnce(shared, False)
        if isOwn(event, self._number):
            return self._messageSent(event, isGroup)
        if number < 0 or (isGroup and not group):
            return [_unknown(event)]
        self._keepName(event, number, group if isGroup else 0)
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

    def _messageSent(self, event: Mapping[str, Any], isGroup: bool) -> list[Event]:
        group = idIn(event, "group_id") if isGroup else 0
        to = 0 if isGroup else idIn(event, "target_id")
        if not (group or to):
            return [_unknown(event)]
        self._keepName(event, self._number, group)
        messageId = messageIdIn(event)
        return [
            MessageSent(
                Gid(group),
                Code(group),
                Number(group),
                Uin(to),
                self.content(event, not isGroup),
                messageId,
                timeIn(event),
                recipient=self._number,
                messageId=messageId,
                messageId2=messageId,
            )
        ]

    def _keepName(self, event: Mapping[str, Any], number: int, group: int) -> None:
        sender = objectIn(event, "sender")
        name = textIn(sender, "card") if group else ""
        name = name or textIn(sender, "nickname")
        if name:
            self._names.keep(group, number, name)

    def _tellOnce(self, file: GroupFile, isNotice: bool) -> list[Event]:
        """
        Return a file of a group, unless the other event about it has come before:
        NapCat and LLTwoBot send a notice and a message.
        """
        key = int(file.group), int(file.sender), file.name
        known = self._files.pop(key, isNotice)
        if known != isNotice:
            return []
        self._files[key] = isNotice
        if len(self._files) > MAX_FILES:
            del self._files[next(iter(self._files))]
        return [file]

    def _notice(self, event: Mapping[str, Any]) -> list[Event]:
        uin = Uin(idIn(event, "user_id"))
        match event.get("notice_type"), event.get("sub_type"):
            case "bot_offline", _:
                reason = printable(textIn(event, "message") or textIn(event, "tag"))
                return [KickNotice(reason or "the account was signed off")]
            case "group_recall" | "friend_recall" as kind, _:
                isGroup = kind == "group_recall"
                return _orUnknown(event, readRecall(event, self._number, isGroup))
            case "group_ban", _:
                return _orUnknown(event, readMute(event, self._number))
            case "group_msg_emoji_like" | "reaction", _:
                return [*readReactions(event, self._number)] or [_unknown(event)]
            case "group_upload", _:
                file = readGroupFile(event, objectIn(event, "file"), self._number)
                return self._tellOnce(file, True) if file else [_unknown(event)]
            case "notify", "poke" if idIn(event, "group_id"):
                poke = readPoke(event, self._number)
                # Ours comes back from the program that has sent it.
                isOurs = poke is not None and int(poke.sender) == self._number
                return [] if isOurs else _orUnknown(event, poke)
            case _ if not uin:
                return [_unknown(event)]
            case "friend_add", _:
                return [RosterChange(added=((uin, 0),))]
            case "notify", "poke":
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
            case "group_card", _ if "card_new" in event:
                card = textIn(event, "card_new")
                self._names.keep(idIn(event, "group_id"), uin, card)
                return [self._cardChanged(event, uin, card)]
            case "group_increase", _:
                return [self._groupNotice(event, GroupStep.JOINED, 0)]
            case "group_decrease" | "group_dismiss", _:
                return [self._groupNotice(event, GroupStep.LEFT, _operation(event))]
            case "group_admin", how:
                operation = 1 if how == "set" else 0
                return [self._groupNotice(event, GroupStep.ADMIN, operation)]
        return [_unknown(event)]

    def _cardChanged(
        self, event: Mapping[str, Any], member: Uin, card: str
    ) -> CardChanged:
        group = idIn(event, "group_id")
        return CardChanged(
            Gid(group),
            Code(group),
            Number(group),
            member,
            Uin(idIn(event, "operator_id")),
            card,
            timeIn(event),
            self._number,
        )

    def _groupNotice(
        self, event: Mapping[str, Any], step: GroupStep, operation: int, text: str = ""
    ) -> GroupNotice:
        group = idIn(event, "group_id")
        member = idIn(event, "user_id")
        operator = idIn(event, "operator_id")
        return GroupNotice(
            step,
            Gid(group),
            Code(group),
            Number(group),
            self._number,
            Uin(member),
            Number(member),
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
            case "group", "invite" if uin and group:
                self._keep((uin, group), flag)
                return [
                    GroupNotice(
                        GroupStep.INVITED,
                        Gid(group),
                        Code(group),
                        Number(group),
                        self._number,
                        admin=Uin(uin),
                        text=comment,
                    )
                ]
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


def _orUnknown(event: Mapping[str, Any], found: Event | None) -> list[Event]:
    return [_unknown(event) if found is None else found]


def _unknown(event: Mapping[str, Any]) -> UnknownEvent:
    kinds = [textIn(event, "post_type")]
    kinds.append(textIn(event, f"{kinds[0]}_type"))
    kinds.append(textIn(event, "sub_type"))
    name = "/".join(each for each in kinds if each)
    return UnknownEvent(f"onebot/{name}", dict(event))
