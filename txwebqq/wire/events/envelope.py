"""
The envelope in which a poll brings an event: C{poll_type} and C{value}
(protocol.md 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.model import Event, UnknownEvent
from txwebqq.wire.coerce import SHAPE_ERRORS
from txwebqq.wire.events import contacts, files, groups, interaction, messages
from txwebqq.wire.events.codec import EventCodec

_ALL: tuple[EventCodec[Any], ...] = (
    *messages.CODECS,
    *contacts.CODECS,
    *groups.CODECS,
    *files.CODECS,
    *interaction.CODECS,
)

CODECS: Mapping[type[Any], EventCodec[Any]] = {codec.event: codec for codec in _ALL}
"""The codec of each type of event but L{UnknownEvent}."""

_DECODERS = {codec.pollType: codec.decode for codec in _ALL}


def decodeEnvelope(envelope: Any) -> Event:
    """
    Decode the event in an envelope.

    @return: L{UnknownEvent} for a C{poll_type} without a codec, and for a value
        of a shape that its codec cannot decode: one odd event must not lose the
        others of its poll.
    """
    try:
        event: Event = _DECODERS[envelope["poll_type"]](envelope["value"])
    except (MalformedReply, *SHAPE_ERRORS):
        return _unknown(envelope)
    return event


def _unknown(envelope: Any) -> UnknownEvent:
    if isinstance(envelope, dict) and "value" in envelope:
        pollType = envelope.get("poll_type")
        if isinstance(pollType, str):
            return UnknownEvent(pollType, envelope["value"])
    return UnknownEvent("", envelope)


def encodeEvent(event: Event) -> dict[str, Any]:
    """
    Encode an event with its envelope.
    """
    if isinstance(event, UnknownEvent):
        return {"poll_type": event.pollType, "value": event.value}
    codec = CODECS[type(event)]
    return {"poll_type": codec.pollType, "value": codec.encode(event)}


def pollTypeOf(event: Event) -> str:
    """
    Return the C{poll_type} of an event's envelope.
    """
    if isinstance(event, UnknownEvent):
        return event.pollType
    return CODECS[type(event)].pollType
