"""
Contents of messages: fonts and the segments that a text is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Font:
    """
    How a text looks; the default is WebQQ's own (protocol.md 4.3).

    @ivar size: in points.
    @ivar color: six hexadecimal digits, no C{#}.
    """

    name: str = "宋体"
    size: int = 10
    bold: bool = False
    italic: bool = False
    underline: bool = False
    color: str = "000000"


@dataclass(frozen=True, slots=True)
class Text:
    """
    A run of plain text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Face:
    """
    An emoticon, by its wire id (protocol.md, appendix A).
    """

    id: int


@dataclass(frozen=True, slots=True)
class GroupPicture:
    """
    A picture in a group or a discussion (protocol.md 4.5).

    @ivar name: the name that the upload was given, or the server's own in what
        is received.
    @ivar fileId: received only, like C{server}: what fetches it.
    @ivar sig: sent only: with C{key}, what lets us send it.
    """

    name: str
    fileId: int = 0
    key: str = ""
    server: str = ""
    sig: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CustomFace:
    """
    A picture from somebody's own collection, to or from a friend.

    @ivar name: a file name, its content's MD5.
    """

    name: str


@dataclass(frozen=True, slots=True)
class OfflinePicture:
    """
    A photo to or from a friend.

    @ivar path: the server's name for it.
    @ivar name: the file's name; sent only, like C{size}.
    """

    path: str
    name: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class UnknownSegment:
    """
    A piece of content that we have no type for, as JSON gave it.
    """

    raw: Any


Segment = Text | Face | GroupPicture | CustomFace | OfflinePicture | UnknownSegment
Content = tuple[Segment, ...]


def plainText(content: Content) -> str:
    """
    The text of a content, its other segments left out.
    """
    return "".join(s.text for s in content if isinstance(s, Text))


class HasContent:
    """
    Base of all messages, received or from the history.
    """

    __slots__ = ()

    content: Content

    @property
    def text(self) -> str:
        """
        The plain text of the message: its text segments, joined.
        """
        return plainText(self.content)
