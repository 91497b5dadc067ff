"""
Queued events as texts in the database.

Messages to friends and to groups are stored without the name of their kind,
all other events with it; databases of all versions hold these formats.
"""

from __future__ import annotations

import json
from typing import Any

from txwebqq.model import Font, GroupPicture, Segment
from txwebqq.server.events.kinds import FRIEND_MESSAGE, GROUP_MESSAGE, KINDS
from txwebqq.server.events.queued import EventKind, MessageIds, QueuedEvent
from txwebqq.wire.content import decodeSegment, encodeSegment
from txwebqq.wire.jsontext import encodeJSON


def encodeQueued(queued: QueuedEvent) -> str:
    """
    Return an event as a text.
    """
    kind, details = queued.kind, queued.details
    members: dict[str, Any] = {}
    if kind.isMessage or kind.lifetime:
        ids = queued.ids
        members["mark"] = [ids.sender, ids.time, ids.messageId, ids.messageId2]
    if kind.isMessage:
        font = queued.font
        members["content"] = [_encodeSegment(segment) for segment in queued.content]
        members["font"] = [
            font.name,
            font.size,
            font.bold,
            font.italic,
            font.underline,
            font.color,
        ]
    if kind is FRIEND_MESSAGE:
        return encodeJSON(members)
    if kind is GROUP_MESSAGE:
        members["group"] = [details["group"], details["sequence"]]
        return encodeJSON(members)
    return encodeJSON({"kind": kind.name, "members": {**members, **details}})


def beginningOf(kind: EventKind) -> str:
    """
    Return the beginning of the texts of all events of a kind that is stored with its
    name.
    """
    return f'{{"kind":{encodeJSON(kind.name)},'


def decodeQueued(text: str) -> QueuedEvent:
    """
    Return the event that is stored as a text.
    """
    value = json.loads(text)
    if "kind" in value:
        kind, members = KINDS[value["kind"]], value["members"]
    elif "group" in value:
        kind, members = GROUP_MESSAGE, value
        members["group"], members["sequence"] = value["group"]
    else:
        kind, members = FRIEND_MESSAGE, value
    if "mark" in members:
        members["ids"] = MessageIds(*members.pop("mark"))
    if kind.isMessage:
        members["content"] = tuple(map(_decodeSegment, members["content"]))
        members["font"] = Font(*members["font"])
    return kind.new(**members)


def _encodeSegment(segment: Segment) -> Any:
    match segment:
        case GroupPicture(name, fileId, key, server) if fileId:
            # Recipients fetch the picture by members that its encoding for the
            # wire does not have.
            return ["cface", {"picture": [name, fileId, key, server]}]
    return encodeSegment(segment)


def _decodeSegment(element: Any) -> Segment:
    match element:
        case ["cface", {"picture": [str(), int(), str(), str()] as members}]:
            return GroupPicture(*members)
    return decodeSegment(element)
