"""
Settings of the ways to the bots of an account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from txwebqq.config.endpointkeys import readEndpoint
from txwebqq.config.endpoints import isLocal
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.net.tls import TrustRoots
from txwebqq.onebot.surface.store import MAX_MESSAGES

HEARTBEAT = 30


@dataclass(frozen=True, slots=True)
class ForwardSettings:
    """
    A port at which bots open WebSockets.

    @ivar listen: a server endpoint description.
    @ivar token: what a bot has to show, C{""} for nothing.
    @ivar isArray: whether messages are arrays of segments, or texts with CQ codes.
    @ivar heartbeat: seconds between two heartbeats, 0 for none.
    @ivar hasOwn: whether messages of our own are told of.
    """

    listen: str
    token: str = field(default="", repr=False)
    isArray: bool = True
    heartbeat: int = HEARTBEAT
    hasOwn: bool = False


@dataclass(frozen=True, slots=True)
class ReverseSettings:
    """
    A bot to which we open a WebSocket.

    @ivar url: C{ws://} or C{wss://}.
    @ivar token: what the bot wants, C{""} for nothing.
    @ivar isArray: as of L{ForwardSettings}.
    @ivar heartbeat: as of L{ForwardSettings}.
    @ivar caFile: a file of certificate authorities besides the system's.
    @ivar hasOwn: as of L{ForwardSettings}.
    """

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    isArray: bool = True
    heartbeat: int = HEARTBEAT
    caFile: str | None = None
    hasOwn: bool = False


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
    @ivar hasOwn: as of L{ForwardSettings}.
    """

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    isArray: bool = True
    heartbeat: int = 0
    caFile: str | None = None
    hasOwn: bool = False


@dataclass(frozen=True, slots=True)
class SurfaceSettings:
    """
    The ways to the bots of an account.

    @ivar folder: the folder whose files bots may share in groups.
    @ivar remembered: the number of messages that bots can still refer to.
    """

    forward: tuple[ForwardSettings, ...] = ()
    reverse: tuple[ReverseSettings, ...] = ()
    http: tuple[HTTPSettings, ...] = ()
    post: tuple[PostSettings, ...] = ()
    folder: Path | None = None
    remembered: int = MAX_MESSAGES


def readSurface(table: ConfigTable) -> SurfaceSettings:
    """
    Read the tables within an C{account} table.

    @raise InvalidConfiguration: when a key is invalid, or there is no table.
    """
    settings = SurfaceSettings(
        table.each("forward", _forward),
        table.each("reverse", _reverse),
        table.each("http", _http),
        table.each("post", _post),
        _folder(table),
        table.number("remembered-messages", 1, 1_000_000, MAX_MESSAGES),
    )
    if not (settings.forward or settings.reverse or settings.http or settings.post):
        # A misspelt table says more than that all four are missing.
        table.close()
        if table.isSound():
            table.refuse(
                "forward",
                "is missing, and so are reverse, http and post: no bot could use the"
                " account",
            )
    return settings


def _folder(table: ConfigTable) -> Path | None:
    folder = table.path("files-folder")
    if folder is not None and not folder.is_dir():
        table.refuse("files-folder", f"is no folder: {folder}")
    return folder


def _authorities(table: ConfigTable) -> str | None:
    path = table.path("ca-file")
    file = None if path is None else str(path)
    try:
        TrustRoots(file)
    except InvalidConfiguration as e:
        table.refuse("ca-file", f"cannot be used: {e}")
    return file


def _forward(table: ConfigTable) -> ForwardSettings:
    listen, token = _port(table)
    settings = ForwardSettings(
        listen, token, _isArray(table), _heartbeat(table), _hasOwn(table)
    )
    table.close()
    return settings


def _reverse(table: ConfigTable) -> ReverseSettings:
    settings = ReverseSettings(
        _url(table, "ws", "wss"),
        table.passwordFile("token-file", ""),
        _isArray(table),
        _heartbeat(table),
        _authorities(table),
        _hasOwn(table),
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
        _hasOwn(table),
    )
    table.close()
    return settings


def _port(table: ConfigTable) -> tuple[str, str]:
    listen = readEndpoint(table, "listen")
    token = table.passwordFile("token-file", "")
    isSound = table.isSound("listen", "token-file")
    if isSound and not token and not isLocal(listen):
        table.refuse(
            "token-file",
            "is missing, and others can reach the port: the account would be theirs."
            " Give one, or listen with interface=127.0.0.1",
        )
    return listen, token


def _isArray(table: ConfigTable) -> bool:
    return table.choice("format", ["array", "string"], "array") == "array"


def _hasOwn(table: ConfigTable) -> bool:
    return table.boolean("report-self-message", False)


def _heartbeat(table: ConfigTable, default: int = HEARTBEAT) -> int:
    return table.number("heartbeat", 0, 3600, default)


def _url(table: ConfigTable, *schemes: str) -> str:
    url = table.string("url")
    try:
        parts = urlsplit(url)
        isUsable = (
            parts.scheme in schemes
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:
        isUsable = False
    if not isUsable or not url.isprintable() or " " in url:
        table.refuse("url", f"is written {schemes[0]}://HOST:PORT/PATH")
    return url
