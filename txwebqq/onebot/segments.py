"""
Contents of messages as OneBot's segments.

Pictures are known by their file name; what it takes to fetch or to send one is in a
L{PictureStore}.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from txwebqq.faces import nameOf as webqqNameOf
from txwebqq.model import (
    Content,
    CustomFace,
    Face,
    GroupPicture,
    Mention,
    Number,
    OfflinePicture,
    Reply,
    Segment,
    Text,
    UnknownSegment,
)
from txwebqq.onebot.cqcode import parseCQ
from txwebqq.onebot.faces import nameOf, numberOf, webqqFace
from txwebqq.onebot.reading import (
    idIn,
    messageIdIn,
    numberIn,
    objectIn,
    programIdOf,
    textIn,
)

MAX_PICTURES = 2000
"""Pictures whose addresses are remembered."""

MAX_ADDRESSES = 64 * 1024 * 1024
"""Maximum length of the addresses together: some are the picture itself."""

MAX_UPLOADED = 64 * 1024 * 1024
"""Maximum size of the pictures that were uploaded and not sent yet, in bytes."""

EVERYBODY = "全体成员"
"""The name of a mention of all members."""


class PictureStore:
    """
    Pictures by their file names: the addresses of received ones, and the bytes of
    those that are about to be sent.
    """

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._urlsSize = 0
        self._uploaded: dict[str, bytes] = {}
        self._size = 0

    def keepURL(self, name: str, url: str) -> None:
        """
        Remember the address of a picture.
        """
        self._urlsSize -= len(self._urls.pop(name, ""))
        self._urls[name] = url
        self._urlsSize += len(url)
        while len(self._urls) > MAX_PICTURES or (
            self._urlsSize > MAX_ADDRESSES and len(self._urls) > 1
        ):
            self._urlsSize -= len(self._urls.pop(next(iter(self._urls))))

    def url(self, name: str) -> str:
        """
        Return the address of a picture, C{""} if it is not known.
        """
        return self._urls.get(name, "")

    def keepUploaded(self, name: str, data: bytes) -> None:
        """
        Remember the bytes of a picture, until it is sent or many others are.
        """
        self._size -= len(self._uploaded.pop(name, b""))
        self._uploaded[name] = data
        self._size += len(data)
        while self._size > MAX_UPLOADED and len(self._uploaded) > 1:
            first = next(iter(self._uploaded))
            self._size -= len(self._uploaded.pop(first))

    def uploaded(self, name: str) -> bytes | None:
        """
        Return the bytes of an uploaded picture, L{None} if they are not known.
        """
        return self._uploaded.get(name)

    def dropUploaded(self, name: str) -> None:
        """
        Forget the bytes of a file that was sent.
        """
        self._size -= len(self._uploaded.pop(name, b""))


def readSegments(message: Any) -> list[Mapping[str, Any]]:
    """
    Return the segments of a message, which may be a list, one segment, or a text
    with CQ codes.
    """
    if isinstance(message, str):
        return list(parseCQ(message))
    if isinstance(message, dict):
        message = [message]
    if not isinstance(message, list):
        return []
    segments: list[Mapping[str, Any]] = []
    for each in message:
        if isinstance(each, str):
            segments += parseCQ(each)
        elif isinstance(each, dict) and isinstance(each.get("type"), str):
            segments.append(each)
    return segments


NameOf = Callable[[int], str]
"""Returns the name of a person by the number, C{""} if it is not known."""


def readContent(
    message: Any,
    isPrivate: bool,
    pictures: PictureStore,
    nameOf: NameOf = lambda number: "",
) -> Content:
    """
    Translate a received message.

    @param isPrivate: whether it comes from a friend or a stranger, whose pictures are
        of another class.
    @param nameOf: the names of those who are mentioned without theirs.
    """
    content: list[Segment] = []
    for segment in readSegments(message):
        made = _readSegment(segment, isPrivate, pictures, nameOf)
        if made is None:
            continue
        if isinstance(made, Text) and content and isinstance(content[-1], Text):
            made = Text(content.pop().text + made.text)  # type: ignore[union-attr]
        content.append(made)
    return tuple(content)


def _readSegment(
    segment: Mapping[str, Any],
    isPrivate: bool,
    pictures: PictureStore,
    memberName: NameOf,
) -> Segment | None:
    data = objectIn(segment, "data")
    match segment["type"]:
        case "text":
            text = textIn(data, "text")
            return Text(text) if text else None
        case "face":
            number = numberIn(data, "id", -1)
            return webqqFace(number) or Text(f"[{nameOf(number)}]")
        case "at":
            return _readMention(data, memberName)
        case "reply":
            messageId = messageIdIn(data, "id")
            return Reply(messageId) if messageId else None
        case "image":
            return _readPicture(data, isPrivate, pictures)
        case kind if kind in _DESCRIBED:
            return Text(_describe(kind, data))
    return UnknownSegment(dict(segment))


def _readMention(data: Mapping[str, Any], nameOf: NameOf) -> Segment | None:
    text = textIn(data, "qq").strip()
    if text == "all":
        return Mention(Number(0), EVERYBODY)
    number, name = idIn(data, "qq"), textIn(data, "name").removeprefix("@")
    if number:
        return Mention(Number(number), name or nameOf(number) or str(number))
    return Text(f"@{name or text}") if name or text else None


def _readPicture(
    data: Mapping[str, Any], isPrivate: bool, pictures: PictureStore
) -> Segment:
    name = textIn(data, "file") or textIn(data, "file_id")
    url = textIn(data, "url")
    if not url and name.startswith(("http://", "https://", "base64://")):
        url, name = name, name[-32:]
    if not (name or url):
        return Text("[图片]")
    name = name or url[-32:]
    pictures.keepURL(name, url)
    return OfflinePicture(name) if isPrivate else GroupPicture(name)


# Segments that are shown as a text, and the words that it begins with.
_DESCRIBED = {
    "record": "语音",
    "video": "视频",
    "file": "文件",
    "forward": "合并转发",
    "node": "合并转发",
    "json": "卡片",
    "xml": "卡片",
    "share": "分享",
    "music": "音乐",
    "contact": "名片",
    "location": "位置",
    "dice": "骰子",
    "rps": "猜拳",
    "mface": "表情",
    "poke": "戳一戳",
    "shake": "窗口抖动",
    "markdown": "卡片",
    "miniapp": "小程序",
}

MAX_DESCRIPTION = 500
"""Maximum length of the text in place of a segment."""


def _describe(kind: str, data: Mapping[str, Any]) -> str:
    details = {
        "file": [textIn(data, "name") or textIn(data, "file")],
        "share": [textIn(data, "title"), textIn(data, "url")],
        "music": [textIn(data, "title"), textIn(data, "url")],
        "location": [textIn(data, "title"), textIn(data, "content")],
        "dice": [textIn(data, "result")],
        "rps": [textIn(data, "result")],
        "mface": [textIn(data, "summary").strip("[]")],
        "json": [_prompt(textIn(data, "data"))],
        "record": [textIn(data, "url")],
        "video": [textIn(data, "url")],
    }
    words = [_DESCRIBED[kind], *(each for each in details.get(kind, []) if each)]
    return f"[{' '.join(words)[:MAX_DESCRIPTION]}]"


def _prompt(text: str) -> str:
    try:
        card = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return textIn(card, "prompt").strip("[]") if isinstance(card, dict) else ""


def writeContent(
    content: Iterable[Segment], pictures: PictureStore, isPrivate: bool = False
) -> list[dict[str, Any]]:
    """
    Translate a message that is to be sent.

    The reply comes first, and there is one at most; a word directly behind a mention
    gets a space before it.

    @param isPrivate: whether it is for a friend or a stranger: a mention is then a
        text, because programs leave it out.

    @raise ValueError: a picture in it was not uploaded, or not recently.
    """
    replies: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    isBehindMention = False
    for segment in content:
        if isinstance(segment, Reply):
            replies.append(_writeSegment(segment, pictures))
            continue
        isMention = isinstance(segment, Mention)
        if isinstance(segment, Mention) and isPrivate:
            segment = Text(segment.text)
        elif isinstance(segment, Text) and isBehindMention:
            isWord = segment.text[:1].isalnum()
            segment = Text(f" {segment.text}") if isWord else segment
        others.append(_writeSegment(segment, pictures))
        isBehindMention = isMention
    return replies[:1] + others


def _writeSegment(segment: Segment, pictures: PictureStore) -> dict[str, Any]:
    match segment:
        case Text(text):
            return {"type": "text", "data": {"text": text}}
        case Face(number):
            known = numberOf(segment)
            if known is None:
                text = f"[{webqqNameOf(number)}]"
                return {"type": "text", "data": {"text": text}}
            return {"type": "face", "data": {"id": str(known)}}
        case GroupPicture(name) | CustomFace(name) | OfflinePicture(name):
            # Some programs want a summary.
            data = {"file": _source(name, pictures), "summary": ""}
            return {"type": "image", "data": data}
        case Mention(number):
            return {"type": "at", "data": {"qq": str(number) if number else "all"}}
        case Reply(message):
            return {"type": "reply", "data": {"id": str(programIdOf(message))}}
        case UnknownSegment(raw):
            if isinstance(raw, dict) and isinstance(raw.get("type"), str):
                return {"type": raw["type"], "data": raw.get("data") or {}}
            raise ValueError("a segment of this kind cannot be sent")


def _source(name: str, pictures: PictureStore) -> str:
    data = pictures.uploaded(name)
    if data is not None:
        return "base64://" + b64encode(data).decode("ascii")
    url = pictures.url(name)
    if not url:
        raise ValueError(f"the picture {name} was not uploaded")
    return url
