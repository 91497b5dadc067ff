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
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.events.codec import EventCodec, commonMembers
from txwebqq.wire.record import Record


def _common(sender: str) -> str:
    return commonMembers(sender, "kind", recipient="recipient")


_MESSAGE = Record(Message, _common("sender") + "time?", isStrict=True)
_GROUP_MESSAGE = Record(
    GroupMessage,
    _common("group")
    + "group_code:code? send_uin:sender seq:sequence time? info_seq:number?",
    isStrict=True,
)
_DISCUSSION_MESSAGE = Record(
    DiscussionMessage,
    _common(f"={SYSTEM}")
    + "did:discussion send_uin:sender seq:sequence time? info_seq:version",
)
_STRANGER_MESSAGE = Record(
    StrangerMessage,
    _common("sender") + "time? id:place? ruin:number? service_type:service?",
)

_FLAGS = {"text": 1, "pic": 1, "file": 1, "audio": 1, "video": 1}


def _codec(pollType: str, record: Record[Any], **constants: Any) -> EventCodec[Any]:
    """
    Return the codec of a kind of message.

    @param constants: members in front of the content.
    """

    def decode(value: Mapping[str, Any]) -> Any:
        content, font = decodeReceived(value["content"])
        return record.read(value, content=content, font=font)

    def encode(message: Any) -> dict[str, Any]:
        content = encodeReceived(message.content, message.font)
        return record.write(message) | constants | {"content": content}

    return EventCodec(pollType, record.kind, decode, encode)


CODECS = (
    _codec("message", _MESSAGE),
    _codec("group_message", _GROUP_MESSAGE),
    _codec("discu_message", _DISCUSSION_MESSAGE),
    _codec("sess_message", _STRANGER_MESSAGE, flags=_FLAGS),
)
