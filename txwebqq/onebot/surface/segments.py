"""
Segments of OneBot as contents of WebQQ, and back.

Clients that know no mentions write C{@name}. A quote of a message that the server
knows by no id is a text too, C{「name: ...」}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from txwebqq.faces import nameOf as webqqNameOf
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    GroupPicture,
    Mention,
    OfflinePicture,
    Reply,
    Segment,
    Text,
)
from txwebqq.onebot.cqcode import formatCQ
from txwebqq.onebot.faces import nameOf, numberOf, webqqFace
from txwebqq.onebot.reading import numberIn, objectIn, textIn
from txwebqq.onebot.segments import EVERYBODY, readSegments
from txwebqq.onebot.surface.replies import MALFORMED, CallFailed

MAX_QUOTE = 40
"""Characters of a quoted message."""

PICTURES = GroupPicture | CustomFace | OfflinePicture

_MENTION = re.compile(r"@([^@\s\u2005]{1,60})(?=[\s\u2005]|$)")


@dataclass(frozen=True, slots=True)
class PictureSource:
    """
    A picture that is to be sent.

    @ivar file: where to take it from, as a bot has written it.
    """

    file: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Poke:
    """
    A poke within a message: a window shake of a friend, or a poke of a member.

    @ivar target: the member, 0 if none is named.
    """

    target: int = 0


Part = Text | Face | Mention | Reply | PictureSource | Poke


def pictureName(segment: Segment) -> str:
    """
    Return the file name of a picture, C{""} for another segment. A sender may have
    chosen it, so it is neither a path nor a URL, which a bot that sends the picture
    on would have us read.
    """
    match segment:
        case GroupPicture(name) | CustomFace(name) | OfflinePicture(name):
            return name.rpartition("/")[2]
    return ""


def segmentsOf(
    content: Content,
    named: Callable[[str], int] = lambda name: 0,
    fromWireId: Callable[[int], int] = lambda wireId: wireId,
) -> list[dict[str, Any]]:
    """
    Translate a received content.

    @param named: returns the number of the member with a name, 0 for none. It is
        asked where a client that knows no mentions may have written one.
    @param fromWireId: returns the id by which bots know a message, of the server's.
    """
    segments: list[dict[str, Any]] = []
    hasMentions = any(isinstance(segment, Mention) for segment in content)

    def mention(number: int | str, name: str) -> None:
        data = {"qq": str(number or "all"), "name": name}
        segments.append({"type": "at", "data": data})

    def text(value: str) -> None:
        if value and segments and segments[-1]["type"] == "text":
            segments[-1]["data"]["text"] += value
        elif value:
            segments.append({"type": "text", "data": {"text": value}})

    for segment in content:
        match segment:
            case Text(value) if hasMentions:
                text(value)
            case Text(value):
                end = 0
                for found in _MENTION.finditer(value):
                    number = "all" if found[1] == EVERYBODY else named(found[1])
                    if number:
                        text(value[end : found.start()])
                        mention(number, found[1])
                        end = found.end()
                text(value[end:])
            case Mention(number, name):
                mention(number, name if number else name or EVERYBODY)
            case Reply(message):
                data = {"id": str(fromWireId(message))}
                segments.append({"type": "reply", "data": data})
            case Face(number):
                known = numberOf(segment)
                if known is None:
                    text(f"[{webqqNameOf(number)}]")
                else:
                    segments.append({"type": "face", "data": {"id": str(known)}})
            case GroupPicture() | CustomFace() | OfflinePicture():
                isFace = isinstance(segment, CustomFace)
                image: dict[str, Any] = {
                    "file": pictureName(segment),
                    "sub_type": int(isFace),
                    "url": "",
                }
                segments.append({"type": "image", "data": image})
            case _:
                text("[?]")
    return segments


def messageOf(segments: list[dict[str, Any]]) -> dict[str, Any]:
    """
    Return the fields of an event that hold its message.
    """
    return {
        "message": segments,
        "raw_message": formatCQ(segments),
        "message_format": "array",
    }


def asFormat(event: Mapping[str, Any], isArray: bool) -> dict[str, Any]:
    """
    Return an event with its message as an array or as a text.
    """
    if isArray or "raw_message" not in event:
        return dict(event)
    return {**event, "message": event["raw_message"], "message_format": "string"}


def readMessage(message: Any, isPlain: bool) -> list[Mapping[str, Any]]:
    """
    Read a message of a call.

    @param isPlain: whether a text is not to be searched for CQ codes.

    @raise CallFailed: when there is nothing in it.
    """
    if isPlain and isinstance(message, str):
        segments: list[Mapping[str, Any]] = [
            {"type": "text", "data": {"text": message}}
        ]
    else:
        if isinstance(message, int | float) and not isinstance(message, bool):
            message = str(message)
        segments = readSegments(message)
    if not segments:
        raise CallFailed("message is missing or empty", MALFORMED)
    return segments


def namesMembers(segments: Iterable[Mapping[str, Any]]) -> bool:
    """
    Return whether members are mentioned or poked, which are needed then.
    """
    return any(segment["type"] in ("at", "poke") for segment in segments)


def partsOf(
    segments: Iterable[Mapping[str, Any]],
    mentionOf: Callable[[str], Mention | None],
    replyTo: Callable[[int], Reply | Text],
) -> list[Part]:
    """
    Translate a message that is to be sent.

    @param mentionOf: returns the mention of the member with a number, L{None} if
        there is none.
    @param replyTo: returns the segment that refers to an earlier message.

    @raise CallFailed: when a segment cannot be sent: nothing is, then.
    """
    parts: list[Part] = []
    isAfterName = False
    isReply = False

    def text(value: str, isName: bool = False) -> None:
        nonlocal isAfterName
        # A half of a surrogate pair cannot be written as UTF-8.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if not value:
            return
        if isAfterName and not value[0].isspace():
            value = f" {value}"
        isAfterName = isName
        if parts and isinstance(last := parts[-1], Text):
            parts[-1] = Text(last.text + value)
        else:
            parts.append(Text(value))

    def other(part: Part) -> None:
        nonlocal isAfterName
        isAfterName = isinstance(part, Mention)
        parts.append(part)

    for segment in segments:
        kind, data = segment["type"], objectIn(segment, "data")
        match kind:
            case "text":
                text(textIn(data, "text"))
            case "face":
                number = numberIn(data, "id", -1)
                face = webqqFace(number)
                if face is None:
                    text(f"[{nameOf(number)}]")
                else:
                    other(face)
            case "at":
                who = textIn(data, "qq")
                mention = mentionOf(who)
                if mention is not None:
                    if isAfterName:
                        text(" ")
                    other(mention)
                else:
                    name = EVERYBODY if who == "all" else textIn(data, "name") or who
                    text(f"@{name.removeprefix('@')}", isName=True)
            case "reply" if not isReply:
                # A message is a reply to one other.
                isReply = True
                reply = replyTo(numberIn(data, "id"))
                if isinstance(reply, Text):
                    text(reply.text)
                else:
                    parts.insert(0, reply)
            case "reply":
                pass
            case "image":
                file = textIn(data, "file") or textIn(data, "url")
                if not file:
                    raise CallFailed("an image has no file", MALFORMED)
                other(PictureSource(file))
            case "shake" | "poke":
                other(Poke(numberIn(data, "qq")))
            case "share" | "music" | "location" if textIn(data, "title"):
                words = (textIn(data, key) for key in ("title", "content", "url"))
                text(" ".join(word for word in words if word))
            case "mface" if textIn(data, "summary"):
                text(textIn(data, "summary"))
            case "record" | "video" | "file":
                raise CallFailed(f"a message cannot contain a {kind} on WebQQ")
            case _:
                raise CallFailed(f"a {kind[:40]} segment cannot be sent on WebQQ")
    return parts


def quoted(event: Mapping[str, Any]) -> str:
    """
    Return the text that stands for a quoted message.
    """
    sender = objectIn(event, "sender")
    name = textIn(sender, "card") or textIn(sender, "nickname")
    words = []
    for segment in event["message"]:
        data = segment["data"]
        match segment["type"]:
            case "text":
                words.append(data["text"])
            case "image":
                words.append("[图片]")
            case "at":
                words.append(f"@{data['name']}")
            case "face":
                words.append(f"[{nameOf(int(data['id']))}]")
    said = " ".join("".join(words).split())
    short = said if len(said) <= MAX_QUOTE else f"{said[:MAX_QUOTE]}…"
    return f"「{name}: {short}」\n"
