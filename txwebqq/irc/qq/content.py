"""
Conversion between the content of QQ messages and the text of IRC messages.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.faces import nameOf, withFaces
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.splitting import CONTROL_CHARACTERS
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    GroupPicture,
    Mention,
    OfflinePicture,
    Reply,
    Text,
)
from txwebqq.wire.jsontext import replaceSurrogates

ACTION_PREFIX = "/me "
"""Start of the QQ message that stands for an IRC action."""

PICTURE = "[图片]"
"""Text for a picture that has no link."""


FILE = "[文件]"
"""Text before the name of a file."""

MAX_FILE_NAME = 200
"""Maximum length of the name of a file in a message, in characters."""

_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def contentToText(content: Content, links: Iterable[str] = ()) -> str:
    """
    Convert a content to text: a face becomes its name in brackets, a picture
    becomes its link, or L{PICTURE} without one, a mention C{@name}. A link has spaces
    around it: clients take what adjoins a link for a part of it.

    @param links: one for each picture in order; C{""} for a picture without.
    """
    parts: list[str] = []
    given = iter(links)
    followsLink = False
    for segment in content:
        link = ""
        match segment:
            case Text() | Mention():
                part = segment.text
            case Reply():
                part = ""
            case Face(number):
                part = f"[{nameOf(number)}]"
            case GroupPicture() | CustomFace() | OfflinePicture():
                link = next(given, "")
                part = link or PICTURE
            case _:
                part = "[?]"
        if not part:
            continue
        touches = parts and not (parts[-1][-1].isspace() or part[0].isspace())
        if touches and (link or followsLink):
            parts.append(" ")
        parts.append(part)
        followsLink = link != ""
    return "".join(parts).rstrip()


def fileToText(name: str, size: int) -> str:
    """
    Describe a file that was sent or shared.

    @param name: the name, which its sender has chosen.
    @param size: in bytes.
    """
    plain = CONTROL_CHARACTERS.sub(" ", stripFormatting(replaceSurrogates(name)))
    words = " ".join(plain.split())
    return f"{FILE} {words[:MAX_FILE_NAME]} ({sizeText(size)})"


def sizeText(size: int) -> str:
    """
    Return the size of a file for people.
    """
    for length, unit in _SIZES:
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return "1 byte" if size == 1 else f"{size} bytes"


def textToContent(text: str) -> Content:
    """
    Convert the text of an IRC message to a content: C{[微笑]} becomes a face;
    formatting codes and control characters are removed.
    """
    return withFaces(CONTROL_CHARACTERS.sub("", stripFormatting(text)))


def parseQQAction(text: str) -> str | None:
    """
    Return the text after C{/me}, C{None} for a text that does not begin with it.
    """
    return text.removeprefix(ACTION_PREFIX) if text.startswith(ACTION_PREFIX) else None
