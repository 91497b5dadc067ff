"""
The C{[relay]} table of the configuration file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from txwebqq.accounts import REPEATED
from txwebqq.config.toml import ConfigTable, nearText, refuseRepeated
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.accounts import (
    BURST,
    SECONDS,
    AccountSettings,
    PictureSettings,
    readAccount,
    readPictures,
)
from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import isMiddleParam
from txwebqq.irc.protocol.nicknames import displayName, isChannel, isNick
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.net.endpoints import checkClientEndpoint
from txwebqq.net.tls import TrustRoots

MAX_MATCHED = 4000
"""Length of the beginning of a text that C{ignore-text} is matched against, in
characters."""

V = TypeVar("V")

_UNFIT = re.compile("[\0\r\n]")


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """
    An IRC network, and how to register with it.

    @ivar endpoint: a client endpoint description; the certificate of
        C{tls:HOST:PORT} is verified.
    @ivar caFile: a file of certificate authorities besides the system's.
    @ivar password: the server password (C{PASS}); C{""} for none.
    @ivar saslUser: the account name for SASL; C{""} for no SASL.
    @ivar nickserv: the password for NickServ; C{""} for none.
    @ivar encoding: of the lines sent.
    @ivar burst: number of lines sent at once, before the rate limit applies.
    @ivar seconds: time between two lines after that.
    @ivar puppets: maximum number of QQ users with a connection of their own, in each
        channel.
    @ivar relaymsg: whether to use C{RELAYMSG} on servers that offer it.
    @ivar bouncer: whether C{endpoint} is a bouncer; ZNC and soju are recognised.
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
    bouncer: bool = False


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """
    A channel of a network.

    @ivar network: the name of the network in the configuration.
    """

    network: str
    name: str

    def __str__(self) -> str:
        return f"{self.network}/{self.name}"


@dataclass(frozen=True, slots=True)
class GroupRef:
    """
    A group or discussion, and the account that is a member of it.
    """

    account: int
    target: Target

    def __str__(self) -> str:
        return f"{self.account}/{self.target.number}"


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """
    A room: groups and channels that are bridged with each other.

    @ivar key: the channel key (C{+k}); C{""} for none.
    @ivar ignoredNicks: nicks and shown names in lower case, and QQ numbers.
    @ivar ignoredTexts: patterns of messages that are not relayed.
    @ivar optOut: the prefix of messages that are not relayed.
    @ivar joins: whether joins and parts of active members are announced.
    @ivar lines: maximum number of lines that L{LongTextPolicy.LINK} sends
        without a link.
    @ivar limit: maximum number of messages in an outbox queue.
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
        Return whether a message is not relayed.
        """
        if displayName(nick).lower() in self.ignoredNicks:
            return True
        start = text[:MAX_MATCHED]
        return any(pattern.search(start) for pattern in self.ignoredTexts)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """
    The settings of the relay.

    @ivar database: the database file; C{None} for a database in memory.
    @ivar pictures: links to pictures and long texts; C{None} for no links.
    """

    accounts: tuple[AccountSettings, ...]
    networks: tuple[NetworkSettings, ...]
    rooms: tuple[RoomSettings, ...]
    database: Path | None = None
    pictures: PictureSettings | None = None


def readRelay(table: ConfigTable, taken: Collection[int] = ()) -> RelaySettings:
    """
    Read the C{[relay]} table.

    @param taken: the accounts of the gateway.

    @raise InvalidConfiguration: when a key is invalid.
    """
    rooms = table.each("room", _room)
    accounts = table.each("account", lambda each: (each, _account(each)))
    networks = table.each("network", lambda each: (each, _network(each)))
    settings = RelaySettings(
        accounts=tuple(account for _, account in accounts),
        networks=tuple(network for _, network in networks),
        rooms=tuple(room.settings for room in rooms),
        database=table.writtenFile("database"),
        pictures=readPictures(table),
    )
    table.close()
    numbers = [(each, account.account.number) for each, account in accounts]
    for each, number in numbers:
        if number in taken and each.isSound("number"):
            problem = f"{number} is an account of the gateway, too{REPEATED}"
            each.refuse("number", problem)
    refuseRepeated(numbers, "number", REPEATED)
    refuseRepeated(((each, network.name) for each, network in networks), "name")
    _check(table, settings, rooms)
    return settings


@dataclass(frozen=True, slots=True)
class _Room:
    """
    A room of the file.

    @ivar places: the keys and positions in their lists of its groups, discussions
        and channels.
    """

    table: ConfigTable
    settings: RoomSettings
    places: Sequence[tuple[str, int]]


def _check(table: ConfigTable, settings: RelaySettings, rooms: Sequence[_Room]) -> None:
    if not settings.rooms:
        table.refuse("room", "is missing: nothing would be relayed")
    numbers = {account.account.number for account in settings.accounts}
    names = {network.name for network in settings.networks}
    # An account whose number is wrong has the number 1, such a network no name.
    seen: set[object] = set()
    for each in rooms:
        room = each.settings
        if room.longText is LongTextPolicy.LINK and settings.pictures is None:
            each.table.refuse("long", 'is "link", which needs pictures-listen')
        endpoints: list[GroupRef | ChannelRef] = [*room.groups, *room.channels]
        for endpoint, (key, position) in zip(endpoints, each.places, strict=True):
            problem = advice = ""
            folded: object
            if isinstance(endpoint, GroupRef):
                if endpoint.account not in numbers and 1 not in numbers:
                    problem = f"has {endpoint.account}, which is no relay.account"
                folded = endpoint.target
            else:
                if endpoint.network not in names and "" not in names:
                    problem = f"has {endpoint.network!r}, which is no relay.network"
                    advice = nearText(endpoint.network, names)
                folded = (endpoint.network, casefold(endpoint.name))
            if not problem and folded in seen:
                problem = f"has an endpoint that is in a room already: {endpoint}"
            if problem:
                each.table.refuse(key, problem, advice, position)
            seen.add(folded)


