"""
Splitting of text into lines, and of lines into parts that fit an IRC line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from txwebqq.graphemes import graphemes

CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
"""Control characters but tab and line feed."""

_CONTROL_BUT_FORMATTING = re.compile(
    "[\x00\x01\x05-\x08\x0b-\x0e\x10\x12-\x15\x17-\x1c\x7f]"
)

_LINK = re.compile("https?://[!-~]+")


def splitLines(
    text: str, isFormatted: bool = False, keepsBlank: bool = False
) -> list[str]:
    """
    Split a text at its line ends, and remove control characters and blank
    lines.

    @param isFormatted: whether formatting codes are kept.
    @param keepsBlank: whether blank lines between others are kept, as C{""}.
    """
    unfit = _CONTROL_BUT_FORMATTING if isFormatted else CONTROL_CHARACTERS
    found = re.split("\r\n|\r|\n", text)
    lines = [unfit.sub("", part) for part in found]
    if not keepsBlank:
        return [line for line in lines if line.strip()]
    kept = [line if line.strip() else "" for line in lines]
    while kept and not kept[-1]:
        kept.pop()
    while kept and not kept[0]:
        kept.pop(0)
    return kept


def splitText(text: str, limit: int, encoding: str = "utf-8") -> list[str]:
    """
    Split a line into parts of at most C{limit} bytes, as L{splitAt} does.
    """
    parts = []
    while True:
        part, text = splitAt(text, limit, encoding)
        parts.append(part)
        if not text:
            return parts


def joinWords(
    words: Iterable[str], limit: int, encoding: str = "utf-8", separator: str = " "
) -> Iterator[str]:
    """
    Join words to texts of at most C{limit} bytes; a longer word is a text of
    its own. Names need no search for the place to cut, which for the members of
    large groups took seconds.
    """
    joined: list[str] = []
    size = -len(separator)
    for word in words:
        length = len(separator) + len(word.encode(encoding, "replace"))
        if joined and size + length > limit:
            yield separator.join(joined)
            joined, size = [], -len(separator)
        joined.append(word)
        size += length
    if joined:
        yield separator.join(joined)


def splitAt(text: str, limit: int, encoding: str = "utf-8") -> tuple[str, str]:
    """
    Split a line after at most C{limit} bytes: after a word when one ends in the
    second half, else between graphemes. Spaces before the cut are removed.

    @return: the first part and the rest.
    """
    if len(text.encode(encoding, "replace")) <= limit:
        return text, ""
    end = _fitting(text, limit, encoding)
    gap = text.rfind(" ", 0, end + 1)
    # A cut further back would make the line needlessly short.
    cut = gap + 1 if gap > end // 2 else end
    cut = _beforeLink(text, cut, limit)
    part, rest = text[:cut].rstrip(" "), text[cut:]
    # Spaces alone are no part, since a line without a text is an error.
    return (part, rest) if part else splitAt(rest.lstrip(" "), limit, encoding)


def splitLossless(text: str, limit: int, encoding: str = "utf-8") -> Iterator[str]:
    """
    Split a line as L{splitText} does, but keep the spaces at the cuts.
    """
    while len(text.encode(encoding, "replace")) > limit:
        end = _fitting(text, limit, encoding)
        gap = text.rfind(" ", 0, end)
        cut = _beforeLink(text, gap + 1 if gap > end // 2 else end, limit)
        yield text[:cut]
        text = text[cut:]
    yield text


def _beforeLink(text: str, cut: int, limit: int) -> int:
    """
    Move a cut to the beginning of the link that it would divide, if the link fits
    on a line of its own.
    """
    # Only a link that begins within C{limit} characters can fit.
    for link in _LINK.finditer(text, max(0, cut - limit), cut + limit):
        if link.start() >= cut:
            break
        if 0 < link.start() < cut < link.end() and len(link[0]) <= limit:
            return link.start()
    return cut


def _fitting(text: str, limit: int, encoding: str) -> int:
    size = end = 0
    for part in _unbreakable(text, limit, encoding):
        size += len(part.encode(encoding, "replace"))
        if size > limit:
            break
        end += len(part)
    return max(end, 1)


def _unbreakable(text: str, limit: int, encoding: str) -> Iterator[str]:
    for grapheme in graphemes(text):
        # A grapheme of many code points (a family emoji) may be longer than a line.
        if len(grapheme.encode(encoding, "replace")) > limit:
            yield from grapheme
        else:
            yield grapheme
