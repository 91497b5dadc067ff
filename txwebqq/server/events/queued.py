"""
Mail on its way to an account: letters, news of presence, and the mailbox of a
session.

Everything here has permanent numbers; a session's own ids are put in when it
takes its mail.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from txwebqq.errors import MalformedReply
from txwebqq.model import (
    WEB_CLIENT,
    Content,
    Event,
    Font,
    GroupMessage,
    GroupPicture,
    Message,
    Number,
    Segment,
    Status,
    StatusChange,
    Text,
    UnknownSegment,
)
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.wire.content import decodeSegment, encodeSegment
from txwebqq.wire.jsontext import encodeJSON

MAX_TOGETHER = 100
"""How many letters one answer may hold, and a session may keep in memory."""

_MAX_NESTING = 16
_MAX_FONT_NAME = 64
_LEAST_FONT_SIZE = 8


@dataclass(frozen=True, slots=True)
class MessageIds:
    """
    Whose letter it is, when it came, and the ids that tell it from others.
    """

    sender: Number
    time: int
    messageId: int
    messageId2: int


@dataclass(frozen=True, slots=True)
class QueuedFriendMessage:
    """
    Words to a friend.
    """

    mark: MessageIds
    content: Content
    font: Font

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two letters of one answer must not have in common.
        """
        return "buddy", self.mark.sender

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        return Message(
            sender=sessionIds.uin(self.mark.sender),
            recipient=sessionIds.own,
            content=self.content,
            time=self.mark.time,
            messageId=self.mark.messageId,
            messageId2=self.mark.messageId2,
            font=self.font,
        )


@dataclass(frozen=True, slots=True)
class QueuedGroupMessage:
    """
    Words in a group.

    @ivar sequence: the running number of messages in the group.
    """

    mark: MessageIds
    content: Content
    font: Font
    group: Number
    sequence: int

    @property
    def conversation(self) -> tuple[str, int]:
        """
        What two letters of one answer must not have in common.
        """
        return "group", self.group

    def event(self, sessionIds: SessionIds) -> Event:
        """
        The letter as a session sees it.
        """
        return GroupMessage(
            group=sessionIds.gid(self.group),
            code=sessionIds.code(self.group),
            number=self.group,
            sender=sessionIds.uin(self.mark.sender),
            recipient=sessionIds.own,
            content=self.content,
            time=self.mark.time,
            messageId=self.mark.messageId,
            messageId2=self.mark.messageId2,
            sequence=self.sequence,
            font=self.font,
        )


class QueuedEvent(Protocol):
    """
    Whatever travels to an account.
    """

    @property
    def conversation(self) -> tuple[str, int]: ...

    def event(self, sessionIds: SessionIds) -> Event: ...


KINDS: dict[str, type[Any]] = {}
"""Other letters by the kind they are stored under: dataclasses of numbers and
strings, and those with words of C{mark}, C{content} and C{font} besides. Their
modules add them here."""


# ---- what may be sent


def _depth(value: Any) -> int:
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, depth = todo.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict):
            item = list(item.values())
        if isinstance(item, list):
            todo.extend((inner, depth + 1) for inner in item)
    return deepest


def _tidySegment(segment: Segment) -> Segment:
    match segment:
        case Text(text) if not text.isascii():
            # Half a surrogate pair is no character; a whole one is.
            utf16 = text.encode("utf-16", "surrogatepass")
            return Text(utf16.decode("utf-16", "replace"))
        case UnknownSegment(raw):
            if _depth(raw) > _MAX_NESTING:
                raise MalformedReply("content is nested too deeply")
            try:
                json.dumps(raw, allow_nan=False)
            except ValueError as e:
                raise MalformedReply("content holds what is not JSON") from e
    return segment


def tidyContent(content: Content) -> Content:
    """
    A content that every recipient can be sent.

    @raise MalformedReply: when some of it cannot be written as JSON.
    """
    return tuple(map(_tidySegment, content))


def tidyFont(font: Font) -> Font:
    """
    A font with values of a reasonable size.
    """
    color = font.color
    if len(color) != 6 or not set(color) <= set("0123456789abcdefABCDEF"):
        color = "000000"
    return Font(
        name=font.name[:_MAX_FONT_NAME],
        size=min(max(font.size, _LEAST_FONT_SIZE), 255),
        bold=font.bold,
        italic=font.italic,
        underline=font.underline,
        color=color,
    )


# ---- letters on disk


def _encodeStored(segment: Segment) -> Any:
    match segment:
        case GroupPicture(name, fileId, key, server) if fileId:
            # What recipients fetch it by is not in what is sent.
            return ["cface", {"picture": [name, fileId, key, server]}]
    return encodeSegment(segment)


def _decodeStored(element: Any) -> Segment:
    match element:
        case ["cface", {"picture": [str(), int(), str(), str()] as members}]:
            return GroupPicture(*members)
    return decodeSegment(element)


def encodeQueued(event: QueuedEvent) -> str:
    """
    A letter as the text that is stored.
    """
    if not isinstance(event, (QueuedFriendMessage, QueuedGroupMessage)):
        return encodeJSON(_encodeNotice(event))
    value = {
        name: _encodeMember(getattr(event, name))
        for name in ("mark", "content", "font")
    }
    match event:
        case QueuedGroupMessage():
            value["group"] = [event.group, event.sequence]
    return encodeJSON(value)


def _encodeMember(value: Any) -> Any:
    match value:
        case MessageIds(sender, time, messageId, messageId2):
            return [sender, time, messageId, messageId2]
        case Font(name, size, bold, italic, underline, color):
            return [name, size, bold, italic, underline, color]
        case tuple():
            return [_encodeStored(segment) for segment in value]
    return value


