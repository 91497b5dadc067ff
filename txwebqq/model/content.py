"""
Content of messages: a font and segments of text and pictures.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model.contacts import Number
from txwebqq.values import Secret, Value


class Font(Value, gc=False):
    """
    The font of a message; the default is WebQQ's own (protocol.md 4.3).

    @ivar size: in points.
    @ivar color: six hexadecimal digits, no C{#}.
    """

    name: str = "宋体"
    size: int = 10
    bold: bool = False
    italic: bool = False
    underline: bool = False
    color: str = "000000"


class Text(Value, gc=False):
    """
    A run of plain text.
    """

    text: str


class Face(Value, gc=False):
    """
    An emoticon, by its id on the wire (protocol.md, appendix A).
    """

    id: int


class GroupPicture(Value):
    """
    A picture in a group or a discussion (protocol.md 4.5).

    @ivar name: the name that the upload returned; in a received message, the
        server's own name for the picture.
    @ivar fileId: with C{key} and C{server}, the id to download the picture by; in
        received messages only.
    @ivar sig: with C{key}, the signature that the server wants with the message; in
        messages to be sent only.
    """

    name: str
    fileId: int = 0
    key: str = ""
    server: str = ""
    sig: Secret = ""


class CustomFace(Value):
    """
    A custom face, in a message to or from a friend.

    @ivar name: the file name: the MD5 of the file, and its extension.
    """

    name: str


class OfflinePicture(Value):
    """
    A photo in a message to or from a friend.

    @ivar path: the server's name for the photo.
    @ivar name: the file name; in messages to be sent only, like C{size}.
    @ivar size: in bytes.
    """

    path: str
    name: str = ""
    size: int = 0


class Mention(Value, gc=False):
    """
    A mention of a member (our extension, docs/protocol.md 4.6).

    @ivar number: the member's permanent number, 0 for all members.
    @ivar name: the name to show, without C{@}.
    """

    number: Number
    name: str

    @property
    def text(self) -> str:
        """
        The mention as clients that do not know it show it: C{@name}.
        """
        return f"@{self.name}"


class Reply(Value, gc=False):
    """
    A reference to an earlier message of the same conversation, to which this message
    is a reply (our extension, docs/protocol.md 4.6).

    @ivar id: the id of that message (L{txwebqq.model.Received.id}).
    """

    id: int


class UnknownSegment(Value):
    """
    A segment of an unknown type.

    @ivar raw: the element of the content, as parsed from JSON.
    """

    raw: Any


Segment = (
    Text
    | Face
    | GroupPicture
    | CustomFace
    | OfflinePicture
    | Mention
    | Reply
    | UnknownSegment
)
Content = tuple[Segment, ...]


def plainText(content: Content) -> str:
    """
    Join the texts and mentions of a content, leaving out all other segments.
    """
    return "".join(s.text for s in content if isinstance(s, (Text, Mention)))


class HasContent:
    """
    Base of all classes of messages, received or from the history.
    """

    __slots__ = ()

    content: Content

    @property
    def text(self) -> str:
        """
        The plain text of the message, as of L{plainText}.
        """
        return plainText(self.content)
