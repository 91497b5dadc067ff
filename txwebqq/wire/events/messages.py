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
from txwebqq.wire.coerce import LIMIT, unsigned
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.events.codec import EventCodec, common
from txwebqq.wire.record import Record

_MESSAGE = Record(Message, common("sender", "kind") + "time?")
_GROUP_MESSAGE = Record(
    GroupMessage,
    common("group", "kind")
    + "group_code:code? send_uin:sender seq:sequence time? info_seq:number?",
)
_DISCUSSION_MESSAGE = Record(
    DiscussionMessage,
    common(f"={SYSTEM}", "kind")
    + "did:discussion send_uin:sender seq:sequence time? info_seq:version",
)
_STRANGER_MESSAGE = Record(
    StrangerMessage,
    common("sender", "kind") + "time? id:place? ruin:number? service_type:service?",
)

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
    return Message(sender, recipient, content, time, first, second, font, kind)


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
    return GroupMessage(
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


def _withContent(record: Record[Any], message: Any, **others: Any) -> dict[str, Any]:
    content = encodeReceived(message.content, message.font)
    return record.write(message) | others | {"content": content}


def _decodeDiscussionMessage(value: Mapping[str, Any]) -> DiscussionMessage:
    content, font = decodeReceived(value["content"])
    return _DISCUSSION_MESSAGE.read(value, content=content, font=font)


def _decodeStrangerMessage(value: Mapping[str, Any]) -> StrangerMessage:
    content, font = decodeReceived(value["content"])
    return _STRANGER_MESSAGE.read(value, content=content, font=font)


_FLAGS = {"text": 1, "pic": 1, "file": 1, "audio": 1, "video": 1}

CODECS: tuple[EventCodec[Any], ...] = (
    EventCodec(
        "message", _MESSAGE, _decodeMessage, lambda m: _withContent(_MESSAGE, m)
    ),
    EventCodec(
        "group_message",
        _GROUP_MESSAGE,
        _decodeGroupMessage,
        lambda m: _withContent(_GROUP_MESSAGE, m),
    ),
    EventCodec(
        "discu_message",
        _DISCUSSION_MESSAGE,
        _decodeDiscussionMessage,
        lambda m: _withContent(_DISCUSSION_MESSAGE, m),
    ),
    EventCodec(
        "sess_message",
        _STRANGER_MESSAGE,
        _decodeStrangerMessage,
        lambda m: _withContent(_STRANGER_MESSAGE, m, flags=_FLAGS),
    ),
)
