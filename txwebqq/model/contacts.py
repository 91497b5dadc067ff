"""
Accounts and their friends: permanent numbers, session ids, presence, profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

Number = NewType("Number", int)
"""A permanent QQ number, of a person or of a group."""

Uin = NewType("Uin", int)
"""A person, within one session. One's own uin is one's number."""

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
class FriendList:
    """
    The answer of the friend list.
    """

    buddies: Mapping[Uin, Buddy]
    categories: tuple[Category, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Presence:
    """
    Somebody who is not offline.
    """

    uin: Uin
    status: Status
    clientType: int = DESKTOP_CLIENT


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
class Captcha:
    """
    A captcha to be read, for questions that want one.

    @ivar session: C{verifysession}: which captcha it is.
    @ivar text: what was read from C{image}.
    """

    session: str = field(default="", repr=False)
    image: bytes = field(default=b"", repr=False)
    text: str = ""
