"""
What is said, between QQ's contents and IRC's lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from txwebqq.faces import nameOf, withFaces
from txwebqq.graphemes import graphemes
from txwebqq.model import Content, CustomFace, Face, GroupPicture, OfflinePicture, Text

ME = "/me "
"""What begins a message that tells what its sender does."""

PICTURE = "[图片]"
"""Stands where a picture is."""

_FORMATTING = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
    "|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_SILENT = re.compile("[\x00\x01\x05-\x08\x0b-\x0e\x10\x12-\x15\x17-\x1c\x7f]")
"""The same, but for what formats."""

_ACTION = re.compile("\x01ACTION ?(.*?)\x01?", re.DOTALL)


def contentToText(content: Content, links: Iterable[str] = ()) -> str:
    """
    A content as text: faces by their names, and a link or a word for each
    picture.

    @param links: for the pictures, in their order, C{""} for one without.
    """
    parts = []
    given = iter(links)
    for segment in content:
        match segment:
            case Text(text):
                parts.append(text)
            case Face(number):
                parts.append(f"[{nameOf(number)}]")
            case GroupPicture() | CustomFace() | OfflinePicture():
                parts.append(next(given, "") or PICTURE)
            case _:
                parts.append("[?]")
    return "".join(parts).rstrip()


def textToContent(text: str) -> Content:
    """
    What somebody means who types this on IRC: C{[微笑]} is a face, and
    formatting is left out.
    """
    return withFaces(_CONTROL.sub("", stripFormatting(text)))


def stripFormatting(text: str) -> str:
    """
    A text without colours and the like.
    """
    return _FORMATTING.sub("", text)


def lines(text: str, isFormatted: bool = False) -> list[str]:
    """
    The lines of a text, without what IRC cannot carry, and without those that
    have nothing in them.

    @param isFormatted: whether formatting stays.
    """
    unfit = _SILENT if isFormatted else _CONTROL
    found = re.split("\r\n|\r|\n", text)
    return [line for line in (unfit.sub("", part) for part in found) if line.strip()]


def parseAction(text: str) -> str | None:
    """
    What C{/me} says, L{None} for anything else.
    """
    found = _ACTION.fullmatch(text)
    return None if found is None else found[1]


def parseQQAction(text: str) -> str | None:
    """
    What QQ users write for C{/me}, L{None} for anything else.
    """
    return text.removeprefix(ME) if text.startswith(ME) else None


def splitText(text: str, room: int, encoding: str = "utf-8") -> list[str]:
    """
    Pieces of a line that have so many bytes at most, as L{splitAt} makes them.
    """
    pieces = []
    while True:
        piece, text = splitAt(text, room, encoding)
        pieces.append(piece)
        if not text:
            return pieces


def splitAt(text: str, room: int, encoding: str = "utf-8") -> tuple[str, str]:
    """
    As much of a line as so many bytes hold, and the rest: cut after a word
    where there is one, else between characters as people see them.
    """
    if len(text.encode(encoding, "replace")) <= room:
        return text, ""
    end = _fitting(text, room, encoding)
    gap = text.rfind(" ", 0, end + 1)
    # A gap far back would make the line short for nothing.
    where = gap + 1 if gap > end // 2 else end
    return text[:where].rstrip(" "), text[where:]


def splitLossless(text: str, room: int, encoding: str = "utf-8") -> Iterator[str]:
    """
    As L{splitText}, but with nothing left out between two pieces.
    """
    while len(text.encode(encoding, "replace")) > room:
        end = _fitting(text, room, encoding)
        gap = text.rfind(" ", 0, end)
        cut = gap + 1 if gap > end // 2 else end
        yield text[:cut]
        text = text[cut:]
    yield text


def _fitting(text: str, room: int, encoding: str) -> int:
    size = end = 0
    for piece in _small(text, room, encoding):
        size += len(piece.encode(encoding, "replace"))
        if size > room:
            break
        end += len(piece)
    return max(end, 1)


def _small(text: str, room: int, encoding: str) -> Iterator[str]:
    for character in graphemes(text):
        # Whole families and flags may be longer than a line.
        if len(character.encode(encoding, "replace")) > room:
            yield from character
        else:
            yield character
