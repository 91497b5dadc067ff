"""
IRC's lines: bytes to values and back, and a stream cut into them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

MAX_LINE = 512
"""The bytes of a line without its tags, with its CR LF."""

MAX_TAGS = 8191
"""The bytes of the tags, with the C{@} and the space after them."""

_NO_TAGS: Mapping[str, str] = MappingProxyType({})
_ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_ESCAPED = str.maketrans(
    {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
)
_TAG = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}")
_COMMON = frozenset({"JOIN", "MODE", "NICK", "NOTICE", "PART", "PING", "PRIVMSG"})
"""Commands that need no look at their letters."""
_FORBIDDEN = re.compile("[\0\r\n]")
_UNFIT = re.compile("[\0\r\n ]")


class MalformedLine(ValueError):
    """
    That is no line, or cannot be one. It says what was wrong, and not what
    was said.
    """


class Line(NamedTuple):
    """
    One IRC message. A tuple, because nothing is made faster.

    @ivar command: in upper case.
    @ivar source: who says it, as C{nick!user@host}, without the colon.
    @ivar tags: without their escapes, C{""} for those that have no value.
    """

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: Mapping[str, str] = _NO_TAGS

    @property
    def nick(self) -> str:
        """
        The first part of C{source}.
        """
        return self.source.partition("!")[0].partition("@")[0]


# What the class itself does, without a call of its own.
_line = tuple.__new__


def encodingOf(raw: bytes) -> str:
    """
    What a line is written in: clients that know no UTF-8 write GB18030.
    """
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def parse(raw: bytes) -> Line:
    """
    The line that some bytes are; without CR LF.

    @raise MalformedLine: when they are none.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("gb18030", "replace")
    # Three searches of this kind are faster than one for a pattern.
    if "\0" in text or "\r" in text or "\n" in text:
        raise MalformedLine("a line with NUL, CR or LF in it")
    source, tags = "", _NO_TAGS
    if text[:1] == "@":
        said, _, text = text[1:].partition(" ")
        tags = _parseTags(said)
        text = text.lstrip(" ")
    head, colon, trailing = text.partition(" :")
    words = head.split(" ")
    if "" in words:
        words = [word for word in words if word]
    if text[:1] == ":":
        source = words.pop(0)[1:]
    command = words.pop(0) if words else ""
    if command not in _COMMON:
        command = _named(command)
    if colon:
        words.append(trailing)
    return _line(Line, (command, tuple(words), source, tags))


@lru_cache(maxsize=256)
def _named(command: str) -> str:
    if _COMMAND.fullmatch(command) is None:
        raise MalformedLine("a line without a command")
    return command.upper()


def _parseTags(said: str) -> Mapping[str, str]:
    tags = {}
    for entry in said.split(";"):
        key, _, value = entry.partition("=")
        if key:
            tags[key] = _unescaped(value) if "\\" in value else value
    return tags


def _unescaped(value: str) -> str:
    parts = []
    rest = iter(value)
    for character in rest:
        if character == "\\":
            after = next(rest, "")
            parts.append(_ESCAPES.get(after, after))
        else:
            parts.append(character)
    return "".join(parts)


def serialise(line: Line, encoding: str = "utf-8") -> bytes:
    """
    The bytes of a line, with CR LF; what the encoding has not is C{?}.

    @raise MalformedLine: for what would be another line, or several.
    """
    tags = _tagsText(line.tags) if line.tags else ""
    body = _text(line)
    return tags.encode() + body.encode(encoding, "replace") + b"\r\n"


def encodedLength(line: Line, encoding: str = "utf-8") -> int:
    """
    The bytes of a line as L{serialise} writes it, without its tags: what may
    be L{MAX_LINE} at most.
    """
    return len(_text(line).encode(encoding, "replace")) + 2


def isMiddleParam(text: str) -> bool:
    """
    Whether that can be a parameter before the last.
    """
    return bool(text) and not text.startswith(":") and _UNFIT.search(text) is None


def _text(line: Line) -> str:
    if _COMMAND.fullmatch(line.command) is None:
        raise MalformedLine("a command of other than letters or three digits")
    words = [f":{line.source}"] if line.source else []
    words.append(line.command)
    *middle, last = line.params or ("",)
    if not all(isMiddleParam(word) for word in middle):
        raise MalformedLine("a parameter that only the last can be")
    if " " in line.source:
        raise MalformedLine("a source with a space in it")
    words += middle
    if line.params:
        plain = last and " " not in last and not last.startswith(":")
        words.append(last if plain else f":{last}")
    text = " ".join(words)
    if _FORBIDDEN.search(text) is not None:
        raise MalformedLine("NUL, CR or LF in a line")
    return text


def _tagsText(tags: Mapping[str, str]) -> str:
    entries = []
    for key, value in tags.items():
        if _TAG.fullmatch(key) is None:
            raise MalformedLine("a tag whose name is none")
        if "\0" in value:
            raise MalformedLine("NUL in a tag")
        entries.append(f"{key}={value.translate(_ESCAPED)}" if value else key)
    return f"@{';'.join(entries)} "


class Overlong:
    """
    Stands where a line was too long to be kept.
    """


OVERLONG = Overlong()


class LineBuffer:
    """
    Cuts a stream into lines, and keeps no more of it than one line has.

    @param limit: the bytes that a line may have without its tags.
    @param tagLimit: and that its tags may have.
    """

    def __init__(self, limit: int = MAX_LINE, tagLimit: int = MAX_TAGS) -> None:
        self._limit = limit
        self._tagLimit = tagLimit
        self._rest = b""
        self._swallowing = False

    def feed(self, data: bytes) -> list[bytes | Overlong]:
        """
        The lines that end in some more bytes, empty ones left out.
        """
        *ended, rest = (self._rest + data).split(b"\n")
        lines: list[bytes | Overlong] = []
        for part in ended:
            if self._swallowing:
                self._swallowing = False
                lines.append(OVERLONG)
                continue
            line = part.removesuffix(b"\r")
            if self._isLong(line, 2):
                lines.append(OVERLONG)
            elif line:
                lines.append(line)
        if self._swallowing or self._isLong(rest, 1):
            self._swallowing = True
            rest = b""
        self._rest = rest
        return lines

    def _isLong(self, line: bytes, ending: int) -> bool:
        tags = 0
        if line.startswith(b"@"):
            space = line.find(b" ")
            if space < 0:
                return len(line) > self._tagLimit
            tags = space + 1
        return tags > self._tagLimit or len(line) - tags + ending > self._limit
