"""
What the relay is told: the table C{[relay]} of the configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.accounts import (
    AccountSettings,
    PictureSettings,
    readAccount,
    readPictures,
)
from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import isMiddleParam
from txwebqq.irc.protocol.nicknames import isChannel, isNick
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.net.tls import TrustRoots

MAX_LINE_TEXT = 4000
"""So many characters of a text are looked at for C{ignore-text}."""


_UNFIT = re.compile("[\0\r\n]")


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """
    An IRC network, and how to be there.

    @ivar endpoint: a client endpoint; C{tls:HOST:PORT} is verified.
    @ivar password: the server's own.
    @ivar saslUser: the account to sign on as, C{""} for none.
    @ivar nickserv: the password for NickServ.
    @ivar burst: so many lines at once, then one in C{seconds}.
    @ivar puppets: how many speakers may have a connection of their own.
    @ivar relaymsg: whether to speak under others' names where a server lets us.
    """

    name: str
    endpoint: str
    nick: str
    caFile: str | None = None
    user: str = "txwebqq"
    realname: str = "QQ relay"
    password: str = field(default="", repr=False)
    saslUser: str = ""
    saslPassword: str = field(default="", repr=False)
    nickserv: str = field(default="", repr=False)
    encoding: str = "utf-8"
    burst: int = 4
    seconds: float = 1.0
    puppets: int = 0
    relaymsg: bool = True


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """
    A channel of a network.
    """

    network: str
    name: str

    def __str__(self) -> str:
        return f"{self.network}/{self.name}"


@dataclass(frozen=True, slots=True)
class GroupRef:
    """
    A group or a discussion, and the account that is in it.
    """

    account: int
    target: Target

    def __str__(self) -> str:
        return f"{self.account}/{self.target.number}"


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """
    Groups and channels that become one room.

    @ivar key: of the channels that want one.
    @ivar ignoredNicks: in lower case; QQ numbers are understood too.
    @ivar optOut: what begins a line that stays where it is.
    @ivar joins: whether coming and going of those who speak is told.
    @ivar lines: of longer texts than so many lines a link is made.
    @ivar limit: so many texts may wait for a place.
    """

    groups: tuple[GroupRef, ...]
    channels: tuple[ChannelRef, ...]
    key: str = field(default="", repr=False)
    ignoredNicks: frozenset[str] = frozenset()
    ignoredTexts: tuple[re.Pattern[str], ...] = ()
    optOut: str = "--"
    joins: bool = True
    longText: LongTextPolicy = LongTextPolicy.BURST
    lines: int = 6
    limit: int = 1000
    overflow: OverflowPolicy = OverflowPolicy.REFUSE_NEW

    def ignores(self, nick: str, text: str) -> bool:
        """
        Whether somebody's words are not for others.
        """
        if nick.lower() in self.ignoredNicks:
            return True
        start = text[:MAX_LINE_TEXT]
        return any(pattern.search(start) for pattern in self.ignoredTexts)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """
    What the relay is told.

    @ivar database: a path, or L{None} for memory alone.
    @ivar pictures: where pictures and long texts are shown.
    """

    accounts: tuple[AccountSettings, ...]
    networks: tuple[NetworkSettings, ...]
    rooms: tuple[RoomSettings, ...]
    database: Path | None = None
    pictures: PictureSettings | None = None


def readRelay(table: ConfigTable) -> RelaySettings:
    """
    The relay that a table describes.
    """
    settings = RelaySettings(
        accounts=tuple(readAccount(account) for account in table.tables("account")),
        networks=tuple(_network(network) for network in table.tables("network")),
        rooms=tuple(_room(room) for room in table.tables("room")),
        database=table.path("database"),
        pictures=readPictures(table),
    )
    table.close()
    numbers = [account.account.number for account in settings.accounts]
    names = [network.name for network in settings.networks]
    for key, known in (("account", numbers), ("network", names)):
        if len(set(known)) < len(known):
            raise table.error(key, "has one twice")
    _check(table, settings)
    return settings


def _check(table: ConfigTable, settings: RelaySettings) -> None:
    if not settings.rooms:
        raise table.error("room", "is missing: nothing would be relayed")
    numbers = {account.account.number for account in settings.accounts}
    names = {network.name for network in settings.networks}
    seen: set[object] = set()
    for position, room in enumerate(settings.rooms, 1):
        where = f"room {position}"
        for group in room.groups:
            if group.account not in numbers:
                raise table.error(where, f"names {group.account}, which is no account")
        for channel in room.channels:
            if channel.network not in names:
                raise table.error(where, f"names {channel.network!r}, no network")
        if room.longText is LongTextPolicy.LINK and settings.pictures is None:
            raise table.error(where, 'has long = "link", which wants pictures-listen')
        folded = [(c.network, casefold(c.name)) for c in room.channels]
        for place in [*(c.target for c in room.groups), *folded]:
            if place in seen:
                raise table.error(where, "has a place that is in a room already")
            seen.add(place)


def _network(table: ConfigTable) -> NetworkSettings:
    authorities = table.path("ca-file")
    try:
        TrustRoots(None if authorities is None else str(authorities))
    except InvalidConfiguration as e:
        raise table.error("ca-file", f"cannot be used: {e}") from e
    saslUser = table.string("sasl-user", "")
    settings = NetworkSettings(
        name=table.string("name"),
        endpoint=table.string("endpoint"),
        caFile=None if authorities is None else str(authorities),
        nick=table.string("nick", "qqrelay"),
        user=table.string("user", "txwebqq"),
        realname=table.string("realname", "QQ relay"),
        password=table.passwordFile("server-password-file", ""),
        saslUser=saslUser,
        saslPassword=table.passwordFile("sasl-password-file", None if saslUser else ""),
        nickserv=table.passwordFile("nickserv-password-file", ""),
        encoding=table.string("encoding", "utf-8"),
        burst=table.number("burst", 1, 100, 4),
        seconds=table.number("milliseconds", 0, 60_000, 1000) / 1000,
        puppets=table.number("puppets", 0, 1000, 0),
        relaymsg=table.boolean("relaymsg", True),
    )
    if not isNick(settings.nick):
        raise table.error("nick", "cannot be a nick")
    if "/" in settings.name or not isMiddleParam(settings.name):
        raise table.error("name", "is no name that a network can have")
    if not isMiddleParam(settings.user):
        raise table.error("user", "has a space in it")
    if settings.nickserv and not isMiddleParam(settings.nickserv):
        raise table.error(
            "nickserv-password-file",
            "has a password with a space in it, which NickServ does not take",
        )
    if settings.saslPassword and not saslUser:
        raise table.error("sasl-password-file", "wants sasl-user")
    for key, text in (
        ("realname", settings.realname),
        ("server-password-file", settings.password),
        ("sasl-user", settings.saslUser),
        ("sasl-password-file", settings.saslPassword),
    ):
        if _UNFIT.search(text) is not None:
            raise table.error(key, "has a line end or a NUL in it")
    if settings.encoding not in ("utf-8", "gb18030"):
        raise table.error("encoding", "is neither utf-8 nor gb18030")
    table.close()
    return settings


def _room(table: ConfigTable) -> RoomSettings:
    groups = [
        _groupRef(table, "groups", text, TargetKind.GROUP)
        for text in table.stringList("groups", ())
    ]
    discussions = [
        _groupRef(table, "discussions", text, TargetKind.DISCUSSION)
        for text in table.stringList("discussions", ())
    ]
    channels = [_channelRef(table, text) for text in table.stringList("channels", ())]
    if len(groups) + len(discussions) + len(channels) < 2:
        raise table.error("channels", "and groups are less than two places")
    settings = RoomSettings(
        groups=(*groups, *discussions),
        channels=tuple(channels),
        key=table.passwordFile("key-file", ""),
        ignoredNicks=frozenset(n.lower() for n in table.stringList("ignore-nicks", ())),
        ignoredTexts=tuple(
            _pattern(table, text) for text in table.stringList("ignore-text", ())
        ),
        optOut=table.string("opt-out", "--", mayBeEmpty=True),
        joins=table.boolean("joins", True),
        longText=LongTextPolicy(
            table.choice("long", [v.value for v in LongTextPolicy], "burst")
        ),
        lines=table.number("max-lines", 1, 100, 6),
        limit=table.number("queue-limit", 1, 1_000_000, 1000),
        overflow=OverflowPolicy(
            table.choice("at-limit", [v.value for v in OverflowPolicy], "refuse-new")
        ),
    )
    if settings.key and ("," in settings.key or not isMiddleParam(settings.key)):
        raise table.error("key-file", "has a key with a space or a comma in it")
    table.close()
    return settings


def _groupRef(table: ConfigTable, key: str, text: str, kind: TargetKind) -> GroupRef:
    found = re.fullmatch("([0-9]{1,10})/([0-9]{1,10})", text)
    if found is None:
        raise table.error(key, f"has {text!r}, which is not ACCOUNT/NUMBER")
    return GroupRef(int(found[1]), Target(kind, int(found[2])))


def _channelRef(table: ConfigTable, text: str) -> ChannelRef:
    network, slash, name = text.partition("/")
    if not slash or not isChannel(name):
        raise table.error("channels", f"has {text!r}, which is not NETWORK/#CHANNEL")
    return ChannelRef(network, name)


def _pattern(table: ConfigTable, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as e:
        raise table.error("ignore-text", f"has {text!r}, no pattern: {e}") from e
