"""
Recalls, mutes, pokes, reactions and files of groups.

Each function returns L{None} for an event that lacks what the model needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    FOREVER,
    Code,
    Gid,
    GroupFile,
    MemberMuted,
    MemberPoked,
    MessageRecalled,
    Number,
    Reaction,
    Uin,
)
from txwebqq.onebot.faces import emojiOf
from txwebqq.onebot.reading import (
    boolIn,
    idIn,
    messageIdIn,
    numberIn,
    objectIn,
    objectsIn,
    textIn,
    timeIn,
)
from txwebqq.onebot.segments import readSegments

MAX_DIGITS = 20
"""Digits at which a number has more than 63 bits."""


def _group(event: Mapping[str, Any]) -> tuple[Gid, Code, Number]:
    group = idIn(event, "group_id")
    return Gid(group), Code(group), Number(group)


def _common(event: Mapping[str, Any], own: Number) -> dict[str, Any]:
    return {"time": timeIn(event), "recipient": own}


def readRecall(
    event: Mapping[str, Any], own: Number, isGroup: bool
) -> MessageRecalled | None:
    """
    Read C{group_recall} or C{friend_recall}. The sender is 0 where a program cannot
    tell that of a message in a group.
    """
    messageId, sender = messageIdIn(event), idIn(event, "user_id")
    place = _group(event) if isGroup else (Gid(0), Code(0), Number(0))
    if not messageId or not (place[0] if isGroup else sender):
        return None
    operator = idIn(event, "operator_id") or sender
    return MessageRecalled(
        *place, Uin(sender), Uin(operator), messageId, **_common(event, own)
    )


def readMute(event: Mapping[str, Any], own: Number) -> MemberMuted | None:
    """
    Read C{group_ban}.
    """
    place = _group(event)
    # 0 stands for all members, C{null} for one that the program does not know.
    member = numberIn(event, "user_id", -1)
    if not place[0] or member < 0:
        return None
    isLifted = event.get("sub_type") == "lift_ban"
    duration = numberIn(event, "duration", 0 if isLifted else -1)
    if member == 0:
        # LLTwoBot says "lift_ban" of both.
        isLifted = duration == 0
    seconds = 0 if isLifted else duration
    if not 0 <= seconds <= FOREVER:
        seconds = FOREVER
    operator = Uin(idIn(event, "operator_id"))
    return MemberMuted(*place, Uin(member), operator, seconds, **_common(event, own))


def readPoke(event: Mapping[str, Any], own: Number) -> MemberPoked | None:
    """
    Read a poke in a group.
    """
    sender = idIn(event, "sender_id") or idIn(event, "user_id")
    target = idIn(event, "target_id")
    place = _group(event)
    if not (place[0] and sender and target):
        return None
    return MemberPoked(*place, Uin(sender), Uin(target), **_common(event, own))


def readReactions(event: Mapping[str, Any], own: Number) -> list[Reaction]:
    """
    Read C{group_msg_emoji_like} (NapCat, LLTwoBot) or C{reaction} (Lagrange).
    """
    messageId = messageIdIn(event)
    sender = idIn(event, "user_id") or idIn(event, "operator_id")
    place = _group(event)
    if not (place[0] and sender and messageId):
        return []
    isSet = boolIn(event, "is_add", event.get("sub_type") != "remove")
    reactions = []
    for like in objectsIn(event.get("likes")) or [event]:
        number = numberIn(like, "emoji_id", numberIn(like, "code", -1))
        face = emojiOf(str(number)) if number >= 0 else None
        if face is not None:
            reactions.append(
                Reaction(
                    *place, Uin(sender), messageId, face, isSet, **_common(event, own)
                )
            )
    return reactions


def fileIn(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """
    Return the file that a message consists of, as in a notice, L{None} if it is
    another one.
    """
    message = event.get("message")
    if isinstance(message, str):
        # Nearly all messages have no file.
        if not message.startswith("[CQ:file,"):
            return None
    elif not isinstance(message, list) or len(message) != 1:
        return None
    segments = readSegments(message)
    if len(segments) != 1 or segments[0]["type"] != "file":
        return None
    data = objectIn(segments[0], "data")
    return {
        "name": textIn(data, "name") or textIn(data, "file"),
        "size": data.get("file_size", data.get("size")),
        "id": textIn(data, "file_id"),
        "busid": data.get("busid"),
        "url": textIn(data, "url"),
    }


def readGroupFile(
    event: Mapping[str, Any], file: Mapping[str, Any], own: Number
) -> GroupFile | None:
    """
    Read a file that a member has shared.
    """
    place, sender = _group(event), idIn(event, "user_id")
    name = textIn(file, "name")
    key = fileKey(idIn(file, "busid"), textIn(file, "id"), textIn(file, "url"))
    if not (place[0] and sender and name and key):
        return None
    return GroupFile(
        *place, Uin(sender), name, idIn(file, "size"), key, **_common(event, own)
    )


def fileKey(busid: int, fileId: str, url: str = "") -> str:
    """
    Return the key of a file of a group: the ids that calls want, or else a URL.
    """
    return f"{busid}:{fileId}" if fileId else url


def readFileKey(key: str) -> tuple[int, str] | None:
    """
    Return the C{busid} and the C{file_id} of a key, L{None} for a URL.
    """
    busid, _, fileId = key.partition(":")
    isNumber = busid.isdecimal() and len(busid) < MAX_DIGITS
    return (int(busid), fileId) if isNumber else None
