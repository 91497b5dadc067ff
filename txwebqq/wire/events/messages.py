"""
Messages of friends, groups, discussions and temporary chats
(protocol.md 5.1-5.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    SYSTEM,
    DiscussionMessage,
    GroupMessage,
    Message,
    StrangerMessage,
)
from txwebqq.wire.coerce import LIMIT, fastConstructor, unsigned
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.events.codec import EventCodec, commonMembers, numberOrZero

_message = fastConstructor(Message)
_groupMessage = fastConstructor(GroupMessage)

# Nearly all events are messages, which are decoded in as few steps as possible:
# whether all numbers of a message are numbers is checked once.


def _decodeMessage(value: Mapping[str, Any]) -> Message:
    content, font = decodeReceived(value["content"])
    get = value.get
    sender, recipient, time = value["from_uin"], value["to_uin"], get("time", 0)
    first, second, kind = get("msg_id", 0), get("msg_id2", 0), get("msg_type", 9)
    try:
        isFit = 0 <= sender | recipient | time | first | second | kind < LIMIT
    except TypeError:
        isFit = False
    if not isFit:
        numbers = map(unsigned, (sender, recipient, time, first, second, kind))
        sender, recipient, time, first, second, kind = numbers
    return _message(sender, recipient, content, time, first, second, font, kind)


def _encodeMessage(message: Message) -> dict[str, Any]:
    return commonMembers(message, message.sender, message.kind) | {
        "time": message.time,
        "content": encodeReceived(message.content, message.font),
    }


def _decodeGroupMessage(value: Mapping[str, Any]) -> GroupMessage:
    content, font = decodeReceived(value["content"])
    get = value.get
    group, code, number = value["from_uin"], get("group_code", 0), get("info_seq", 0)
    sender, recipient, time = value["send_uin"], value["to_uin"], get("time", 0)
    first, second = get("msg_id", 0), get("msg_id2", 0)
    sequence, kind = get("seq", 0), get("msg_type", 43)
    try:
        isFit = 0 <= group | code | number | sender | recipient < LIMIT
        isFit = isFit and 0 <= time | first | second | sequence | kind < LIMIT
    except TypeError:
        isFit = False
    if not isFit:
        numbers = map(unsigned, (group, code, number, sender, recipient))
        group, code, number, sender, recipient = numbers
        numbers = map(unsigned, (time, first, second, sequence, kind))
        time, first, second, sequence, kind = numbers
    return _groupMessage(
        group,
        code,
        number,
        sender,
        recipient,
        content,
        time,
        first,
        second,
        sequence,
        font,
        kind,
    )


def _encodeGroupMessage(message: GroupMessage) -> dict[str, Any]:
    return commonMembers(message, message.group, message.kind) | {
        "group_code": message.code,
        "send_uin": message.sender,
        "seq": message.sequence,
        "time": message.time,
        "info_seq": message.number,
        "content": encodeReceived(message.content, message.font),
    }


def _decodeDiscussionMessage(value: Mapping[str, Any]) -> DiscussionMessage:
    content, font = decodeReceived(value["content"])
    return DiscussionMessage(
        discussion=unsigned(value["did"]),
        sender=unsigned(value["send_uin"]),
        recipient=unsigned(value["to_uin"]),
        content=content,
        time=numberOrZero(value, "time"),
        messageId=numberOrZero(value, "msg_id"),
        messageId2=numberOrZero(value, "msg_id2"),
        sequence=numberOrZero(value, "seq"),
        version=numberOrZero(value, "info_seq"),
        font=font,
        kind=unsigned(value.get("msg_type", 42)),
    )


def _encodeDiscussionMessage(message: DiscussionMessage) -> dict[str, Any]:
    return commonMembers(message, SYSTEM, message.kind) | {
        "did": message.discussion,
        "send_uin": message.sender,
        "seq": message.sequence,
        "time": message.time,
        "info_seq": message.version,
        "content": encodeReceived(message.content, message.font),
    }


def _decodeStrangerMessage(value: Mapping[str, Any]) -> StrangerMessage:
    content, font = decodeReceived(value["content"])
    return StrangerMessage(
        sender=unsigned(value["from_uin"]),
        recipient=unsigned(value["to_uin"]),
        place=numberOrZero(value, "id"),
        service=numberOrZero(value, "service_type"),
        number=numberOrZero(value, "ruin"),
        content=content,
        time=numberOrZero(value, "time"),
        messageId=numberOrZero(value, "msg_id"),
        messageId2=numberOrZero(value, "msg_id2"),
        font=font,
        kind=unsigned(value.get("msg_type", 140)),
    )


def _encodeStrangerMessage(message: StrangerMessage) -> dict[str, Any]:
    return commonMembers(message, message.sender, message.kind) | {
        "time": message.time,
        "id": message.place,
        "ruin": message.number,
        "service_type": message.service,
        "flags": {"text": 1, "pic": 1, "file": 1, "audio": 1, "video": 1},
        "content": encodeReceived(message.content, message.font),
    }


CODECS = (
    EventCodec("message", Message, _decodeMessage, _encodeMessage),
    EventCodec("group_message", GroupMessage, _decodeGroupMessage, _encodeGroupMessage),
    EventCodec(
        "discu_message",
        DiscussionMessage,
        _decodeDiscussionMessage,
        _encodeDiscussionMessage,
    ),
    EventCodec(
        "sess_message", StrangerMessage, _decodeStrangerMessage, _encodeStrangerMessage
    ),
)