def _decodeMembers(value: dict[str, Any]) -> dict[str, Any]:
    members = dict(value)
    if "mark" in value:
        members["mark"] = MessageIds(*value["mark"])
        members["content"] = tuple(map(_decodeStored, value["content"]))
        members["font"] = Font(*value["font"])
    return members


def _encodeNotice(event: Any) -> dict[str, Any]:
    for kind, letterType in KINDS.items():
        if type(event) is letterType:
            names = (field.name for field in fields(event))
            members = {name: _encodeMember(getattr(event, name)) for name in names}
            return {"kind": kind, "members": members}
    raise TypeError(f"{type(event).__name__} is not among the LETTERS")


def decodeQueued(text: str) -> QueuedEvent:
    """
    The letter that was stored as a text.
    """
    value = json.loads(text)
    if "kind" in value:
        kept: QueuedEvent = KINDS[value["kind"]](**_decodeMembers(value["members"]))
        return kept
    members = _decodeMembers(value)
    match members.pop("group", None):
        case [group, sequence]:
            return QueuedGroupMessage(**members, group=group, sequence=sequence)
    return QueuedFriendMessage(**members)


@dataclass(slots=True)
class EventChanges:
    """
    Changes to the letters of the store that are to be written together.

    @ivar events: new letters: serial number and text.
    @ivar waiting: for whom they wait: by account and serial number, the number
        of the reply that they are given in, or 0.
    @ivar given: letters that waited: the number of the reply that they are
        given in, account and serial number.
    @ivar delivered: account and serial number of what was acknowledged.
    """

    events: list[tuple[int, str]] = field(default_factory=list)
    waiting: dict[tuple[Number, int], int] = field(default_factory=dict)
    given: list[tuple[int, Number, int]] = field(default_factory=list)
    delivered: list[tuple[Number, int]] = field(default_factory=list)

    def give(self, number: Number, serial: int, reply: int) -> None:
        """
        A letter is given to an account in a reply.
        """
        if (number, serial) in self.waiting:
            self.waiting[number, serial] = reply
        else:
            self.given.append((reply, number, serial))

    @property
    def isEmpty(self) -> bool:
        """
        Whether there is nothing to write.
        """
        return not (self.events or self.given or self.delivered)


# ---- the mailbox


def _messageIdOf(event: Any) -> int | None:
    mark = getattr(event, "mark", None)
    return None if mark is None else mark.messageId


class Mailbox:
    """
    What waits for one session: letters, and the last news of each friend.

    The letters are the next ones of the store that have not been given to the
    session yet; no more than L{MAX_TOGETHER} of them are in memory.

    @ivar seen: the serial number of the last letter that came from the store.
    @ivar more: whether the store may hold letters after that one.
    @ivar presence: how friends appear who have changed.
    @ivar transient: letters that are worth nothing after a while, and when that
        is; one of a kind from each sender.
    """

    __slots__ = ("_events", "more", "presence", "seen", "transient")

    def __init__(self) -> None:
        self._events: list[tuple[int, QueuedEvent]] = []
        self.presence: dict[Number, Status] = {}
        self.transient: dict[tuple[str, int], tuple[float, QueuedEvent]] = {}
        self.seen = 0
        self.more = True

    def add(self, serial: int, event: QueuedEvent) -> None:
        """
        Add a letter that is the last one of the store.
        """
        if self.more or len(self._events) >= MAX_TOGETHER:
            self.more = True
        else:
            self._events.append((serial, event))
            self.seen = serial

    def forget(self) -> None:
        """
        Forget the letters in memory; they are read from the store again.
        """
        self._events = []
        self.seen = 0
        self.more = True

    @property
    def isEmpty(self) -> bool:
        """
        Whether there is nothing to give, as far as is known without looking
        into the store.
        """
        return not (self._events or self.more or self.presence or self.transient)

    @property
    def room(self) -> int:
        """
        How many letters of the store fit in.
        """
        return max(0, MAX_TOGETHER - len(self._events)) if self.more else 0

    def load(self, events: list[tuple[int, QueuedEvent]], asked: int) -> None:
        """
        Add the next letters of the store.
        """
        self._events.extend(events)
        if events:
            self.seen = events[-1][0]
        self.more = len(events) == asked

    def take(self) -> list[tuple[int, QueuedEvent]]:
        """
        Take out the first letter of each conversation, up to one whose message
        id is taken already: clients acknowledge messages by that alone.
        """
        taken: list[tuple[int, QueuedEvent]] = []
        kept: list[tuple[int, QueuedEvent]] = []
        conversations: set[tuple[str, int]] = set()
        messageIds: set[int] = set()
        for position, entry in enumerate(self._events):
            conversation = entry[1].conversation
            if conversation in conversations:
                kept.append(entry)
                continue
            messageId = _messageIdOf(entry[1])
            if messageId in messageIds:
                kept += self._events[position:]
                break
            conversations.add(conversation)
            taken.append(entry)
            if messageId is not None:
                messageIds.add(messageId)
        self._events = kept
        return taken

    def takePresence(self, sessionIds: SessionIds) -> Iterable[StatusChange]:
        """
        Take out the news, as the session sees it.
        """
        news, self.presence = self.presence, {}
        return [
            StatusChange(sessionIds.uin(number), status, WEB_CLIENT)
            for number, status in news.items()
        ]

    def takeTransient(self, now: float) -> list[QueuedEvent]:
        """
        Take out the signals; those that came too long ago are lost.
        """
        signals, self.transient = self.transient, {}
        return [event for until, event in signals.values() if now < until]
