"""
The kinds of queued events, and the events that a session sees.
"""

from __future__ import annotations

from typing import Any

from txwebqq.model import (
    DISSOLVED,
    WEB_CLIENT,
    Did,
    DiscussionMessage,
    Event,
    FileNotice,
    FileStep,
    FriendEdited,
    FriendshipNotice,
    FriendshipStep,
    GroupMessage,
    GroupNotice,
    GroupStep,
    GroupWebMessage,
    Message,
    Number,
    OfflineFile,
    OfflineFileNotice,
    RosterChange,
    Shake,
    Status,
    StrangerMessage,
    Tip,
    TransferProgress,
    TransferredFile,
    Typing,
    Uin,
)
from txwebqq.server.events.groupfiles import GROUP_FILE
from txwebqq.server.events.interactionkinds import (
    FRIEND_RECALL,
    GROUP_CARD,
    GROUP_EDIT,
    GROUP_MUTE,
    GROUP_POKE,
    GROUP_REACTION,
    GROUP_RECALL,
    JOIN_ANSWER,
)
from txwebqq.server.events.queued import EventKind, QueuedEvent
from txwebqq.server.events.sessionids import SessionIds
from txwebqq.wire.commands.temporary import IN_DISCUSSION

NOBODY = Number(0)
"""Stands for no account in a group notice."""

SIGNATURE_URL = "http://webqq.qq.com/?run=mySignature"
"""The URL that marks a tip as the news of a signature (protocol.md 5.15)."""


def _common(queued: QueuedEvent, ids: SessionIds) -> dict[str, Any]:
    """
    Return the members that all messages have.
    """
    message = queued.ids
    return {
        "sender": ids.uin(message.sender),
        "recipient": ids.own,
        "content": queued.content,
        "time": message.time,
        "messageId": message.messageId,
        "messageId2": message.messageId2,
        "font": queued.font,
    }


def _friendMessage(queued: QueuedEvent, ids: SessionIds) -> Event:
    return Message(**_common(queued, ids))


def _groupMessage(queued: QueuedEvent, ids: SessionIds) -> Event:
    group = queued.details["group"]
    return GroupMessage(
        group=ids.gid(group),
        code=ids.code(group),
        number=group,
        sequence=queued.details["sequence"],
        **_common(queued, ids),
    )


