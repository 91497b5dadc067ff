"""
The events of a poll, read from the bytes of its reply.

Nearly all events are messages of text and faces. msgspec reads these into structs,
without dictionaries: a whole reply in one pass, or, when one event of it does not
fit, each event by itself, so that no other event is lost.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import GenericAlias
from typing import Annotated, Any, Literal

from msgspec import Meta, MsgspecError, Raw, Struct, defstruct
from msgspec.json import Decoder

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Code,
    Content,
    Event,
    Face,
    Font,
    Gid,
    GroupMessage,
    Message,
    Number,
    Segment,
    Text,
    Uin,
    UnknownEvent,
)
from txwebqq.wire.coerce import LIMIT
from txwebqq.wire.content import PLAIN, decodeFont, withLineBreaks
from txwebqq.wire.events.envelope import CODECS, decodeEnvelope
from txwebqq.wire.jsontext import parseJSON

_RANGE = Meta(ge=0, le=LIMIT - 1)
_Count = Annotated[int, _RANGE]
_Uin = Annotated[Uin, _RANGE]
_Number = Annotated[Number, _RANGE]
_Gid = Annotated[Gid, _RANGE]
_Code = Annotated[Code, _RANGE]


class _FontElement(Struct, array_like=True, tag="font", gc=False):
    font: Raw


class _FaceElement(
    Struct, array_like=True, tag="face", forbid_unknown_fields=True, gc=False
):
    id: _Count


_Elements = list[str | _FontElement | _FaceElement]


class _Message(Struct, gc=False):
    """
    The C{value} of a L{Message}, its members by their names on the wire.
    """

    from_uin: _Uin
    to_uin: _Number
    content: _Elements
    time: _Count = 0
    msg_id: _Count = 0
    msg_id2: _Count = 0
    msg_type: _Count = 9

    def event(self) -> Message:
        """
        Return the message.
        """
        content, font = _readContent(self.content)
        return Message(
            self.from_uin,
            self.to_uin,
            content,
            self.time,
            self.msg_id,
            self.msg_id2,
            font,
            self.msg_type,
        )


class _GroupMessage(Struct, gc=False):
    """
    The C{value} of a L{GroupMessage}, its members by their names on the wire.
    """

    from_uin: _Gid
    to_uin: _Number
    send_uin: _Uin
    content: _Elements
    group_code: _Code = Code(0)
    info_seq: _Number = Number(0)
    time: _Count = 0
    msg_id: _Count = 0
    msg_id2: _Count = 0
    seq: _Count = 0
    msg_type: _Count = 43

    def event(self) -> GroupMessage:
        """
        Return the message.
        """
        content, font = _readContent(self.content)
        return GroupMessage(
            self.from_uin,
            self.group_code,
            self.info_seq,
            self.send_uin,
            self.to_uin,
            content,
            self.time,
            self.msg_id,
            self.msg_id2,
            self.seq,
            font,
            self.msg_type,
        )


_MAX_CACHED = 512
"""Maximum size of a font in the cache, in bytes; clients write about 70."""

_MAX_FONTS = 256
"""Maximum number of fonts in the cache."""


def _decodeFont(raw: bytes) -> Font:
    try:
        return decodeFont(parseJSON(raw))
    except MalformedReply:
        # Not UTF-8, or a number out of range. It must not lose the text.
        return PLAIN


# Nearly all messages have one of a few fonts.
_fonts: dict[bytes, Font] = {}


def _fontOf(raw: bytes) -> Font:
    """
    Decode a font, and remember it.
    """
    font = _decodeFont(raw)
    if len(raw) <= _MAX_CACHED:
        if len(_fonts) >= _MAX_FONTS:
            _fonts.clear()
        _fonts[raw] = font
    return font


_FACES = tuple(map(Face, range(256)))


def _readContent(elements: _Elements) -> tuple[Content, Font]:
    """
    Return the segments and the font of a content, as L{decodeReceived} does.
    """
    font = None
    last = elements[-1] if elements else None
    if last == " ":
        del elements[-1]
    elif isinstance(last, str) and last.endswith((" ", "\r")):
        elements[-1] = last[:-1]
    segments: list[Segment] = []
    for element in elements:
        if isinstance(element, str):
            if "\r" in element:
                element = withLineBreaks(element)
            if element:
                segments.append(Text(element))
        elif isinstance(element, _FaceElement):
            number = element.id
            segments.append(_FACES[number] if number < 256 else Face(number))
        elif font is None:
            raw = bytes(element.font)
            font = _fonts.get(raw) or _fontOf(raw)
    return tuple(segments), PLAIN if font is None else font


_MESSAGES = {"message": _Message, "group_message": _GroupMessage}
_messageDecoders: dict[str, Decoder[_Message | _GroupMessage]] = {
    name: Decoder(kind) for name, kind in _MESSAGES.items()
}


def _envelope(pollType: str) -> Any:
    members = [("value", _MESSAGES.get(pollType, Raw))]
    return defstruct("_Known", members, tag_field="poll_type", tag=pollType, gc=False)


_pollTypes = {_envelope(codec.pollType): codec.pollType for codec in CODECS.values()}


class _Poll(Struct):
    retcode: Literal[0]
    result: list[Any]
    ack: Any = None


class _UnknownEnvelope(Struct, gc=False):
    poll_type: str
    value: Raw


def _decoderOf(envelope: Any) -> Decoder[_Poll]:
    members = [("result", GenericAlias(list, (envelope,)))]
    return Decoder(defstruct("_Poll", members, bases=(_Poll,)))


# Broken surrogates are a ValueError, deep nesting a RecursionError.
_UNFIT = (MsgspecError, ValueError, RecursionError)

_whole = _decoderOf(reduce(or_, _pollTypes))
_each = _decoderOf(_UnknownEnvelope)


def readEvents(body: bytes) -> tuple[tuple[Event, ...], Any] | None:
    """
    Read the events of a reply to a poll.

    @return: the events, and C{ack} as parsed; L{None} for a refusal, and for a
        reply that is not written as servers write it.
    """
    try:
        poll = _whole.decode(body)
    except _UNFIT:
        pass
    else:
        events = [
            _readValue(_pollTypes[type(envelope)], bytes(value))
            if type(value := envelope.value) is Raw
            else value.event()
            for envelope in poll.result
        ]
        return tuple(events), poll.ack
    try:
        poll = _each.decode(body)
    except _UNFIT:
        return None
    return tuple(map(_readUnknown, poll.result)), poll.ack


def _readUnknown(envelope: _UnknownEnvelope) -> Event:
    decoder = _messageDecoders.get(envelope.poll_type)
    if decoder is not None:
        try:
            message = decoder.decode(envelope.value)
        except _UNFIT:
            pass
        else:
            return message.event()
    return _readValue(envelope.poll_type, bytes(envelope.value))


def _readValue(pollType: str, raw: bytes) -> Event:
    try:
        value = parseJSON(raw)
    except MalformedReply:
        # Not UTF-8, or a number out of range, for example.
        return UnknownEvent(pollType, raw.decode("utf-8", "replace"))
    return decodeEnvelope({"poll_type": pollType, "value": value})
