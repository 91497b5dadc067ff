"""
The kinds of queued events of recalls, mutes, pokes and reactions (protocol.md 5.17).

Only clients that acknowledge replies by C{ack} are given them.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import (
    Code,
    Event,
    Face,
    Gid,
    MemberMuted,
    MemberPoked,
    MessageRecalled,
    Number,
    Reaction,
    Text,
    Uin,
)
from txwebqq.server.events.queued import EventKind, MessageIds, QueuedEvent
from txwebqq.server.events.sessionids import SessionIds

_IDS = {"time": int, "messageId": int, "messageId2": int}
_IN_GROUP = {"group": int, **_IDS}


def newNotice(kind: EventKind, ids: MessageIds, **details: Any) -> QueuedEvent:
    """
    Return a new event of a kind that is no message, and yet has its ids and time.
    """
    return kind.new(**details, **_idDetails(ids))


def _idDetails(ids: MessageIds) -> dict[str, Any]:
    return {
        "time": ids.time,
        "messageId": ids.messageId,
        "messageId2": ids.messageId2,
    }


def _inGroup(details: Any, ids: SessionIds) -> dict[str, Any]:
    """
    Return the members that all events of a group have.
    """
    group = details["group"]
    return {
        "group": ids.gid(group),
        "code": ids.code(group),
        "number": group,
        "recipient": ids.own,
        "time": details["time"],
        "messageId": details["messageId"],
        "messageId2": details["messageId2"],
    }


def _friendRecall(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    sender = ids.uin(details["sender"])
    return MessageRecalled(
        group=Gid(0),
        code=Code(0),
        number=Number(0),
        sender=sender,
        operator=sender,
        id=details["message"],
        recipient=ids.own,
        time=details["time"],
        messageId=details["messageId"],
        messageId2=details["messageId2"],
    )


def _groupRecall(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return MessageRecalled(
        sender=ids.uin(details["sender"]),
        operator=ids.uin(details["operator"]),
        id=details["message"],
        **_inGroup(details, ids),
    )


def _mute(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    member = details["member"]
    return MemberMuted(
        member=ids.uin(member) if member else Uin(0),
        operator=ids.uin(details["operator"]),
        seconds=details["seconds"],
        **_inGroup(details, ids),
    )


def _poke(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return MemberPoked(
        sender=ids.uin(queued.ids.sender),
        target=ids.uin(details["target"]),
        **_inGroup({**details, **_idDetails(queued.ids)}, ids),
    )


def _reaction(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    emoji = details["emoji"]
    return Reaction(
        sender=ids.uin(details["sender"]),
        id=details["message"],
        face=Text(emoji) if emoji else Face(details["face"]),
        isSet=details["isSet"],
        **_inGroup(details, ids),
    )


FRIEND_RECALL = EventKind(
    "recall",
    "buddy",
    _friendRecall,
    "sender",
    isExtension=True,
    # The message is the messageId2 of the one that was recalled.
    required={"sender": int, "message": int, **_IDS},
)

GROUP_RECALL = EventKind(
    "group recall",
    "group",
    _groupRecall,
    "group",
    isExtension=True,
    required={"sender": int, "operator": int, "message": int, **_IN_GROUP},
)

GROUP_MUTE = EventKind(
    "mute",
    "group",
    _mute,
    "group",
    isExtension=True,
    # The member is 0 for all members.
    required={"member": int, "operator": int, "seconds": int, **_IN_GROUP},
)

GROUP_POKE = EventKind(
    "poke",
    "poke",
    _poke,
    isExtension=True,
    required={"group": int, "target": int},
    lifetime=60.0,
)

GROUP_REACTION = EventKind(
    "reaction",
    "group",
    _reaction,
    "group",
    isExtension=True,
    required={"sender": int, "message": int, "isSet": bool, **_IN_GROUP},
    # An emoticon by its number, or an emoji.
    optional={"face": 0, "emoji": ""},
)
