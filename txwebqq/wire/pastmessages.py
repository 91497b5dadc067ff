"""
Messages of the history in the form of events (protocol.md 2.2.12).
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import PastMessage
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.record import Record

_MESSAGE = Record(
    PastMessage,
    "msg_id:messageId msg_id2:id from_uin:sender time seq:sequence",
)


def encodePast(message: PastMessage) -> dict[str, Any]:
    """
    Return the JSON object of a message.
    """
    content = encodeReceived(message.content, message.font)
    return _MESSAGE.write(message) | {"content": content}


def decodePast(value: Any) -> PastMessage:
    """
    Return the message of a JSON object.
    """
    content, font = decodeReceived(value["content"])
    return _MESSAGE.read(value, content=content, font=font)
