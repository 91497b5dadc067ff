"""
The nouns that an application sees: people, groups, messages, events.

A person's I{number} is for ever, a I{uin} names somebody during one session
only (protocol.md 1.2); the types keep them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class UnknownSegment:
    """
    A piece of content that we have no type for, as JSON gave it.
    """

    raw: Any


Segment = Text | Face | UnknownSegment
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

    @ivar allow: who may befriend them: 0 anyone, 1 after asking, 2 nobody,
        3 whoever answers a question, 4 answering and asking.
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
class UnknownEvent:
    """
    An event that we have no type for, or that its type could not hold.

    @ivar value: the raw C{value}, as JSON gave it.
    """

    pollType: str
    value: Any


Event = Message | GroupMessage | StatusChange | KickNotice | UnknownEvent


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
