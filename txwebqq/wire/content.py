"""
Content of messages as a client sends it and as a poll brings it (protocol.md 4).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    Font,
    GroupPicture,
    Mention,
    Number,
    OfflinePicture,
    Reply,
    Segment,
    Text,
    UnknownSegment,
)
from txwebqq.wire.coerce import LIMIT, SHAPE_ERRORS, textOf, unsigned
from txwebqq.wire.jsontext import encodeGivenJSON, encodeJSON, parseJSON

MAX_TEXT = 15_000
"""Maximum size of the content of a message, in bytes (protocol.md 4.9)."""

PLAIN = Font()
"""WebQQ's own font."""

_MAX_NAME = 64
_MAX_SIZE = 1000


def encodeSegment(segment: Segment) -> Any:
    """
    Return the element of a segment in a message to be sent.
    """
    match segment:
        case Text(text):
            return text
        case Face(number):
            return ["face", number]
        case GroupPicture(name):
            return ["cface", "group", name]
        case CustomFace(name):
            return ["cface", name]
        case OfflinePicture(path, name, size):
            return ["offpic", path, name, size]
        case Mention(number, name):
            return ["at", number, name]
        case Reply(id):
            return ["reply", id]
        case UnknownSegment(raw):
            return raw


def _isUnsigned(number: Any) -> bool:
    return type(number) is int and 0 <= number < LIMIT


def _isFace(element: Any) -> bool:
    match element:
        case ["face", number]:
            return type(number) is int and 0 <= number < LIMIT
    return False


def _decodeReference(element: Any) -> Segment:
    """
    Return the segment of an element that is the same in both directions.
    """
    match element:
        case ["at", number, str(name)] if _isUnsigned(number):
            return Mention(Number(number), name)
        case ["reply", id] if _isUnsigned(id):
            return Reply(id)
    return UnknownSegment(element)


def decodeSegment(element: Any) -> Segment:
    """
    Return the segment of an element in a sent message, L{UnknownSegment} for elements
    of unknown types.
    """
    if _isFace(element):
        return Face(element[1])
    match element:
        case str(text):
            return Text(text)
        case ["cface", "group", str(name)]:
            return GroupPicture(name)
        case ["cface", str(name)]:
            return CustomFace(name)
        case ["offpic", str(path), str(name), size] if _isUnsigned(size):
            return OfflinePicture(path, name, size)
    return _decodeReference(element)


def _encodeReceivedSegment(segment: Segment) -> Any:
    match segment:
        case GroupPicture(name, fileId, key, server):
            value = {"name": name, "file_id": fileId, "key": key, "server": server}
            return ["cface", value]
        case CustomFace(name):
            return ["cface", name, ""]
        case OfflinePicture(path):
            return ["offpic", {"success": 1, "file_path": path}]
    return encodeSegment(segment)


def _decodeReceivedSegment(element: Any) -> Segment:
    match element:
        case ["cface", {"name": str(name), "file_id": fileId, **rest}]:
            key, server = rest.get("key", ""), rest.get("server", "")
            if _isUnsigned(fileId) and isinstance(key, str) and isinstance(server, str):
                return GroupPicture(name, fileId, key, server)
        case ["cface", str(name), *_]:
            return CustomFace(name)
        case ["offpic", {"success": 1, "file_path": str(path)}]:
            return OfflinePicture(path)
    return _decodeReference(element)


def _isFont(element: Any) -> bool:
    return isinstance(element, list) and (not element or element[0] == "font")


def decodeFont(value: Any) -> Font:
    """
    Return the font of an object, WebQQ's own for one of another shape.
    """
    try:
        bold, italic, underline = value["style"]
        return _font(
            value["name"], value["size"], bold, italic, underline, value["color"]
        )
    except SHAPE_ERRORS:
        # A malformed font must not lose the text.
        return PLAIN


def _fontIn(element: Any) -> Font:
    return decodeFont(element[1] if element and len(element) > 1 else None)


