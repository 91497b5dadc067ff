"""
The codec of one kind of event, and the members that most events share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from txwebqq.wire.coerce import unsigned

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class EventCodec(Generic[E]):
    """
    One kind of event, both ways.

    @ivar pollType: the C{poll_type} of the event's envelope.
    @ivar decode: makes the event of the envelope's C{value}; raises one of
        L{SHAPE_ERRORS} or L{MalformedReply} for a value of another shape.
    @ivar encode: makes the C{value} of the event.
    """

    pollType: str
    event: type[E]
    decode: Callable[[Mapping[str, Any]], E]
    encode: Callable[[E], dict[str, Any]]


REPLY_IP = 176498310
"""C{reply_ip}: an address inside the original service that no client used."""


def commonMembers(event: Any, sender: int, kind: int) -> dict[str, Any]:
    """
    Encode the members that most events have.

    @param sender: C{from_uin}: an account or a group.
    @param kind: C{msg_type}.
    """
    return {
        "msg_id": event.messageId,
        "from_uin": sender,
        "to_uin": event.recipient,
        "msg_id2": event.messageId2,
        "msg_type": kind,
        "reply_ip": REPLY_IP,
    }


def numberOrZero(value: Mapping[str, Any], name: str) -> Any:
    """
    Decode a number that may be missing, or an empty string: permanent numbers
    are, where the server hides them.
    """
    return unsigned(value.get(name) or 0)
