"""
What the gateway is told: the table C{[gateway]} of the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from txwebqq.config.toml import ConfigTable
from txwebqq.irc.config.accounts import (
    AccountSettings,
    PictureSettings,
    readAccount,
    readPictures,
)
from txwebqq.irc.protocol.line import isMiddleParam
from txwebqq.irc.protocol.nicknames import NickStyle, isNick

LISTEN = ("tcp:6667:interface=127.0.0.1",)


@dataclass(frozen=True, slots=True)
class UserSettings:
    """
    Somebody who may come in.
    """

    name: str
    password: str = field(repr=False)
    style: NickStyle = NickStyle.UTF8
    accounts: tuple[AccountSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """
    What the gateway is told.

    @ivar listen: endpoints.
    @ivar name: what the IRC server calls itself.
    @ivar database: a path, or L{None} for memory alone.
    """

    users: tuple[UserSettings, ...]
    listen: tuple[str, ...] = LISTEN
    name: str = "qq.localhost"
    database: Path | None = None
    pictures: PictureSettings | None = None
    historyDays: int = 30
    historyMessages: int = 100_000
    motd: str = ""


def readGateway(table: ConfigTable) -> GatewaySettings:
    """
    The gateway that a table describes.
    """
    users = tuple(_user(user) for user in table.tables("user"))
    if not users:
        raise table.error("user", "is missing: nobody could come in")
    names = [user.name for user in users]
    if len(set(names)) < len(names):
        raise table.error("user", "has two of one name")
    numbers = [a.account.number for user in users for a in user.accounts]
    if len(set(numbers)) < len(numbers):
        raise table.error("user", "has an account twice: they would kick each other")
    settings = GatewaySettings(
        users=users,
        listen=table.stringList("listen", LISTEN),
        name=table.string("name", "qq.localhost"),
        database=table.path("database"),
        pictures=readPictures(table),
        historyDays=table.number("history-days", 1, 3650, 30),
        historyMessages=table.number("history-messages", 1, 10_000_000, 100_000),
        motd=table.string("motd", ""),
    )
    if not isMiddleParam(settings.name):
        raise table.error("name", "is no name that a server can have")
    table.close()
    return settings


def _user(table: ConfigTable) -> UserSettings:
    name = table.string("name")
    if not isNick(name):
        raise table.error("name", "cannot be a nick")
    password = table.passwordFile("password-file")
    style = table.string("nicks", NickStyle.UTF8.value)
    if style not in [known.value for known in NickStyle]:
        raise table.error(
            "nicks", f"is none of {', '.join(s.value for s in NickStyle)}"
        )
    accounts = tuple(readAccount(account) for account in table.tables("account"))
    if not accounts:
        raise table.error("account", "is missing")
    table.close()
    return UserSettings(name, password, NickStyle(style), accounts)
