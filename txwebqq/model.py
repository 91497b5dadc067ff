"""
The nouns that an application sees: people, groups, messages, events.

A person's I{number} is for ever, a I{uin} names somebody during one session
only (protocol.md 1.2); the types keep them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, NewType

Number = NewType("Number", int)
"""A permanent QQ number, of a person or of a group."""

Uin = NewType("Uin", int)
"""A person, within one session. One's own uin is one's number."""

Gid = NewType("Gid", int)
"""A group, within one session: where messages go to and come from."""

Code = NewType("Code", int)
"""A group, within one session: what its details are asked by."""

Did = NewType("Did", int)
"""A discussion."""

SYSTEM = Uin(10000)
"""The sender of what no person sent."""


class Status(Enum):
    """
    Presence, by the words of the wire (protocol.md 7.6).
    """

    ONLINE = "online"
    OFFLINE = "offline"
    AWAY = "away"
    HIDDEN = "hidden"
    BUSY = "busy"
    CALLME = "callme"
    SILENT = "silent"

    @property
    def code(self) -> int:
        """
        The number that stands for the word in C{stat} and C{webqq_type}.
        """
        return _STATUS_CODES[self]

    @classmethod
    def fromCode(cls, code: int) -> Status:
        """
        The status with a number; unknown numbers mean online, as they did.
        """
        return _STATUSES_BY_CODE.get(code, cls.ONLINE)


_STATUS_CODES = {
    Status.ONLINE: 10,
    Status.OFFLINE: 20,
    Status.AWAY: 30,
    Status.HIDDEN: 40,
    Status.BUSY: 50,
    Status.CALLME: 60,
    Status.SILENT: 70,
}
_STATUSES_BY_CODE = {code: status for status, code in _STATUS_CODES.items()}

WEB_CLIENT = 41
"""The C{client_type} of WebQQ itself (protocol.md 7.7)."""

DESKTOP_CLIENT = 1
"""The C{client_type} of the desktop program."""


@dataclass(frozen=True, slots=True)
class Account:
    """
    Whom we sign on as.

    @ivar number: the QQ number.
    @ivar status: how to appear.
    """

    number: Number
    password: str = field(repr=False)
    status: Status = Status.ONLINE


# ---- content


@dataclass(frozen=True, slots=True)
class Font:
    """
    How a text looks; the default is WebQQ's own (protocol.md 4.3).

    @ivar size: in points.
    @ivar color: six hexadecimal digits, no C{#}.
    """

    name: str = "宋体"
    size: int = 10
    bold: bool = False
    italic: bool = False
    underline: bool = False
    color: str = "000000"


@dataclass(frozen=True, slots=True)
class Text:
    """
    A run of plain text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Face:
    """
    An emoticon, by its wire id (protocol.md, appendix A).
    """

    id: int


@dataclass(frozen=True, slots=True)
class GroupPicture:
    """
    A picture in a group or a discussion (protocol.md 4.5).

    @ivar name: the name that the upload was given, or the server's own in what
        is received.
    @ivar fileId: received only, like C{server}: what fetches it.
    @ivar sig: sent only: with C{key}, what lets us send it.
    """

    name: str
    fileId: int = 0
    key: str = ""
    server: str = ""
    sig: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CustomFace:
    """
    A picture from somebody's own collection, to or from a friend.

    @ivar name: a file name, its content's MD5.
    """

    name: str


@dataclass(frozen=True, slots=True)
class OfflinePicture:
    """
    A photo to or from a friend.

    @ivar path: the server's name for it.
    @ivar name: the file's name; sent only, like C{size}.
    """

    path: str
    name: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class UnknownSegment:
    """
    A piece of content that we have no type for, as JSON gave it.
    """

    raw: Any


Segment = Text | Face | GroupPicture | CustomFace | OfflinePicture | UnknownSegment
Content = tuple[Segment, ...]


def plainText(content: Content) -> str:
    """
    The text of a content, its other segments left out.
    """
    return "".join(s.text for s in content if isinstance(s, Text))


# ---- people and groups


@dataclass(frozen=True, slots=True)
class Buddy:
    """
    A friend.

    @ivar nick: what they call themselves.
    @ivar markname: what we call them, or C{""}.
    @ivar category: the index of the category we keep them in.
    @ivar face: the index of their avatar.
    """

    uin: Uin
    nick: str
    markname: str = ""
    category: int = 0
    face: int = 0
    flag: int = 0
    vipLevel: int = 0
    status: Status = Status.OFFLINE
    clientType: int = 0

    @property
    def name(self) -> str:
        """
        What to show: our own name for them before theirs.
        """
        return self.markname or self.nick or str(self.uin)


@dataclass(frozen=True, slots=True)
class Category:
    """
    A drawer of the friend list. Index 0 is never sent, and always there.
    """

    index: int
    name: str
    sort: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """
    A group that we are in, as the group list has it.

    @ivar mask: 0 notify, 1 receive quietly, 2 receive nothing.
    """

    gid: Gid
    code: Code
    name: str
    markname: str = ""
    flag: int = 0
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """
    Somebody in a group.

    @ivar card: the name they carry in this group, or C{""}.
    """

    uin: Uin
    nick: str
    card: str = ""
    flag: int = 0
    gender: str = "unknown"
    country: str = ""
    province: str = ""
    city: str = ""
    vipLevel: int = 0
    status: Status = Status.OFFLINE
    clientType: int = 0

    @property
    def name(self) -> str:
        """
        What to show in the group.
        """
        return self.card or self.nick or str(self.uin)

    @property
    def isAdmin(self) -> bool:
        """
        Bit 0 of C{mflag} (protocol.md 2.5.2).
        """
        return bool(self.flag & 1)


@dataclass(frozen=True, slots=True)
class GroupDetails:
    """
    A group with its members.

    @ivar memo: the announcement.
    @ivar description: C{fingermemo} on the wire.
    @ivar created: Unix seconds.
    """

    gid: Gid
    code: Code
    name: str
    owner: Uin
    members: tuple[Member, ...]
    markname: str = ""
    memo: str = ""
    description: str = ""
    face: int = 0
    classId: int = 0
    level: int = 0
    flag: int = 0
    option: int = 0
    created: int = 0


@dataclass(frozen=True, slots=True)
class Birthday:
    """
    A date; zeros where nothing is known.
    """

    year: int = 0
    month: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """
    What a person tells about themselves (protocol.md 2.3.2).

    @ivar allow: who may befriend them: L{ANYBODY}, L{WHO_ASKS}, L{NOBODY},
        L{WHO_ANSWERS}, L{WHO_ANSWERS_AND_ASKS}.
    @ivar number: their permanent number, 0 where the server does not say.
    @ivar signature: C{lnick} on the wire, C{""} where the server does not say.
    @ivar token: proves that we have looked them up, to those who want proof.
    """

    uin: Uin
    nick: str
    face: int = 0
    birthday: Birthday = Birthday()
    gender: str = "unknown"
    blood: int = 0
    shengxiao: int = 0
    constel: int = 0
    country: str = ""
    province: str = ""
    city: str = ""
    phone: str = ""
    mobile: str = ""
    email: str = ""
    homepage: str = ""
    occupation: str = ""
    college: str = ""
    personal: str = ""
    allow: int = 1
    vipLevel: int = 0
    status: Status = Status.OFFLINE
    clientType: int = 0
    number: Number = Number(0)
    signature: str = ""
    token: str = field(default="", repr=False)


ANYBODY, WHO_ASKS, NOBODY, WHO_ANSWERS, WHO_ANSWERS_AND_ASKS = range(5)
"""Who may befriend somebody, the C{allow} of a L{Profile}."""


@dataclass(frozen=True, slots=True)
class Policy:
    """
    Who may befriend somebody.

    @ivar allow: as in L{Profile}.
    @ivar question: what has to be answered, where anything has.
    """

    allow: int = WHO_ASKS
    question: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """
    How long somebody has been around (protocol.md 2.3.5).

    @ivar days: on how many days they were signed on.
    @ivar hours: how many hours in all.
    @ivar remaining: the days until the next level.
    """

    level: int
    days: int = 0
    hours: int = 0
    remaining: int = 0

    @property
    def icons(self) -> tuple[int, int, int]:
        """
        How many suns, moons and stars that is.
        """
        return self.level // 16, self.level % 16 // 4, self.level % 4


RECENT_BUDDY, RECENT_GROUP, RECENT_DISCUSSION = range(3)
"""The C{kind} of a L{RecentContact}."""


@dataclass(frozen=True, slots=True)
class RecentContact:
    """
    A conversation in which something was said lately (protocol.md 2.2.10).

    @ivar kind: L{RECENT_BUDDY}, L{RECENT_GROUP} or L{RECENT_DISCUSSION}.
    @ivar id: the uin, the group's code or the did, accordingly.
    """

    kind: int
    id: int


@dataclass(frozen=True, slots=True)
class Presence:
    """
    Somebody who is not offline.
    """

    uin: Uin
    status: Status
    clientType: int = DESKTOP_CLIENT


# ---- events


@dataclass(frozen=True, slots=True)
class Message:
    """
    A friend's words (protocol.md 5.1).

    @ivar time: Unix seconds.
    @ivar messageId: C{msg_id}, one more with each message of the sender.
    @ivar messageId2: C{msg_id2}; a message that comes twice has both alike.
    """

    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    font: Font = Font()
    kind: int = 9

    @property
    def text(self) -> str:
        """
        The words alone, without what the server pads them with.
        """
        return plainText(self.content)


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """
    Words in a group (protocol.md 5.2).

    @ivar number: the group's permanent number, C{info_seq} on the wire.
    @ivar sequence: the running number of messages in the group.
    """

    group: Gid
    code: Code
    number: Number
    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    sequence: int = 0
    font: Font = Font()
    kind: int = 43

    @property
    def text(self) -> str:
        """
        The words alone, without what the server pads them with.
        """
        return plainText(self.content)


@dataclass(frozen=True, slots=True)
class DiscussionMessage:
    """
    Words in a discussion (protocol.md 5.3).

    @ivar sequence: the running number of messages in the discussion.
    @ivar version: C{info_seq}, another one whenever the members change.
    """

    discussion: Did
    sender: Uin
    recipient: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    sequence: int = 0
    version: int = 0
    font: Font = Font()
    kind: int = 42

    @property
    def text(self) -> str:
        """
        The words alone, without what the server pads them with.
        """
        return plainText(self.content)


@dataclass(frozen=True, slots=True)
class StrangerMessage:
    """
    Words of a fellow member who is no friend (protocol.md 5.4).

    @ivar place: the gid of the group or the did of the discussion we share.
    @ivar service: 0 for a group, 1 for a discussion.
    @ivar number: the sender's permanent number.
    """

    sender: Uin
    recipient: Number
    place: int
    service: int
    number: Number
    content: Content
    time: int
    messageId: int
    messageId2: int
    font: Font = Font()
    kind: int = 140

    @property
    def text(self) -> str:
        """
        The words alone, without what the server pads them with.
        """
        return plainText(self.content)


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


# ---- history


@dataclass(frozen=True, slots=True)
class PastMessage:
    """
    Something that was said, by us or by others (protocol.md 2.8.2).

    @ivar time: Unix seconds.
    @ivar sequence: its running number in the conversation, with gaps.
    """

    sender: Uin
    time: int
    content: Content
    sequence: int = 0

    @property
    def text(self) -> str:
        """
        The words alone.
        """
        return plainText(self.content)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """
    A page of the conversation with somebody.

    @ivar messages: the oldest first.
    @ivar page: which one it is; page 1 is the oldest.
    @ivar pages: how many there are.
    """

    messages: tuple[PastMessage, ...]
    page: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class HistoryStretch:
    """
    Some messages of a group or a discussion.

    @ivar messages: the oldest first.
    @ivar first: the running number of the first message, and C{last} of the
        last.
    @ivar place: the code of the group or the did of the discussion.
    @ivar time: when the server was asked, Unix seconds.
    """

    messages: tuple[PastMessage, ...]
    first: int = 0
    last: int = 0
    place: int = 0
    time: int = 0


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """
    A day, in China, on which something was said in a group.

    @ivar first: the running number of the first message, and C{last} of the
        last.
    """

    date: date
    first: int
    last: int


# ---- the roster


@dataclass(frozen=True, slots=True)
class FriendList:
    """
    The answer of the friend list.
    """

    buddies: Mapping[Uin, Buddy]
    categories: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupList:
    """
    The answer of the group list.

    @ivar globalMask: 0 each group by its own mask, 1 notify of all, 2 receive
        all quietly, 3 receive nothing.
    """

    groups: Mapping[Gid, Group]
    globalMask: int = 0


# ---- more of groups


MAY_JOIN, MAY_ASK, MAY_NOT_JOIN = 1, 2, 3
"""The C{option} of a group: anybody joins, the administrators decide, nobody
joins."""


@dataclass(frozen=True, slots=True)
class GroupProfile:
    """
    What a group shows to whoever considers joining (protocol.md 2.5.3).

    @ivar memo: the announcement, C{""} for those outside.
    @ivar description: C{fingermemo} on the wire.
    @ivar option: L{MAY_JOIN}, L{MAY_ASK} or L{MAY_NOT_JOIN}.
    @ivar created: Unix seconds.
    """

    gid: Gid
    code: Code
    name: str
    owner: Uin
    memo: str = ""
    description: str = ""
    memberCount: int = 0
    maxMembers: int = 0
    face: int = 0
    classId: int = 0
    flag: int = 0
    option: int = MAY_ASK
    created: int = 0


@dataclass(frozen=True, slots=True)
class BusinessCard:
    """
    What somebody tells about themselves in one group (protocol.md 2.5.3).

    @ivar name: what the others call them there.
    @ivar gender: 0 male, 1 female, 2 unsaid.
    """

    name: str = ""
    phone: str = ""
    email: str = ""
    remark: str = ""
    gender: int = 2


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """
    A group that a search has found.

    @ivar number: its permanent number.
    @ivar code: what to join it by.
    @ivar owner: the owner's permanent number.
    """

    number: Number
    code: Code
    name: str
    owner: Number = Number(0)
    description: str = ""


@dataclass(frozen=True, slots=True)
class FoundGroups:
    """
    One page of what a search has found.

    @ivar total: how many there are on all pages.
    """

    groups: tuple[FoundGroup, ...]
    total: int
    page: int = 1


@dataclass(frozen=True, slots=True)
class NewGroup:
    """
    The ids of a group that we have just made.
    """

    gid: Gid
    code: Code
    number: Number


# ---- discussions


@dataclass(frozen=True, slots=True)
class Discussion:
    """
    A discussion that we are in.

    @ivar name: C{""} where nobody has given it one.
    @ivar mask: 0 notify, 1 receive quietly, 2 receive nothing.
    @ivar version: C{info_seq} of the last message, another one whenever the
        members or the name change; 0 before the first.
    """

    did: Did
    name: str
    mask: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class DiscussionList:
    """
    The answer of the discussion list.

    @ivar globalMask: as in L{GroupList}.
    """

    discussions: Mapping[Did, Discussion]
    globalMask: int = 0


@dataclass(frozen=True, slots=True)
class DiscussionMember:
    """
    Somebody in a discussion.

    @ivar number: their permanent number, which nobody hides here.
    """

    uin: Uin
    number: Number
    nick: str
    status: Status = Status.OFFLINE
    clientType: int = 0


@dataclass(frozen=True, slots=True)
class DiscussionDetails:
    """
    A discussion with its members.

    @ivar version: C{info_seq}, another one whenever members or name change.
    """

    did: Did
    name: str
    owner: Uin
    version: int
    members: tuple[DiscussionMember, ...]


@dataclass(frozen=True, slots=True)
class Captcha:
    """
    A captcha to be read, for questions that want one.

    @ivar session: C{verifysession}: which captcha it is.
    @ivar text: what was read from C{image}.
    """

    session: str = field(default="", repr=False)
    image: bytes = field(default=b"", repr=False)
    text: str = ""