def _account(table: ConfigTable) -> AccountSettings:
    burst = table.number("burst", 1, 100, BURST)
    milliseconds = table.number("milliseconds", 0, 60_000, int(SECONDS * 1000))
    return replace(readAccount(table), burst=burst, seconds=milliseconds / 1000)


def _network(table: ConfigTable) -> NetworkSettings:
    authorities = table.path("ca-file")
    try:
        TrustRoots(None if authorities is None else str(authorities))
    except InvalidConfiguration as e:
        table.refuse("ca-file", f"cannot be used: {e}")
    saslUser = table.string("sasl-user", "")
    endpoint = table.string("endpoint")
    if endpoint:
        try:
            checkClientEndpoint(endpoint)
        except InvalidConfiguration as e:
            table.refuse("endpoint", f"cannot be used: {e}")
    settings = NetworkSettings(
        name=table.string("name"),
        endpoint=endpoint,
        caFile=None if authorities is None else str(authorities),
        nick=table.string("nick", "qqrelay"),
        user=table.string("user", "txwebqq"),
        realname=table.string("realname", "QQ relay"),
        password=table.passwordFile("server-password-file", ""),
        saslUser=saslUser,
        saslPassword=table.passwordFile("sasl-password-file", None if saslUser else ""),
        nickserv=table.passwordFile("nickserv-password-file", ""),
        encoding=table.choice("encoding", ["utf-8", "gb18030"], "utf-8"),
        burst=table.number("burst", 1, 100, 4),
        seconds=table.number("milliseconds", 0, 60_000, 1000) / 1000,
        puppets=table.number("puppets", 0, 1000, 0),
        relaymsg=table.boolean("relaymsg", True),
        bouncer=table.boolean("bouncer", False),
    )
    if not isNick(settings.nick):
        table.refuse("nick", "is not a valid nick")
    if "/" in settings.name or not isMiddleParam(settings.name):
        table.refuse("name", "is not a valid network name")
    if not isMiddleParam(settings.user):
        table.refuse("user", "contains a space")
    if settings.nickserv and not isMiddleParam(settings.nickserv):
        table.refuse(
            "nickserv-password-file",
            "contains a password with a space, which NickServ does not accept",
        )
    if settings.saslPassword and not saslUser:
        table.refuse("sasl-password-file", "needs sasl-user")
    for key, text in (
        ("realname", settings.realname),
        ("server-password-file", settings.password),
        ("sasl-user", settings.saslUser),
        ("sasl-password-file", settings.saslPassword),
    ):
        if _UNFIT.search(text) is not None:
            table.refuse(key, "contains a line end or a NUL")
    table.close()
    return settings


def _room(table: ConfigTable) -> _Room:
    groups = _parsed(table, "groups", partial(_groupRef, TargetKind.GROUP))
    discussions = _parsed(
        table, "discussions", partial(_groupRef, TargetKind.DISCUSSION)
    )
    channels = _parsed(table, "channels", _channelRef)
    places = [
        (key, position)
        for key, found in (
            ("groups", groups),
            ("discussions", discussions),
            ("channels", channels),
        )
        for position in found
    ]
    if len(places) < 2 and table.isSound("groups", "discussions", "channels"):
        table.refuse("channels", "and groups must name at least two endpoints")
    settings = RoomSettings(
        groups=(*groups.values(), *discussions.values()),
        channels=tuple(channels.values()),
        key=table.passwordFile("key-file", ""),
        ignoredNicks=frozenset(
            displayName(name).lower() for name in table.stringList("ignore-nicks", ())
        ),
        ignoredTexts=tuple(_parsed(table, "ignore-text", _pattern).values()),
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
        table.refuse("key-file", "contains a key with a space or a comma")
    table.close()
    return _Room(table, settings, places)


def _parsed(table: ConfigTable, key: str, parse: Callable[[str], V]) -> dict[int, V]:
    """
    Read a list of texts.

    @param parse: converts one text; raises L{ValueError} with the reason why it
        cannot, after which the text is left out.

    @return: the values by the positions of their texts.
    """
    found = {}
    for position, text in table.entries(key, ()):
        try:
            found[position] = parse(text)
        except ValueError as e:
            table.refuse(key, f"has {text!r}, which is {e}", position=position)
    return found


def _groupRef(kind: TargetKind, text: str) -> GroupRef:
    found = re.fullmatch("([0-9]{1,10})/([0-9]{1,10})", text)
    if found is None:
        raise ValueError("not ACCOUNT/NUMBER")
    return GroupRef(int(found[1]), Target(kind, int(found[2])))


def _channelRef(text: str) -> ChannelRef:
    network, slash, name = text.partition("/")
    if not slash or not isChannel(name):
        raise ValueError("not NETWORK/#CHANNEL")
    return ChannelRef(network, name)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as e:
        raise ValueError(f"no regular expression: {e}") from e
