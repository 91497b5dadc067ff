"""
Messages and files of the history in the form of events (protocol.md 2.2.12).
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import PastFile, PastMessage, Reacted
from txwebqq.wire.coerce import decodeEach, unsigned
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.events.interaction import readFace, writeFace
from txwebqq.wire.record import Record

_MESSAGE = Record(
    PastMessage,
    "msg_id:messageId msg_id2:id from_uin:sender time seq:sequence",
)

PAST_FILE = Record(
    PastFile,
    "msg_id:messageId msg_id2:id from_uin:sender time seq:sequence name size"
    " expire_time:expires [rkey:key] [fetched:isFetched]",
    isFetched=(lambda fetched: unsigned(fetched) > 0, int),
)

_REACTED = Record(
    Reacted,
    "face uins",
    face=(readFace, writeFace),
    uins=(lambda uins: tuple(map(unsigned, uins)), list),
)


def encodePast(message: PastMessage) -> dict[str, Any]:
    """
    Return the JSON object of a message.
    """
    content = encodeReceived(message.content, message.font)
    written = _MESSAGE.write(message) | {"content": content}
    if message.reactions:
        written["reactions"] = [_REACTED.write(each) for each in message.reactions]
    return written


def decodePast(value: Any) -> PastMessage:
    """
    Return the message of a JSON object.
    """
    content, font = decodeReceived(value["content"])
    reactions = tuple(decodeEach(_REACTED.read, value.get("reactions", [])))
    return _MESSAGE.read(value, content=content, font=font, reactions=reactions)
