"""
Splits a content that is too long for one message into several messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from txwebqq.errors import MessageTooLong
from txwebqq.graphemes import graphemes
from txwebqq.model import Content, Segment, Text
from txwebqq.wire.content import sizeOf

TooLong = Literal["split", "refuse"]
"""Treatment of a message that is too long."""

REACH = 160
"""Bytes by which a part may stay shorter so that it ends with a whole word."""

TOO_LONG = 123
"""The server's code for a message that is too long (protocol.md 6)."""


def splitContent(content: Content, limit: int, tooLong: TooLong) -> list[Content]:
    """
    Split a content into messages; a content that is short enough is one
    message.

    Texts are cut between characters, if possible between words. The parts,
    joined, are the content again.

    @param limit: the maximum size of a message, in bytes.

    @raise MessageTooLong: when the content is too long and C{tooLong} is
        C{"refuse"}, or a segment that cannot be split, such as a picture, is
        longer than C{limit}.
    @raise ValueError: when C{tooLong} is an unknown word.
    """
    if tooLong not in ("split", "refuse"):
        raise ValueError(f"tooLong is neither 'split' nor 'refuse': {tooLong!r}")
    size = sizeOf(content)
    if size <= limit:
        return [content]
    if tooLong == "refuse":
        raise MessageTooLong(TOO_LONG, f"{size} bytes, where {limit} are allowed")
    parts: list[Content] = []
    part: list[Segment] = []
    left = limit
    for segment in content:
        for fragment in _fragments(segment, left, limit):
            count = sizeOf((fragment,))
            if count > left and part:
                parts.append(tuple(part))
                part, left = [], limit
            if count > left:
                raise MessageTooLong(
                    TOO_LONG, f"a segment of {count} bytes cannot be split"
                )
            part.append(fragment)
            left -= count
    parts.append(tuple(part))
    return parts


def _fragments(segment: Segment, left: int, limit: int) -> Iterator[Segment]:
    """
    Cut a segment.

    @param left: the maximum size of the first fragment, in bytes.
    @param limit: the maximum size of each other fragment, in bytes.
    """
    if not isinstance(segment, Text) or sizeOf((segment,)) <= left:
        yield segment
        return
    text = segment.text
    while text:
        end = _end(text, left if left > 0 else limit)
        if end == 0 and left == limit:
            # One grapheme of thousands of code points.
            end = _codePoints(text, limit)
        if end:
            yield Text(text[:end])
            text = text[end:]
        left = limit


def _end(text: str, limit: int) -> int:
    """
    Find the index at which to cut a text so that the text before it has at most
    C{limit} bytes.
    """
    # No code point has less than one byte.
    window = text[: limit + 1]
    end = size = word = wordSize = 0
    for character in graphemes(window):
        count = len(character.encode("utf-8", "surrogatepass"))
        if size + count > limit:
            break
        size += count
        end += len(character)
        if character.isspace():
            word, wordSize = end, size
    if end == len(text):
        return end
    return word if word and size - wordSize <= REACH else end


def _codePoints(text: str, limit: int) -> int:
    end = size = 0
    for character in text:
        size += len(character.encode("utf-8", "surrogatepass"))
        if size > limit:
            break
        end += 1
    return end
