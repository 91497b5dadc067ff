"""
Recalls, mutes, pokes, reactions, files of groups, changed groups and cards, answers to
requests to join, and messages that another client has sent (our extension,
docs/protocol.md 5.17).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.model import (
    CardChanged,
    Face,
    GroupEdited,
    GroupFile,
    JoinRequestAnswered,
    MemberMuted,
    MemberPoked,
    MessageRecalled,
    MessageSent,
    Reaction,
    Text,
)
from txwebqq.wire.coerce import Expected, integer, textOf, unsigned
from txwebqq.wire.content import decodeReceived, encodeReceived
from txwebqq.wire.events.codec import EventCodec, commonMembers
from txwebqq.wire.record import Record

AGREE, REFUSE = 2, 3
"""The C{op_type} of an answer to a request to join a group."""

MAX_EMOJI = 64
"""Maximum length of a reaction that is a text, in characters."""


def readFace(value: Any) -> Face | Text:
    """
    Read the face of a reaction: the id of an emoticon, or a Unicode emoji.
    """
    if isinstance(value, str) and not value.isdecimal():
        if not value or len(value) > MAX_EMOJI:
            raise Expected("an emoticon")
        return Text(value)
    return Face(unsigned(value))


def writeFace(face: Face | Text) -> int | str:
    """
    Return the face of a reaction as it is on the wire.
    """
    return face.id if isinstance(face, Face) else face.text


def _members(kind: int) -> str:
    return commonMembers("group", kind) + "group_code:code? info_seq:number? time? "


GROUP_FILE = Record(
    GroupFile,
    _members(85) + "send_uin:sender name size rkey:key ip? port? expire_time:expires",
)
"""A file of a group, which commands return as well."""

_EDITED = Record(
    GroupEdited,
    _members(88) + "op_uin:operator [name] [memo] [fingermemo:description] [option]",
    name=(textOf, str),
    memo=(textOf, str),
    description=(textOf, str),
    option=(unsigned, int),
)


def _writeAnswer(isAccepted: bool) -> int:
    return AGREE if isAccepted else REFUSE


_SENT = Record(MessageSent, _members(86) + "to? sent_id:id")


def _decodeSent(value: Mapping[str, Any]) -> MessageSent:
    content, font = decodeReceived(value["content"])
    return _SENT.read(value, content=content, font=font)


def _encodeSent(message: MessageSent) -> dict[str, Any]:
    return _SENT.write(message) | {
        "content": encodeReceived(message.content, message.font)
    }


CODECS: tuple[EventCodec[Any], ...] = (
    EventCodec.ofRecord(
        "message_recalled",
        Record(
            MessageRecalled,
            _members(81) + "send_uin:sender op_uin:operator recalled_id:id",
        ),
    ),
    EventCodec.ofRecord(
        "group_mute",
        Record(MemberMuted, _members(82) + "muin:member op_uin:operator seconds"),
    ),
    EventCodec.ofRecord(
        "group_poke", Record(MemberPoked, _members(83) + "send_uin:sender muin:target")
    ),
    EventCodec.ofRecord(
        "group_reaction",
        Record(
            Reaction,
            _members(84) + "send_uin:sender reacted_id:id face op_type:isSet",
            face=(readFace, writeFace),
            isSet=(lambda value: integer(value) != 0, int),
        ),
    ),
    EventCodec.ofRecord("group_file", GROUP_FILE),
    EventCodec.ofRecord("group_edit", _EDITED),
    EventCodec.ofRecord(
        "group_card",
        Record(CardChanged, _members(89) + "muin:member op_uin:operator card"),
    ),
    EventCodec.ofRecord(
        "group_request_answered",
        Record(
            JoinRequestAnswered,
            _members(90) + "request_uin:applicant op_uin:operator op_type:isAccepted",
            isAccepted=(lambda value: integer(value) == AGREE, _writeAnswer),
        ),
    ),
    EventCodec("message_sent", MessageSent, _decodeSent, _encodeSent),
)
