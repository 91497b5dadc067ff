"""
A content that is too long for one message, as several that are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from txwebqq.errors import MessageTooLong
from txwebqq.graphemes import graphemes
from txwebqq.model import Content, Segment, Text
from txwebqq.wire.content import sizeOf

TooLong = Literal["split", "refuse"]
"""What becomes of a message that is too long."""

REACH = 160
"""The bytes that a piece may stay shorter for the sake of a whole word."""

TOO_LONG = 123
"""The server's word for it."""


def splitContent(content: Content, limit: int, tooLong: TooLong) -> list[Content]:
    """
    The messages that a content makes: one, if it is not too long.

    Texts are cut between characters, if possible between words; put together,
    the pieces are the content again.

    @param limit: the bytes that a message may count for.

    @raise MessageTooLong: when it must not be cut, or cannot be: a picture is
        in one piece.
    @raise ValueError: when C{tooLong} is no known word.
    """
    if tooLong not in ("split", "refuse"):
        raise ValueError(f"tooLong is neither 'split' nor 'refuse': {tooLong!r}")
    size = sizeOf(content)
    if size <= limit:
        return [content]
    if tooLong == "refuse":
        raise MessageTooLong(TOO_LONG, f"{size} bytes, where {limit} are allowed")
    pieces: list[Content] = []
    piece: list[Segment] = []
    left = limit
    for segment in content:
        for part in _parts(segment, left, limit):
            count = sizeOf((part,))
            if count > left and piece:
                pieces.append(tuple(piece))
                piece, left = [], limit
            if count > left:
                raise MessageTooLong(TOO_LONG, "something in it is too long alone")
            piece.append(part)
            left -= count
    pieces.append(tuple(piece))
    return pieces


def _parts(segment: Segment, left: int, limit: int) -> Iterator[Segment]:
    """
    A segment, cut so that its first part fits into what is left, and each of
    the others into a message.
    """
    if not isinstance(segment, Text) or sizeOf((segment,)) <= left:
        yield segment
        return
    text = segment.text
    while text:
        end = _end(text, left if left > 0 else limit)
        if end == 0 and left == limit:
            # One character of thousands of code points.
            end = _codePoints(text, limit)
        if end:
            yield Text(text[:end])
            text = text[end:]
        left = limit


def _end(text: str, limit: int) -> int:
    """
    Where to cut a text so that what is before has no more bytes than that.
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
