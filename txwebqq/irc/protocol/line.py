"""
IRC messages as lines: parsing, serialising, and division of a byte stream into
lines.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from txwebqq.values import Value

MAX_LINE = 512
"""Maximum length of a line without its tags but with CR LF, in bytes."""

MAX_TAGS = 8191
"""Maximum length of the tags with the C{@} and the space after them, in bytes."""

_NO_TAGS: Mapping[str, str] = MappingProxyType({})
_ESCAPES = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}
_ESCAPED = str.maketrans(
    {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
)
_TAG = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}")
# A line of another command is answered, with its label, so it must be parsed.
_ANY_COMMAND = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|[0-9]{3}", re.ASCII)
# Commands that are upper case and valid: looking them up is the fast path.
_COMMON = frozenset(
    {"JOIN", "MODE", "NICK", "NOTICE", "PART", "PING", "PONG", "PRIVMSG", "QUIT"}
    | {f"{number:03}" for number in range(1000)}
)
_TEXT_POSITIONS: Mapping[str, int] = MappingProxyType(
    {
        "AWAY": 0,
        "CAP": 2,
        "ERROR": 0,
        "FAIL": 2,
        "JOIN": 2,
        "KICK": 2,
        "NICK": 0,
        "NOTE": 2,
        "NOTICE": 1,
        "PART": 1,
        "PING": 0,
        "PONG": 0,
        "PRIVMSG": 1,
        "QUIT": 0,
        "REDACT": 2,
        "TOPIC": 1,
        "WARN": 2,
    }
)
"""The least position at which the last parameter of a command is a text."""

_WITHOUT_TEXT = frozenset({"004", "221", "324", "329", "333", "341"})
"""The numerics whose last parameter is no text."""

_UTF8 = getincrementaldecoder("utf-8")
_GB18030 = getincrementaldecoder("gb18030")
_FORBIDDEN = re.compile("[\0\r\n]")
_UNFIT = re.compile("[\0\r\n ]")


class MalformedLine(ValueError):
    """
    A line that cannot be parsed or serialised. The text names the error without
    quoting the line.
    """


class Line(Value, gc=False):
    """
    One IRC message.

    @ivar command: in upper case.
    @ivar source: the sender as C{nick!user@host}, without the colon.
    @ivar tags: unescaped values by key; C{""} for a tag without a value.
    """

    command: str
    params: tuple[str, ...] = ()
    source: str = ""
    tags: Mapping[str, str] = _NO_TAGS

    @property
    def nick(self) -> str:
        """
        The nick, or the server name, of C{source}.
        """
        return self.source.partition("!")[0].partition("@")[0]


def encodingOf(raw: bytes, before: str = "utf-8") -> str:
    """
    Return the encoding of a line that is not ASCII: C{utf-8} or C{gb18030}.

    @param before: the encoding of the peer until now, which holds when the line
        is no clear evidence of the other one.
    """
    return _decoded(raw, before)[1]


def _decoded(raw: bytes, before: str) -> tuple[str, str]:
    """
    Decode a line. The incomplete character at the end of a line that a server
    has cut is dropped.

    @return: the text and its encoding.
    """
    text = _UTF8("replace").decode(raw)
    broken = text.count("\ufffd")
    # Characters of three bytes and more: GB18030 hardly ever looks like these.
    certain = sum(character > "\u07ff" for character in text) - broken
    if certain > broken or (not broken and before == "utf-8"):
        return text, "utf-8"
    other = _GB18030("replace").decode(raw)
    if before == "utf-8" and other.count("\ufffd") >= broken:
        return text, "utf-8"
    return other, "gb18030"


def parse(raw: bytes, encoding: str = "utf-8") -> Line:
    """
    Parse a line without its CR LF.

    @param encoding: as L{encodingOf} has it before the line.

    @raise MalformedLine: when there is no command, or a NUL, CR or LF.
    """
    # Faster than one regular expression, and than a search in the text. None of
    # these bytes is part of another character.
    if 0 in raw or 13 in raw or 10 in raw:
        raise MalformedLine("NUL, CR or LF in a line")
    try:
        # Nearly all lines.
        if encoding == "utf-8" or raw.isascii():
            text = raw.decode()
        else:
            text = _decoded(raw, encoding)[0]
    except UnicodeDecodeError:
        text = _decoded(raw, encoding)[0]
    head, colon, trailing = text.partition(" :")
    params = head.split(" ")
    source = ""
    try:
        if text[0] == ":":
            source = params.pop(0)[1:]
        command = params.pop(0)
    except IndexError:
        return _parseUncommon(text)
    if command not in _COMMON or "" in params:
        return _parseUncommon(text)
    if colon:
        params.append(trailing)
    return Line(command, tuple(params), source)


def _parseUncommon(text: str) -> Line:
    """
    Parse a line that may have tags, several spaces between its words, or any
    command. L{parse} needs three quarters of this time for other lines.
    """
    source, tags = "", _NO_TAGS
    if text[:1] == "@":
        tagsText, _, text = text[1:].partition(" ")
        tags = _parseTags(tagsText)
        text = text.lstrip(" ")
    head, colon, trailing = text.partition(" :")
    words = [word for word in head.split(" ") if word]
    if text[:1] == ":":
        source = words.pop(0)[1:]
    command = _upper(words.pop(0) if words else "")
    if colon:
        words.append(trailing)
    return Line(command, tuple(words), source, tags)


@lru_cache(maxsize=256)
def _upper(command: str) -> str:
    if _ANY_COMMAND.fullmatch(command) is None:
        raise MalformedLine("a line without a command")
    return command.upper()


def _parseTags(text: str) -> Mapping[str, str]:
    tags = {}
    for entry in text.split(";"):
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
    Encode a line, with CR LF; a last parameter that is a text has a colon. A
    character that the encoding does not have becomes C{?}.

    @raise MalformedLine: when the result would be parsed as another line, or as
        several lines.
    """
    tags = _tagsText(line.tags) if line.tags else ""
    body = _text(line)
    return tags.encode() + body.encode(encoding, "replace") + b"\r\n"