def _discussionMessage(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return DiscussionMessage(
        discussion=Did(details["discussion"]),
        sequence=details["sequence"],
        version=details["version"],
        **_common(queued, ids),
    )


def _temporaryMessage(queued: QueuedEvent, ids: SessionIds) -> Event:
    place, service = queued.details["place"], queued.details["service"]
    return StrangerMessage(
        place=place if service == IN_DISCUSSION else ids.gid(place),
        service=service,
        number=queued.ids.sender,
        **_common(queued, ids),
    )


def _typing(queued: QueuedEvent, ids: SessionIds) -> Event:
    message = queued.ids
    sender = ids.uin(message.sender)
    return Typing(sender, ids.own, message.messageId, message.messageId2)


def _shake(queued: QueuedEvent, ids: SessionIds) -> Event:
    message = queued.ids
    sender = ids.uin(message.sender)
    return Shake(sender, ids.own, message.messageId, message.messageId2)


def _uin(ids: SessionIds, number: Number) -> Uin:
    return Uin(0) if number == NOBODY else ids.uin(number)


def _groupNotice(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    group, member = details["group"], details["member"]
    step = GroupStep(details["step"])
    if step is GroupStep.LEFT and details["operation"] == DISSOLVED:
        member = ids.own
    return GroupNotice(
        step=step,
        group=ids.gid(group),
        code=ids.code(group),
        number=group,
        recipient=ids.own,
        member=_uin(ids, member),
        memberNumber=member,
        admin=_uin(ids, details["admin"]),
        adminTitle=details["adminTitle"],
        previous=_uin(ids, details["previous"]),
        operation=details["operation"],
        text=details["text"],
        messageId=details["messageId"],
        messageId2=details["messageId2"],
    )


def _groupShare(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return GroupWebMessage(
        group=ids.gid(details["group"]),
        code=ids.code(details["group"]),
        sender=ids.uin(details["sender"]),
        markup=details["markup"],
        recipient=ids.own,
        messageId=details["messageId"],
        messageId2=details["messageId2"],
    )


def _friendshipNotice(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    status = Status.fromCode(details["status"])
    return FriendshipNotice(
        step=FriendshipStep(details["step"]),
        uin=ids.uin(details["other"]),
        number=details["other"],
        text=details["text"],
        sequence=details["sequence"],
        category=details["category"],
        allow=details["allow"],
        status=status,
        clientType=0 if status is Status.OFFLINE else WEB_CLIENT,
        signature=details["signature"],
    )


def _rosterChange(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    uin = ids.uin(details["other"])
    if details["added"]:
        return RosterChange(added=((uin, details["category"]),))
    return RosterChange(removed=(uin,))


def _friendEdit(queued: QueuedEvent, ids: SessionIds) -> Event:
    return FriendEdited(ids.uin(queued.details["other"]), queued.details["nick"])


def _signatureChange(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return Tip(
        sender=ids.uin(details["sender"]),
        url=SIGNATURE_URL,
        # Pages show the line break as a colon.
        text=f"{details['nick']}\r\n{details['text']}",
        messageId=details["messageId"],
    )


def _fileNotice(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return FileNotice(
        step=FileStep(details["step"]),
        sender=ids.uin(details["sender"]),
        session=details["session"],
        recipient=ids.own,
        name=details["name"],
        reason=details["reason"],
        time=details["time"],
        messageId=details["messageId"],
        messageId2=details["messageId2"],
    )


def _transferProgress(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return TransferProgress(
        sender=ids.uin(details["sender"]),
        files=(TransferredFile(details["name"], details["status"]),),
        localId=details["localId"],
        operation=details["operation"],
        now=details["now"],
        recipient=ids.own,
        messageId=details["messageId"],
    )


def _offlineFile(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return OfflineFile(
        sender=ids.uin(details["sender"]),
        name=details["name"],
        size=details["size"],
        key=details["key"],
        ip=details["ip"],
        port=details["port"],
        expires=details["expires"],
        time=details["time"],
        messageId=details["messageId"],
    )


def _offlineFileNotice(queued: QueuedEvent, ids: SessionIds) -> Event:
    details = queued.details
    return OfflineFileNotice(
        sender=ids.uin(details["sender"]),
        action=details["action"],
        name=details["name"],
        size=details["size"],
        recipient=ids.own,
        messageId=details["messageId"],
        messageId2=details["messageId2"],
    )


FRIEND_MESSAGE = EventKind("buddy", "buddy", _friendMessage, isMessage=True)

GROUP_MESSAGE = EventKind(
    "group",
    "group",
    _groupMessage,
    "group",
    isMessage=True,
    required={"group": int, "sequence": int},
)

DISCUSSION_MESSAGE = EventKind(
    "discussion",
    "discussion",
    _discussionMessage,
    "discussion",
    isMessage=True,
    # The version changes whenever the members or the name change.
    required={"discussion": int, "sequence": int, "version": int},
)

TEMPORARY_MESSAGE = EventKind(
    "stranger",
    "stranger",
    _temporaryMessage,
    isMessage=True,
    # The place is the group or discussion that both accounts are in, and the
    # service says which of the two it is.
    required={"place": int, "service": int},
)

TYPING = EventKind("typing", "typing", _typing, lifetime=10.0)
SHAKE = EventKind("shake", "shake", _shake, lifetime=60.0)

GROUP_NOTICE = EventKind(
    "group notice",
    # A member's first message must not come before the notice of its joining.
    "group",
    _groupNotice,
    "group",
    # The step is the value of a GroupStep.
    required={"step": str, "group": int, "messageId": int, "messageId2": int},
    # The account that the notice is about, and the one that caused it.
    optional={
        "member": NOBODY,
        "admin": NOBODY,
        "adminTitle": "",
        "previous": NOBODY,
        "operation": 0,
        "text": "",
    },
)

GROUP_SHARE = EventKind(
    "group share",
    "group",
    _groupShare,
    "group",
    required={
        "group": int,
        "sender": int,
        "markup": str,
        "messageId": int,
        "messageId2": int,
    },
)

FRIENDSHIP_NOTICE = EventKind(
    "friendship",
    # A friend's first message must not come before this notice.
    "buddy",
    _friendshipNotice,
    "other",
    # The step is the value of a FriendshipStep.
    required={"step": str, "other": int, "sequence": int},
    # The status is a code of the wire.
    optional={"text": "", "category": 0, "allow": 1, "status": 20, "signature": ""},
)

ROSTER_CHANGE = EventKind(
    "roster",
    "buddy",
    _rosterChange,
    "other",
    required={"other": int, "added": bool},
    optional={"category": 0},
)

FRIEND_EDIT = EventKind(
    "friend edit",
    "profile",
    _friendEdit,
    "other",
    isExtension=True,
    required={"other": int, "nick": str},
    lifetime=600.0,
)

SIGNATURE_CHANGE = EventKind(
    "signature",
    "signature",
    _signatureChange,
    "sender",
    required={"sender": int, "nick": str, "text": str, "messageId": int},
)

FILE_NOTICE = EventKind(
    "transfer",
    "file",
    _fileNotice,
    "sender",
    # The step is the value of a FileStep.
    required={
        "sender": int,
        "time": int,
        "messageId": int,
        "messageId2": int,
        "step": str,
        "session": int,
    },
    optional={"name": "", "reason": 0},
)

TRANSFER_PROGRESS = EventKind(
    "progress",
    "file",
    _transferProgress,
    "sender",
    required={
        "sender": int,
        "messageId": int,
        "name": str,
        "status": int,
        "localId": int,
        "operation": int,
        "now": int,
    },
)

OFFLINE_FILE = EventKind(
    "handout",
    "file",
    _offlineFile,
    "sender",
    # The address was that at which the sender reached the server, and is not used.
    required={
        "sender": int,
        "time": int,
        "messageId": int,
        "key": str,
        "name": str,
        "size": int,
        "ip": str,
        "port": int,
        "expires": int,
    },
)

OFFLINE_FILE_NOTICE = EventKind(
    "handout answer",
    "file",
    _offlineFileNotice,
    "sender",
    # The action is 1 for a file that was fetched, 2 for a declined one.
    required={
        "sender": int,
        "messageId": int,
        "messageId2": int,
        "action": int,
        "name": str,
        "size": int,
    },
)

KINDS = {
    kind.name: kind
    for kind in (
        FRIEND_MESSAGE,
        GROUP_MESSAGE,
        DISCUSSION_MESSAGE,
        TEMPORARY_MESSAGE,
        GROUP_NOTICE,
        GROUP_SHARE,
        GROUP_FILE,
        FRIENDSHIP_NOTICE,
        ROSTER_CHANGE,
        FRIEND_EDIT,
        SIGNATURE_CHANGE,
        FILE_NOTICE,
        TYPING,
        SHAKE,
        TRANSFER_PROGRESS,
        OFFLINE_FILE,
        OFFLINE_FILE_NOTICE,
        FRIEND_RECALL,
        GROUP_RECALL,
        GROUP_MUTE,
        GROUP_POKE,
        GROUP_REACTION,
        GROUP_EDIT,
        GROUP_CARD,
        JOIN_ANSWER,
    )
}
"""The kinds of events, by name. Those with a lifetime are stored by several processes
with one database only."""
