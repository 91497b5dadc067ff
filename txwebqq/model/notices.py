"""
Events of a poll that are no messages, and the union of all events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from txwebqq.model.contacts import DESKTOP_CLIENT, Number, Status, Uin
from txwebqq.model.groups import Code, Gid
from txwebqq.model.messages import (
    DiscussionMessage,
    GroupMessage,
    Message,
    StrangerMessage,
)


@dataclass(frozen=True, slots=True)
class StatusChange:
    """
    A friend came, went or changed (protocol.md 5.5).
    """

    uin: Uin
    status: Status
    clientType: int = DESKTOP_CLIENT


@dataclass(frozen=True, slots=True)
class KickNotice:
    """
    Another sign-on took the account over (protocol.md 5.6).

    @ivar reason: the server's words, for a person.
    @ivar shown: whether the server wants them shown.
    """

    reason: str
    shown: bool = True
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


@dataclass(frozen=True, slots=True)
class Typing:
    """
    A friend is typing (protocol.md 5.7).
    """

    uin: Uin
    recipient: Number
    messageId: int = 0
    messageId2: int = 0


@dataclass(frozen=True, slots=True)
class Shake:
    """
    A friend shakes our window (protocol.md 5.7).
    """

    uin: Uin
    recipient: Number
    messageId: int = 0
    messageId2: int = 0


class FriendshipStep(Enum):
    """
    The C{type} of a C{system_message} (protocol.md 5.8).
    """

    REQUESTED = "verify_required"
    PASSED = "verify_pass"
    PASSED_AND_ADDED = "verify_pass_add"
    REJECTED = "verify_rejected"
    ADDED = "added_buddy_sig"
    ADDED_UNSIGNED = "added_buddy_nosig"


@dataclass(frozen=True, slots=True)
class FriendshipNotice:
    """
    A step on the way to a friendship (protocol.md 5.8).

    @ivar number: the other one's permanent number, which answers are given
        to; 0 when the server did not say.
    @ivar text: what they wrote with a request or a refusal.
    @ivar category: where we keep them, with L{FriendshipStep.PASSED_AND_ADDED}.
    @ivar sequence: a running number, the only id of these events.
    """

    step: FriendshipStep
    uin: Uin
    number: Number = Number(0)
    text: str = ""
    sequence: int = 0
    category: int = 0
    allow: int = 1
    status: Status = Status.OFFLINE
    clientType: int = 0
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RosterChange:
    """
    The friend list has changed (protocol.md 5.9).

    @ivar added: the uins of new friends with their category's index.
    """

    added: tuple[tuple[Uin, int], ...] = ()
    removed: tuple[Uin, ...] = ()


class GroupStep(Enum):
    """
    The C{type} of a C{sys_g_msg} (protocol.md 5.10).
    """

    CREATED = "group_create"
    JOINED = "group_join"
    LEFT = "group_leave"
    REQUESTED = "group_request_join"
    AGREED = "group_request_join_agree"
    DENIED = "group_request_join_deny"
    ADMIN = "group_admin_op"


DISSOLVED, LEFT_ALONE, REMOVED = 1, 2, 3
"""The C{operation} of L{GroupStep.LEFT}."""

OWNER_CHANGED = 255
"""The C{operation} of L{GroupStep.ADMIN} for a new owner."""


@dataclass(frozen=True, slots=True)
class GroupNotice:
    """
    Something happened to a group's membership (protocol.md 5.10).

    @ivar number: the group's permanent number.
    @ivar member: whom it is about: who joined, left, asks, was promoted, or
        with L{OWNER_CHANGED} the new owner; 0 where it is about us.
    @ivar memberNumber: their permanent number, 0 where the server hides it.
    @ivar admin: who did it, 0 where nobody did.
    @ivar adminTitle: 创建者 or 管理员, never a name.
    @ivar previous: the former owner, with L{OWNER_CHANGED}.
    @ivar operation: C{op_type}: see the constants above; of
        L{GroupStep.ADMIN} 0 and 2 take an administrator's rights, 1 and 3
        give them.
    @ivar text: what they wrote with a request or a refusal.
    """

    step: GroupStep
    group: Gid
    code: Code
    number: Number
    recipient: Number = Number(0)
    member: Uin = Uin(0)
    memberNumber: Number = Number(0)
    admin: Uin = Uin(0)
    adminTitle: str = ""
    previous: Uin = Uin(0)
    operation: int = 0
    text: str = ""
    messageId: int = 0
    messageId2: int = 0


@dataclass(frozen=True, slots=True)
class GroupWebMessage:
    """
    Something shared in a group, as markup (protocol.md 5.11).
    """

    group: Gid
    code: Code
    sender: Uin
    markup: str
    recipient: Number = Number(0)
    groupType: int = 1
    version: int = 1
    messageId: int = 0
    messageId2: int = 0


class FileStep(Enum):
    """
    The C{mode} of a C{file_message} (protocol.md 5.12).
    """

    OFFERED = "recv"
    ENDED = "refuse"
    ACCEPTED = "send_ack"


@dataclass(frozen=True, slots=True)
class FileNotice:
    """
    A step of a file's way from one who is online to another
    (protocol.md 5.12).

    @ivar name: with L{FileStep.OFFERED} alone.
    @ivar session: names the transfer; its low 12 bits are the sender's own
        C{lcid}.
    @ivar reason: why it ended: 1 the person, 2 their client, 3 nobody in time.
    """

    step: FileStep
    sender: Uin
    session: int
    recipient: Number = Number(0)
    name: str = ""
    reason: int = 0
    time: int = 0
    kind: int = 101
    address: int = 0
    messageId: int = 0
    messageId2: int = 0


@dataclass(frozen=True, slots=True)
class TransferredFile:
    """
    How far one file of a transfer is.

    @ivar status: 0 done, 10 started, 50 error, 51 too late, 53 refused.
    """

    name: str
    status: int
    id: int = 0


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """
    How far a transfer is (protocol.md 5.13).

    @ivar operation: 1 when we send, 2 when we receive.
    @ivar now: the bytes so far.
    """

    sender: Uin
    files: tuple[TransferredFile, ...]
    localId: int
    operation: int
    now: int = 0
    recipient: Number = Number(0)
    kind: int = 101
    messageId: int = 0


@dataclass(frozen=True, slots=True)
class OfflineFile:
    """
    A file that waits for us on the server (protocol.md 5.14).

    @ivar key: what fetches it, a secret.
    @ivar expires: Unix seconds.
    """

    sender: Uin
    name: str
    size: int
    key: str = field(repr=False)
    ip: str
    port: int
    expires: int = 0
    time: int = 0
    messageId: int = 0


@dataclass(frozen=True, slots=True)
class OfflineFileNotice:
    """
    What became of an offline file of ours (protocol.md 5.14).

    @ivar action: 1 it was fetched, 2 it was refused.
    """

    sender: Uin
    action: int
    name: str
    size: int
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


@dataclass(frozen=True, slots=True)
class Tip:
    """
    A notice of the client's own, of changed signatures for example
    (protocol.md 5.15). No capture of it survives.
    """

    sender: Uin
    url: str
    text: str
    messageId: int = 0


@dataclass(frozen=True, slots=True)
class CallRequest:
    """
    Somebody calls by video, which WebQQ cannot (protocol.md 5.16).
    """

    sender: Uin
    messageId: int = 0
    kind: int = 0


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """
    An event that we have no type for, or that its type could not hold.

    @ivar value: the raw C{value}, as JSON gave it.
    """

    pollType: str
    value: Any


Event = (
    Message
    | GroupMessage
    | DiscussionMessage
    | StrangerMessage
    | StatusChange
    | KickNotice
    | Typing
    | Shake
    | FriendshipNotice
    | RosterChange
    | GroupNotice
    | GroupWebMessage
    | FileNotice
    | TransferProgress
    | OfflineFile
    | OfflineFileNotice
    | Tip
    | CallRequest
    | UnknownEvent
)