def withLineBreaks(text: str) -> str:
    """
    Return a text with all line breaks as C{\\n}.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=256)
def _font(
    name: Any, size: Any, bold: Any, italic: Any, underline: Any, color: Any
) -> Font:
    # Nearly all messages have one of a few fonts, hence the cache.
    font = Font(
        name=textOf(name),
        size=unsigned(size),
        bold=bool(unsigned(bold)),
        italic=bool(unsigned(italic)),
        underline=bool(unsigned(underline)),
        color=textOf(color),
    )
    if len(font.name) > _MAX_NAME or len(font.color) > 16 or font.size > _MAX_SIZE:
        raise ValueError("a font out of range")
    return font


def _style(font: Font) -> list[int]:
    return [int(font.bold), int(font.italic), int(font.underline)]


def sizeOf(content: Content) -> int:
    """
    Return the size of a content, to be compared with L{MAX_TEXT}.
    """
    return sum(
        # A lone surrogate counts like the replacement character.
        len(segment.text.encode("utf-8", "surrogatepass"))
        if isinstance(segment, Text)
        else len(encodeJSON(encodeSegment(segment)))
        for segment in content
    )


def encodeSent(content: Content, font: Font) -> str:
    """
    Return the parameter C{content} of a request: JSON, the font last.
    """
    elements = [encodeSegment(segment) for segment in content]
    if not any(isinstance(element, str) for element in elements):
        # Tencent's server refused messages without any string.
        elements.append("")
    value = {
        "name": font.name,
        "size": str(font.size),
        "style": _style(font),
        "color": font.color,
    }
    return encodeGivenJSON([*elements, ["font", value]])


def decodeSent(text: str) -> tuple[Content, Font]:
    """
    Decode the parameter C{content} of a request. The font may be missing, empty or at
    any place.

    Text that is not JSON is taken as plain text, since some clients do not escape
    quotation marks (compatibility.md 4).

    @raise MalformedReply: for an array that no known client writes.
    """
    try:
        elements = parseJSON(text)
    except MalformedReply:
        if not text.startswith("["):
            return (Text(text),), PLAIN
        plain, font = _decodeUnescaped(text)
        return (Text(plain),), font
    if not isinstance(elements, list):
        return (Text(text),), PLAIN
    segments: list[Segment] = []
    fontElement = None
    for element in elements:
        if type(element) is str:
            if element:
                segments.append(Text(element))
        elif not _isFont(element):
            segments.append(decodeSegment(element))
        elif fontElement is None and element:
            fontElement = element
    return tuple(segments), _fontIn(fontElement)


def _decodeUnescaped(text: str) -> tuple[str, Font]:
    """
    Return the text and the font of C{["text"]}, C{["text",[]]} or
    C{["text",["font",{...}]]} with unescaped quotation marks in the text.
    """
    end = text.rfind('"')
    if text.startswith('["') and end > 1:
        if "".join(text[end + 1 :].split()) in ("]", ",[]]"):
            return text[2:end], PLAIN
        head, _, tail = text.rpartition('["font"')
        head = head.rstrip(", ")
        if head.endswith('"'):
            font = parseJSON('["font"' + tail.rstrip()[:-1])
            return head[2:-1], _fontIn(font)
    raise MalformedReply("content is not JSON")


def signatureOf(content: Content, key: str, sig: str) -> tuple[str, str]:
    """
    Return the C{key} and C{sig} of a message with pictures: those given, else those
    that the upload of the first picture returned.
    """
    if not sig:
        for segment in content:
            if isinstance(segment, GroupPicture) and segment.sig:
                return segment.key, segment.sig
    return key, sig


def encodeReceived(content: Content, font: Font) -> list[Any]:
    """
    Return the array of a received message: the font first, one space at the end.
    """
    value = {
        "size": font.size,
        "color": font.color,
        "style": _style(font),
        "name": font.name,
    }
    elements = [_encodeReceivedSegment(segment) for segment in content]
    if elements and isinstance(elements[-1], str):
        elements[-1] += " "
    else:
        elements.append(" ")
    return [["font", value], *elements]


def decodeReceived(elements: Any) -> tuple[Content, Font]:
    """
    Decode the array of a received message, without the server's padding and with line
    breaks as C{\\n}.

    @raise MalformedReply: when the value is not an array.
    """
    if not isinstance(elements, list):
        raise MalformedReply("content is not an array")
    last = elements[-1] if elements else None
    if type(last) is str and last.endswith((" ", "\r")):
        # One space of padding; the earliest servers padded with CR.
        elements = [*elements[:-1], last[:-1]]
    segments: list[Segment] = []
    font = None
    for element in elements:
        kind = type(element)
        if kind is str:
            if "\r" in element:
                element = withLineBreaks(element)
            if element:
                segments.append(Text(element))
        elif kind is not list:
            segments.append(UnknownSegment(element))
        elif not element:
            pass
        elif element[0] == "font":
            if font is None:
                font = _fontIn(element)
        elif _isFace(element):
            segments.append(Face(element[1]))
        else:
            segments.append(_decodeReceivedSegment(element))
    return tuple(segments), PLAIN if font is None else font