def encodedLength(line: Line, encoding: str = "utf-8") -> int:
    """
    Return the length of a line as L{serialise} encodes it, without its tags but
    with CR LF, in bytes.
    """
    return len(_text(line).encode(encoding, "replace")) + 2


def isMiddleParam(text: str) -> bool:
    """
    Return whether a text can be a parameter other than the last.
    """
    return bool(text) and not text.startswith(":") and _UNFIT.search(text) is None


def _text(line: Line) -> str:
    if _COMMAND.fullmatch(line.command) is None:
        raise MalformedLine("a command that is neither letters nor three digits")
    words = [f":{line.source}"] if line.source else []
    words.append(line.command)
    *middle, last = line.params or ("",)
    if not all(isMiddleParam(word) for word in middle):
        raise MalformedLine("a parameter that only the last one can be")
    if " " in line.source:
        raise MalformedLine("a source with a space in it")
    words += middle
    if line.params:
        plain = last and " " not in last and not last.startswith(":")
        # Many clients read a text only after a colon, which Chinese, having no
        # spaces, would not need.
        isText = len(middle) >= _textPosition(line.command)
        words.append(last if plain and not isText else f":{last}")
    text = " ".join(words)
    if _FORBIDDEN.search(text) is not None:
        raise MalformedLine("NUL, CR or LF in a line")
    return text


@lru_cache(maxsize=256)
def _textPosition(command: str) -> int:
    if command.isdigit() and command not in _WITHOUT_TEXT:
        return 1
    # No line has this many parameters.
    return _TEXT_POSITIONS.get(command, MAX_LINE)


def _tagsText(tags: Mapping[str, str]) -> str:
    entries = []
    for key, value in tags.items():
        if _TAG.fullmatch(key) is None:
            raise MalformedLine("a tag with an invalid key")
        if "\0" in value:
            raise MalformedLine("NUL in a tag")
        entries.append(f"{key}={value.translate(_ESCAPED)}" if value else key)
    return f"@{';'.join(entries)} "


class Overlong:
    """
    The type of L{OVERLONG}.
    """


OVERLONG = Overlong()
"""Stands for a line that was too long."""


class LineBuffer:
    """
    Divides a byte stream into lines; buffers at most one line.

    @param limit: maximum length of a line without its tags, in bytes.
    @param tagLimit: maximum length of the tags, in bytes.
    """

    def __init__(self, limit: int = MAX_LINE, tagLimit: int = MAX_TAGS) -> None:
        self._limit = limit
        self._tagLimit = tagLimit
        self._rest = b""
        self._isSkipping = False

    def feed(self, data: bytes) -> list[bytes | Overlong]:
        """
        Add received bytes.

        @return: the lines that are complete now, without CR LF; empty lines are
            left out, L{OVERLONG} stands for a line over the limits.
        """
        *ended, rest = (self._rest + data).split(b"\n")
        lines: list[bytes | Overlong] = []
        for part in ended:
            if self._isSkipping:
                self._isSkipping = False
                lines.append(OVERLONG)
                continue
            line = part.removesuffix(b"\r")
            if self._isLong(line, 2):
                lines.append(OVERLONG)
            elif line:
                lines.append(line)
        if self._isSkipping or self._isLong(rest, 1):
            self._isSkipping = True
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
