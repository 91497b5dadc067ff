"""
The codec of one kind of event, and the members that most events share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

from txwebqq.values import Value
from txwebqq.wire.record import Record

E = TypeVar("E", bound=Value)


class EventCodec(Generic[E]):
    """
    One kind of event, both ways.

    @ivar pollType: the C{poll_type} of the event's envelope.
    @ivar decode: makes the event of the envelope's C{value}; raises one of
        L{SHAPE_ERRORS} or L{MalformedReply} for a value of another shape.
    @ivar encode: makes the C{value} of the event.
    """

    def __init__(
        self,
        pollType: str,
        event: type[E],
        decode: Callable[[Mapping[str, Any]], E],
        encode: Callable[[E], dict[str, Any]],
    ) -> None:
        self.pollType = pollType
        self.event = event
        self.decode = decode
        self.encode = encode

    @classmethod
    def ofRecord(cls, pollType: str, record: Record[E]) -> Self:
        """
        Return the codec of an event that is a simple object.
        """
        return cls(pollType, record.kind, record.read, record.write)


REPLY_IP = 176498310
"""C{reply_ip}: an address inside the original service that no client used."""


def commonMembers(
    sender: str,
    kind: int | str,
    replyIp: int = REPLY_IP,
    recipient: str = "recipient?",
) -> str:
    """
    Return the members that most events have, for a L{Record}.

    @param sender: the field for C{from_uin}, an account or a group, or C{=} and a
        constant.
    @param kind: C{msg_type}: the field, or a constant number.
    @param recipient: the field for C{to_uin}.
    """
    return (
        f"msg_id:messageId? from_uin{sender if sender[0] == '=' else ':' + sender}"
        f" to_uin:{recipient} msg_id2:messageId2?"
        f" msg_type{':' + kind if isinstance(kind, str) else f'={kind}'}"
        f" reply_ip={replyIp} "
    )
