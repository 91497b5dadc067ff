"""
Limits on the contents and fonts that clients send.
"""

from __future__ import annotations

import json
from typing import Any

from txwebqq.errors import MalformedReply
from txwebqq.model import Content, Font, Segment, Text, UnknownSegment
from txwebqq.wire.jsontext import replaceSurrogates

_MAX_NESTING = 16
_MAX_FONT_NAME = 64
_MIN_FONT_SIZE = 8
_MAX_FONT_SIZE = 255
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def sanitizeContent(content: Content) -> Content:
    """
    Return a content that can be sent to every recipient.

    @raise MalformedReply: when it cannot be written as JSON, or is nested too
        deeply.
    """
    return tuple(map(_sanitizeSegment, content))


def sanitizeFont(font: Font) -> Font:
    """
    Return a font whose name, size and colour are within limits.
    """
    color = font.color
    if len(color) != 6 or not _HEX_DIGITS.issuperset(color):
        color = "000000"
    return Font(
        name=font.name[:_MAX_FONT_NAME],
        size=min(max(font.size, _MIN_FONT_SIZE), _MAX_FONT_SIZE),
        bold=font.bold,
        italic=font.italic,
        underline=font.underline,
        color=color,
    )


def _sanitizeSegment(segment: Segment) -> Segment:
    match segment:
        case Text(text) if not text.isascii():
            return Text(replaceSurrogates(text))
        case UnknownSegment(raw):
            if _depth(raw) > _MAX_NESTING:
                raise MalformedReply("content is nested too deeply")
            try:
                json.dumps(raw, allow_nan=False)
            except ValueError as e:
                raise MalformedReply("content holds what is not JSON") from e
    return segment


def _depth(value: Any) -> int:
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, depth = todo.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict):
            item = list(item.values())
        if isinstance(item, list):
            todo.extend((inner, depth + 1) for inner in item)
    return deepest
