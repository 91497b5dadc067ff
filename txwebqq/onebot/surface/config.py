"""
The configuration file of C{twistd webqq-onebot}.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from txwebqq.client import Servers
from txwebqq.config.toml import ConfigTable, readTOML
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number, Status
from txwebqq.net.tls import TrustRoots
from txwebqq.session.interfaces import Era

HEARTBEAT = 30


@dataclass(frozen=True, slots=True)
class ForwardSettings:
    """
    A port at which bots open WebSockets.

    @ivar listen: a server endpoint description.
    @ivar token: what a bot has to show, C{""} for nothing.
    @ivar isArray: whether messages are arrays of segments, or texts with CQ codes.
    @ivar heartbeat: seconds between two heartbeats, 0 for none.
    """

    listen: str
    token: str = field(default="", repr=False)
    isArray: bool = True
    heartbeat: int = HEARTBEAT


@dataclass(frozen=True, slots=True)
class ReverseSettings:
    """
    A bot to which we open a WebSocket.

    @ivar url: C{ws://} or C{wss://}.
    @ivar token: what the bot wants, C{""} for nothing.
    @ivar isArray: as of L{ForwardSettings}.
    @ivar heartbeat: as of L{ForwardSettings}.
    @ivar caFile: a file of certificate authorities besides the system's.
    """

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    isArray: bool = True
    heartbeat: int = HEARTBEAT
    caFile: str | None = None


@dataclass(frozen=True, slots=True)
class HTTPSettings:
    """
    A port at which bots make calls over HTTP.

    @ivar listen: a server endpoint description.
    @ivar token: as of L{ForwardSettings}.
    @ivar isArray: as of L{ForwardSettings}.
    """

    listen: str
    token: str = field(default="", repr=False)
    isArray: bool = True


@dataclass(frozen=True, slots=True)
class PostSettings:
    """
    A bot to which events are sent over HTTP.

    @ivar url: C{http://} or C{https://}.
    @ivar secret: the key of the signatures, C{""} for none.
    @ivar isArray: as of L{ForwardSettings}.
    @ivar heartbeat: as of L{ForwardSettings}, by default none.
    @ivar caFile: as of L{ReverseSettings}.
    """

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    isArray: bool = True
    heartbeat: int = 0
    caFile: str | None = None


@dataclass(frozen=True, slots=True)
class SurfaceSettings:
    """
    An account, and the ways to its bots.

    @ivar server: the URL of the WebQQ server.
    @ivar caFile: a file of certificate authorities besides the system's.
    @ivar era: the login variant of the server.
    """

    account: Account
    server: str = "http://127.0.0.1:8890"
    caFile: str | None = None
    era: Era = Era.E1
    forward: tuple[ForwardSettings, ...] = ()
    reverse: tuple[ReverseSettings, ...] = ()
    http: tuple[HTTPSettings, ...] = ()
    post: tuple[PostSettings, ...] = ()


def load(path: Path) -> tuple[SurfaceSettings, ...]:
    """
    Read a configuration file.

    @raise InvalidConfiguration: names the file, the table, the key and the error.
    """
    try:
        return _read(readTOML(path), path.parent)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{path}: {e}") from e


def _read(values: dict[str, Any], folder: Path) -> tuple[SurfaceSettings, ...]:
    file = ConfigTable("", values, folder)
    accounts = tuple(_account(table) for table in file.tables("account", "number"))
    file.close()
    if not accounts:
        raise InvalidConfiguration("there is no [[account]]")
    numbers = [each.account.number for each in accounts]
    for number in numbers:
        if numbers.count(number) > 1:
            raise InvalidConfiguration(
                f"account: {number} is there twice: the two sessions would end each"
                " other"
            )
    return accounts


def _account(table: ConfigTable) -> SurfaceSettings:
    number = Number(table.number("number", 1, 2**32 - 1))
    password = table.passwordFile("password-file")
    server = table.string("server", "http://127.0.0.1:8890")
    authorities = _authorities(table)
    status = table.choice("status", [known.value for known in Status], "online")
    era = table.choice("era", [known.value for known in Era], "E1")
    try:
        Servers.parse(server)
    except InvalidConfiguration as e:
        raise table.error("server", f"cannot be used: {e}") from e
    settings = SurfaceSettings(
        Account(number, password, Status(status)),
        server,
        authorities,
        Era(era),
        tuple(map(_forward, table.tables("forward"))),
        tuple(map(_reverse, table.tables("reverse"))),
        tuple(map(_http, table.tables("http"))),
        tuple(map(_post, table.tables("post"))),
    )
    table.close()
    if not (settings.forward or settings.reverse or settings.http or settings.post):
        raise table.error(
            "forward",
            "is missing, and so are reverse, http and post: no bot could"
            " use the account",
        )
    return settings


def _authorities(table: ConfigTable) -> str | None:
    path = table.path("ca-file")
    file = None if path is None else str(path)
    try:
        TrustRoots(file)
    except InvalidConfiguration as e:
        raise table.error("ca-file", f"cannot be used: {e}") from e
    return file


def _forward(table: ConfigTable) -> ForwardSettings:
    listen, token = _port(table)
    settings = ForwardSettings(listen, token, _isArray(table), _heartbeat(table))
    table.close()
    return settings


def _reverse(table: ConfigTable) -> ReverseSettings:
    settings = ReverseSettings(
        _url(table, "ws", "wss"),
        table.passwordFile("token-file", ""),
        _isArray(table),
        _heartbeat(table),
        _authorities(table),
    )
    table.close()
    return settings


def _http(table: ConfigTable) -> HTTPSettings:
    listen, token = _port(table)
    settings = HTTPSettings(listen, token, _isArray(table))
    table.close()
    return settings


def _post(table: ConfigTable) -> PostSettings:
    settings = PostSettings(
        _url(table, "http", "https"),
        table.passwordFile("secret-file", ""),
        _isArray(table),
        _heartbeat(table, 0),
        _authorities(table),
    )
    table.close()
    return settings


def _port(table: ConfigTable) -> tuple[str, str]:
    listen = table.string("listen")
    token = table.passwordFile("token-file", "")
    words = listen.split(":")
    isLocal = words[0] == "unix" or any(
        word in ("interface=127.0.0.1", "interface=localhost") for word in words
    )
    if not token and not isLocal:
        raise table.error(
            "token-file",
            "is missing, and others can reach the port: the account would be theirs."
            " Give one, or listen with interface=127.0.0.1",
        )
    return listen, token


def _isArray(table: ConfigTable) -> bool:
    return table.choice("format", ["array", "string"], "array") == "array"


def _heartbeat(table: ConfigTable, default: int = HEARTBEAT) -> int:
    return table.number("heartbeat", 0, 3600, default)


def _url(table: ConfigTable, *schemes: str) -> str:
    url = table.string("url")
    parts = urlsplit(url)
    try:
        isUsable = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        isUsable = False
    isUsable = isUsable and parts.scheme in schemes and not parts.username
    if not isUsable or not url.isprintable() or " " in url:
        raise table.error("url", f"is written {schemes[0]}://HOST:PORT/PATH")
    return url
