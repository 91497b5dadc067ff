"""
Accounts, friends and other contacts: numbers, session ids, presence, profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, NewType

from txwebqq.values import SECRET, Secret, Value

Number = NewType("Number", int)
"""A permanent QQ number, of an account or of a group."""

Uin = NewType("Uin", int)
"""The session id of an account. The session's own account has its number for a uin."""

SYSTEM = Uin(10000)
"""The sender of events that no account sent."""


class Status(Enum):
    """
    Presence of an account; the values are the words of the wire (protocol.md 7.6).
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
        The number of the status, C{stat} and C{webqq_type} on the wire.
        """
        return _STATUS_CODES[self]

    @classmethod
    def fromCode(cls, code: int) -> Status:
        """
        Return the status with a number; unknown numbers mean online, as they did
        in Tencent's clients.
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
"""The C{client_type} of the desktop client."""


class Account(Value):
    """
    An account to sign on with.

    @ivar status: the presence to sign on with.
    """

    number: Number
    password: Secret
    status: Status = Status.ONLINE


class Buddy(Value, gc=False):
    """
    A friend.

    @ivar nick: the nickname that the friend has chosen.
    @ivar markname: our private name for the friend, or C{""}.
    @ivar category: the index of the category that we have put the friend in.
    @ivar face: the index of the friend's avatar among Tencent's pictures.
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
        The name to show: the private name, else the nickname, else the uin.
        """
        return self.markname or self.nick or str(self.uin)


class Category(Value):
    """
    A category of the friend list. Category 0 always exists and is never sent.
    """

    index: int
    name: str
    sort: int = 0


class FriendList(Value):
    """
    The friends and the categories of an account.
    """

    buddies: Mapping[Uin, Buddy]
    categories: tuple[Category, ...] = ()


class Birthday(Value):
    """
    A date of birth; parts that are not known are 0.
    """

    year: int = 0
    month: int = 0
    day: int = 0


class Profile(Value):
    """
    The details that an account publishes (protocol.md 2.3.2).

    @ivar allow: the rule for friend requests: L{ANYBODY}, L{WHO_ASKS}, L{NOBODY},
        L{WHO_ANSWERS} or L{WHO_ANSWERS_AND_ASKS}.
    @ivar number: the permanent number, 0 where the server does not send it.
    @ivar signature: C{lnick} on the wire, C{""} where the server does not send it.
    @ivar token: proof of the look-up, which a friend request has to carry.
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
    token: Secret = ""


ANYBODY, WHO_ASKS, NOBODY, WHO_ANSWERS, WHO_ANSWERS_AND_ASKS = range(5)
"""Rules for friend requests, the C{allow} of a L{Profile}: every request is
accepted at once; the account decides; none is accepted; the right answer to the
account's question is accepted; the account decides after the right answer."""


class Policy(Value):
    """
    The rule of an account for friend requests.

    @ivar allow: as in L{Profile}.
    @ivar question: the question to answer, C{""} where the rule asks none.
    """

    allow: int = WHO_ASKS
    question: str = ""


class Level(Value):
    """
    The level of an account, earned by the time it was online (protocol.md 2.3.5).

    @ivar days: the number of days on which the account was signed on.
    @ivar hours: the number of hours in all.
    @ivar remaining: the number of days until the next level.
    """

    level: int
    days: int = 0
    hours: int = 0
    remaining: int = 0

    @property
    def icons(self) -> tuple[int, int, int]:
        """
        The level as numbers of suns, moons and stars.
        """
        return self.level // 16, self.level % 16 // 4, self.level % 4


class Presence(Value):
    """
    The presence of a contact who is not offline.
    """

    uin: Uin
    status: Status
    clientType: int = DESKTOP_CLIENT


class Captcha(Value):
    """
    A captcha, for requests that the server refuses without one.

    @ivar session: the id of the captcha, C{verifysession} on the wire.
    @ivar text: the characters in C{image}.
    """

    session: Secret = ""
    image: Annotated[bytes, SECRET] = b""
    text: str = ""
