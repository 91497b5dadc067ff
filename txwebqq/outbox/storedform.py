"""
The form in which recipients, contents and outcomes are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from msgspec.structs import astuple

from txwebqq import errors
from txwebqq.errors import PartlySent, WebQQError
from txwebqq.model import (
    CustomFace,
    Delivered,
    Did,
    Face,
    Failed,
    Font,
    Mention,
    Number,
    PictureBytes,
    QueuedContent,
    Recipient,
    Reply,
    Segment,
    SendOutcome,
    Sent,
    Text,
    ToDiscussion,
    ToFriend,
    ToGroup,
    ToStranger,
    Uncertain,
)

_SEGMENTS: dict[str, type[Any]] = {
    "text": Text,
    "face": Face,
    "custom face": CustomFace,
    "mention": Mention,
    "reply": Reply,
}
_PICTURE = "picture"
_NAMES = {segment: name for name, segment in _SEGMENTS.items()}

_BUILTIN: dict[str, type[Exception]] = {
    "TypeError": TypeError,
    "ValueError": ValueError,
}


def checkRecipient(to: object) -> None:
    """
    Check that a value is a recipient whose number can be read again.

    @raise TypeError: when it is not.
    """
    match to:
        case ToFriend(number) | ToGroup(number) | ToDiscussion(number):
            # Callers without a type checker pass other things. A bool would be
            # written as a word.
            given: object = number
            if not isinstance(given, int) or isinstance(given, bool):
                raise TypeError(
                    f"the number of a {type(to).__name__} is"
                    f" {type(given).__name__}, not int"
                )
        case ToStranger(number, ToGroup() | ToDiscussion() as place):
            checkRecipient(ToFriend(number))
            checkRecipient(place)
        case ToStranger():
            raise TypeError("the place of a ToStranger is a ToGroup or ToDiscussion")
        case _:
            raise TypeError(
                "a recipient is a ToFriend, ToGroup, ToDiscussion or ToStranger, not"
                f" {type(to).__name__}"
            )


def writeRecipient(to: Recipient) -> str:
    """
    Write a recipient: the kind and the permanent number.
    """
    match to:
        case ToFriend(number):
            return f"friend {number}"
        case ToGroup(number):
            return f"group {number}"
        case ToDiscussion(did):
            return f"discussion {did}"
        case ToStranger(number, place):
            return f"stranger {number} {writeRecipient(place)}"


def readRecipient(text: str) -> Recipient:
    """
    Read what L{writeRecipient} has written.
    """
    kind, _, number = text.partition(" ")
    match kind:
        case "friend":
            return ToFriend(Number(int(number)))
        case "group":
            return ToGroup(Number(int(number)))
        case "stranger":
            number, _, written = number.partition(" ")
            place = readRecipient(written)
            assert isinstance(place, (ToGroup, ToDiscussion))
            return ToStranger(Number(int(number)), place)
    return ToDiscussion(Did(int(number)))


def digestOf(picture: PictureBytes) -> str:
    """
    Return the digest by which the bytes of a picture are stored.
    """
    return sha256(picture.data).hexdigest()


def writeContent(content: QueuedContent) -> str:
    """
    Write a content, with the digests of its pictures.

    @raise ValueError: for the reference of a picture, which the server knows for a time
        only.
    """
    written: list[list[Any]] = []
    for segment in content:
        if isinstance(segment, PictureBytes):
            written.append([_PICTURE, digestOf(segment), segment.name])
            continue
        name = _NAMES.get(type(segment))
        if name is None:
            kind = type(segment).__name__
            raise ValueError(
                f"a {kind} cannot be queued: servers keep pictures for a time only;"
                " queue a PictureBytes"
            )
        written.append([name, *astuple(segment)])
    return json.dumps(written)


def readContent(text: str, pictures: Mapping[str, bytes]) -> QueuedContent:
    """
    Read what L{writeContent} has written.

    @param pictures: the bytes of the pictures, by digest. Those that were deleted are
        empty.
    """
    found: list[Segment | PictureBytes] = []
    for name, *fields in json.loads(text):
        if name == _PICTURE:
            digest, fileName = fields
            found.append(PictureBytes(pictures.get(digest, b""), fileName))
            continue
        found.append(_SEGMENTS[name](*fields))
    return tuple(found)


def writeFont(font: Font) -> str:
    """
    Write a font, C{""} for the default one.
    """
    return "" if font == Font() else json.dumps(astuple(font))


def readFont(text: str) -> Font:
    """
    Read what L{writeFont} has written.
    """
    return Font(*json.loads(text)) if text else Font()


def writeOutcome(outcome: SendOutcome) -> str:
    """
    Write an outcome.
    """
    match outcome:
        case Delivered(sent):
            return json.dumps(["delivered", *astuple(sent)])
        case Failed(reason):
            return json.dumps(["failed", _writeError(reason)])
        case Uncertain(reason):
            return json.dumps(["uncertain", _writeError(reason)])


def readOutcome(text: str, rest: QueuedContent) -> SendOutcome:
    """
    Read what L{writeOutcome} has written.

    @param rest: the part of the message that was not delivered.
    """
    name, *fields = json.loads(text)
    if name == "delivered":
        messageId, time, earlier = fields
        return Delivered(Sent(messageId, time, tuple(earlier)))
    reason = _readError(fields[0], rest)
    return Failed(reason) if name == "failed" else Uncertain(reason)


def _writeError(error: Exception) -> dict[str, Any]:
    plain = {
        name: value
        for name, value in vars(error).items()
        if value is None or isinstance(value, (int, str))
    }
    written = {"class": type(error).__name__, "text": str(error), "fields": plain}
    if isinstance(error, PartlySent):
        written["reason"] = _writeError(error.reason)
    return written


def _readError(written: dict[str, Any], rest: QueuedContent) -> Exception:
    name, text = written["class"], written["text"]
    known: Any = _BUILTIN.get(name) or getattr(errors, name, None)
    if not isinstance(known, type):
        return WebQQError(f"{name}: {text}")
    # The text is that of other arguments.
    error: Any = known.__new__(known, text)
    error.args = (text,)
    vars(error).update(written["fields"])
    if known is PartlySent:
        error.rest = (rest,)
        error.reason = _readError(written["reason"], rest)
    made: Exception = error
    return made
