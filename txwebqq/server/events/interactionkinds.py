"""
The kinds of queued events of recalls, mutes, pokes, reactions, changed groups and
cards, and answers to requests to join (protocol.md 5.17).

Only clients that acknowledge replies by C{ack} are given them.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import (
    CardChanged,
    Code,
    Event,
    Face,
    Gid,
    GroupEdited,
    JoinRequestAnswered,
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


def _uinOf(number: Number, ids: SessionIds) -> Uin:
    """
    Return the uin of an account, 0 for none.
    """
    return ids.uin(number) if number else Uin(0)


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
    return MemberMuted(
        member=_uinOf(details["member"], ids),
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


def _edit(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return GroupEdited(
        operator=_uinOf(details["operator"], ids),
        name=details["name"],
        memo=details["memo"],
        description=details["description"],
        option=details["option"],
        **_inGroup(details, ids),
    )


def _card(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return CardChanged(
        member=ids.uin(details["member"]),
        operator=_uinOf(details["operator"], ids),
        card=details["card"],
        **_inGroup(details, ids),
    )


def _joinAnswer(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return JoinRequestAnswered(
        applicant=ids.uin(details["applicant"]),
        operator=ids.uin(details["operator"]),
        isAccepted=details["isAccepted"],
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

GROUP_EDIT = EventKind(
    "edit",
    "group",
    _edit,
    "group",
    isExtension=True,
    # The operator is 0 for the operator of the server.
    required={"operator": int, **_IN_GROUP},
    # None for each that was not changed.
    optional={"name": None, "memo": None, "description": None, "option": None},
)

GROUP_CARD = EventKind(
    "card",
    "group",
    _card,
    "group",
    isExtension=True,
    required={"member": int, "operator": int, "card": str, **_IN_GROUP},
)

JOIN_ANSWER = EventKind(
    "join answer",
    "group",
    _joinAnswer,
    "group",
    isExtension=True,
    required={"applicant": int, "operator": int, "isAccepted": bool, **_IN_GROUP},
)
