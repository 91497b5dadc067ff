"""
Rich message content: text, faces and a font, sent and received
(protocol.md 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    Font,
    GroupPicture,
    OfflinePicture,
    Segment,
    Text,
    UnknownSegment,
)
from txwebqq.wire.command import encodeJSON, guarded

MAX_TEXT = 15_000
"""The bytes of text that one message may hold (protocol.md 4.9)."""

# Some clients put bare line breaks and tabs into the inner JSON.
_lenient = json.JSONDecoder(strict=False)


def encodeSegment(segment: Segment) -> Any:
    """
    The element that stands for a segment in what is sent.
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
        case UnknownSegment(raw):
            return raw


def decodeSegment(element: Any) -> Segment:
    """
    The segment that a sent element stands for; what is unknown is kept.
    """
    match element:
        case str(text):
            return Text(text)
        case ["face", int(number)] if not isinstance(number, bool):
            return Face(number)
        case ["cface", "group", str(name)]:
            return GroupPicture(name)
        case ["cface", str(name)]:
            return CustomFace(name)
        case ["offpic", str(path), str(name), int(size)]:
            return OfflinePicture(path, name, size)
    return UnknownSegment(element)


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
        case str(text):
            return Text(_lines(text))
        case ["face", int(number)] if not isinstance(number, bool):
            return Face(number)
        case ["cface", {"name": str(name), "file_id": int(fileId), **rest}]:
            key, server = rest.get("key", ""), rest.get("server", "")
            return GroupPicture(name, fileId, str(key), str(server))
        case ["cface", str(name), *_]:
            return CustomFace(name)
        case ["offpic", {"success": 1, "file_path": str(path)}]:
            return OfflinePicture(path)
    return UnknownSegment(element)


def _isFont(element: Any) -> bool:
    return isinstance(element, list) and (not element or element[0] == "font")


def _decodeFont(element: Any) -> Font:
    value = element[1]
    bold, italic, underline = (bool(flag) for flag in value["style"])
    return Font(
        name=str(value["name"]),
        size=int(value["size"]),
        bold=bold,
        italic=italic,
        underline=underline,
        color=str(value["color"]),
    )


def _fontIn(elements: Iterable[Any]) -> Font:
    for element in elements:
        if _isFont(element) and element:
            try:
                return guarded(_decodeFont, element)
            except MalformedReply:
                # A broken font is no reason to lose the words.
                return Font()
    return Font()


def _style(font: Font) -> list[int]:
    return [int(font.bold), int(font.italic), int(font.underline)]


# ---- sending


def encodeSent(content: Content, font: Font) -> str:
    """
    The text that C{content} holds in a send: JSON, the font last.
    """
    elements = [encodeSegment(segment) for segment in content]
    if not any(isinstance(element, str) for element in elements):
        # Messages without any string were refused.
        elements.append("")
    value = {
        "name": font.name,
        "size": str(font.size),
        "style": _style(font),
        "color": font.color,
    }
    return encodeJSON([*elements, ["font", value]])


def decodeSent(text: str) -> tuple[Content, Font]:
    """
    What a client meant to send; a font may be missing, empty or anywhere.

    What is not JSON, since some clients do not escape quotes, is taken as
    the plain text that it was meant to be (compatibility.md 4).
    """
    try:
        elements = _lenient.decode(text)
    except (ValueError, RecursionError):
        return (Text(_unescaped(text)),), Font()
    if not isinstance(elements, list):
        return (Text(text),), Font()
    segments = tuple(
        decodeSegment(element)
        for element in elements
        if element != "" and not _isFont(element)
    )
    return segments, _fontIn(elements)


def _unescaped(text: str) -> str:
    start = 2 if text.startswith('["') else 0
    for mark in ('",["font"', '",[]', '"]'):
        end = text.rfind(mark)
        if end >= start:
            return text[start:end]
    return text[start:]


# ---- receiving


def encodeReceived(content: Content, font: Font) -> list[Any]:
    """
    The array of a received message: the font first, one space at the end.
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
    The content of a received array, without the server's padding, line
    breaks as C{\\n}.

    @raise MalformedReply: when it is not an array.
    """
    if not isinstance(elements, list):
        raise MalformedReply("content is not an array")
    parts = [element for element in elements if not _isFont(element)]
    if parts and isinstance(parts[-1], str):
        parts[-1] = _unpadded(parts[-1])
    segments = tuple(_decodeReceivedSegment(part) for part in parts if part != "")
    return segments, _fontIn(elements)


def _unpadded(text: str) -> str:
    # One space of padding; the earliest servers ended in CR instead.
    return text[:-1] if text.endswith((" ", "\r")) else text


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
