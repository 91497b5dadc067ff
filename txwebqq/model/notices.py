"""
Events other than messages, and the union of all events.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from txwebqq.model.contacts import DESKTOP_CLIENT, Number, Status, Uin
from txwebqq.model.groups import Code, Gid
from txwebqq.model.interaction import (
    CardChanged,
    GroupEdited,
    GroupFile,
    JoinRequestAnswered,
    MemberMuted,
    MemberPoked,
    MessageRecalled,
    MessageSent,
    Reaction,
)
from txwebqq.model.messages import (
    DiscussionMessage,
    GroupMessage,
    Message,
    StrangerMessage,
)
from txwebqq.values import Secret, Value


class StatusChange(Value):
    """
    A change of a friend's presence (protocol.md 5.5).
    """

    uin: Uin
    status: Status
    clientType: int = DESKTOP_CLIENT


class KickNotice(Value):
    """
    End of the session by another sign-on of the account (protocol.md 5.6).

    @ivar reason: the server's text for the user.
    @ivar shown: whether the server asks to show the text.
    """

    reason: str
    shown: bool = True
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class Typing(Value):
    """
    Typing notification of a friend (protocol.md 5.7).
    """

    uin: Uin
    recipient: Number
    messageId: int = 0
    messageId2: int = 0


class Shake(Value):
    """
    Window shake by a friend (protocol.md 5.7).
    """

    uin: Uin
    recipient: Number
    messageId: int = 0
    messageId2: int = 0


class FriendshipStep(Enum):
    """
    Kinds of L{FriendshipNotice}: the C{type} of a C{system_message}
    (protocol.md 5.8).
    """

    REQUESTED = "verify_required"
    PASSED = "verify_pass"
    PASSED_AND_ADDED = "verify_pass_add"
    REJECTED = "verify_rejected"
    ADDED = "added_buddy_sig"
    ADDED_UNSIGNED = "added_buddy_nosig"


class FriendshipNotice(Value):
    """
    A friend request, a reply to one, or a notice of a new friend (protocol.md 5.8).

    @ivar uin: the session id of the other account.
    @ivar number: the permanent number of the other account, which a reply to the
        request needs; 0 where the server did not send it.
    @ivar text: the text of the request or of the refusal.
    @ivar category: the category that the friend was put in, with
        L{FriendshipStep.PASSED_AND_ADDED}.
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


class RosterChange(Value):
    """
    A change of the friend list (protocol.md 5.9).

    @ivar added: the uins of new friends, each with the index of the category.
    """

    added: tuple[tuple[Uin, int], ...] = ()
    removed: tuple[Uin, ...] = ()


class FriendEdited(Value):
    """
    A friend has another nick or avatar (protocol.md 5.26).

    @ivar nick: the present nick.
    """

    uin: Uin
    nick: str


class GroupStep(Enum):
    """
    Kinds of L{GroupNotice}: the C{type} of a C{sys_g_msg} (protocol.md 5.10). The last
    is of today's QQ: our account is asked to join a group.
    """

    CREATED = "group_create"
    JOINED = "group_join"
    LEFT = "group_leave"
    REQUESTED = "group_request_join"
    AGREED = "group_request_join_agree"
    DENIED = "group_request_join_deny"
    ADMIN = "group_admin_op"
    INVITED = "group_invite"


DISSOLVED, LEFT_ALONE, REMOVED = 1, 2, 3
"""The C{operation} of L{GroupStep.LEFT}: the group was dissolved, the member left,
the member was removed."""

OWNER_CHANGED = 255
"""The C{operation} of L{GroupStep.ADMIN} for a change of the owner."""


class GroupNotice(Value):
    """
    A change of a group's members, or a request to join (protocol.md 5.10).

    @ivar number: the group's permanent number.
    @ivar member: the member who joined, left, asks to join or was promoted, with
        L{OWNER_CHANGED} the new owner; 0 where the notice is about our account.
    @ivar memberNumber: the member's permanent number, 0 where the server hides it.
    @ivar admin: the administrator who made the change, or the member who invites our
        account, 0 for none.
    @ivar adminTitle: the administrator's title, 创建者 or 管理员, never a name.
    @ivar previous: the former owner, with L{OWNER_CHANGED}.
    @ivar operation: C{op_type}, one of the constants above; of L{GroupStep.ADMIN},
        0 and 2 revoke an administrator's rights, 1 and 3 grant them.
    @ivar text: the text of the request or of the refusal.
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


class GroupWebMessage(Value):
    """
    A share in a group, as markup (protocol.md 5.11).
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
    Kinds of L{FileNotice}: the C{mode} of a C{file_message} (protocol.md 5.12).
    """

    OFFERED = "recv"
    ENDED = "refuse"
    ACCEPTED = "send_ack"


class FileNotice(Value):
    """
    Offer, acceptance or end of a file transfer between accounts that are online
    (protocol.md 5.12).

    @ivar session: the id of the transfer; its low 12 bits are the sender's C{lcid}.
    @ivar name: the file name, with L{FileStep.OFFERED} only.
    @ivar reason: the reason of the end: 1 the user, 2 the client, 3 a timeout.
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


class TransferredFile(Value):
    """
    Progress of one file of a transfer.

    @ivar status: 0 done, 10 started, 50 error, 51 timeout, 53 refused.
    """

    name: str
    status: int
    id: int = 0


class TransferProgress(Value):
    """
    Progress of a file transfer (protocol.md 5.13).

    @ivar operation: 1 when we send, 2 when we receive.
    @ivar now: the number of bytes transferred.
    """

    sender: Uin
    files: tuple[TransferredFile, ...]
    localId: int
    operation: int
    now: int = 0
    recipient: Number = Number(0)
    kind: int = 101
    messageId: int = 0


class OfflineFile(Value):
    """
    An offline file for our account, stored on the server (protocol.md 5.14).

    @ivar key: the key to download the file with, a secret.
    @ivar expires: when the server deletes the file, Unix seconds.
    """

    sender: Uin
    name: str
    size: int
    key: Secret
    ip: str
    port: int
    expires: int = 0
    time: int = 0
    messageId: int = 0


class OfflineFileNotice(Value):
    """
    Reply of a friend to an offline file of ours (protocol.md 5.14).

    @ivar action: 1 downloaded, 2 refused.
    """

    sender: Uin
    action: int
    name: str
    size: int
    recipient: Number = Number(0)
    messageId: int = 0
    messageId2: int = 0


class Tip(Value):
    """
    A notice of WebQQ's own page, for example of a changed signature
    (protocol.md 5.15). No capture of one is known.
    """

    sender: Uin
    url: str
    text: str
    messageId: int = 0


class CallRequest(Value):
    """
    A video call, which WebQQ cannot accept (protocol.md 5.16).
    """

    sender: Uin
    messageId: int = 0
    kind: int = 0


class UnknownEvent(Value):
    """
    An event of an unknown type, or with a value that its type cannot hold.

    @ivar value: the raw C{value}, as parsed from JSON.
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
    | FriendEdited
    | GroupNotice
    | GroupWebMessage
    | FileNotice
    | TransferProgress
    | OfflineFile
    | OfflineFileNotice
    | Tip
    | CallRequest
    | MessageRecalled
    | MemberMuted
    | MemberPoked
    | Reaction
    | GroupFile
    | GroupEdited
    | CardChanged
    | JoinRequestAnswered
    | MessageSent
    | UnknownEvent
)
