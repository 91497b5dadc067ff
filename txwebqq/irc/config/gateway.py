"""
The C{[gateway]} table of the configuration file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from txwebqq.accounts import REPEATED
from txwebqq.config.endpointkeys import readEndpoints
from txwebqq.config.passwordhash import PasswordHash, parseHash
from txwebqq.config.toml import ConfigTable, refuseRepeated
from txwebqq.errors import InvalidConfiguration
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
    A user of the gateway.

    @ivar password: the password, or its hash.
    @ivar style: the characters of the nicks for QQ contacts.
    @ivar accounts: the user's QQ accounts.
    """

    name: str
    password: str | PasswordHash = field(repr=False)
    style: NickStyle = NickStyle.UTF8
    accounts: tuple[AccountSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """
    The settings of the gateway.

    @ivar listen: server endpoint descriptions.
    @ivar name: the server name in IRC messages.
    @ivar database: the database file; C{None} for a database in memory.
    @ivar historyDays: how long messages are stored.
    @ivar historyMessages: maximum number of stored messages of a user.
    @ivar motd: the message of the day; C{""} for none.
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
    Read the C{[gateway]} table.

    @raise InvalidConfiguration: when a key is invalid.
    """
    accounts: list[tuple[ConfigTable, AccountSettings]] = []
    found = table.each("user", lambda each: (each, _user(each, accounts)))
    users = tuple(user for _, user in found)
    if not users:
        table.refuse("user", "is missing: no client could log in")
    refuseRepeated(((each, user.name) for each, user in found), "name")
    refuseRepeated(
        ((each, settings.account.number) for each, settings in accounts),
        "number",
        REPEATED,
    )
    settings = GatewaySettings(
        users=users,
        listen=readEndpoints(table, "listen", LISTEN),
        name=table.string("name", "qq.localhost"),
        database=table.writtenFile("database"),
        pictures=readPictures(table),
        historyDays=table.number("history-days", 1, 3650, 30),
        historyMessages=table.number("history-messages", 1, 10_000_000, 100_000),
        motd=table.string("motd", ""),
    )
    if not isMiddleParam(settings.name):
        table.refuse("name", "is not a valid server name")
    table.close()
    return settings


def _password(table: ConfigTable) -> str | PasswordHash:
    if not table.has("password-hash"):
        return table.passwordFile("password-file")
    if table.has("password-file"):
        table.refuse("password-hash", "and password-file exclude each other")
        table.value("password-file")
    text = table.string("password-hash")
    try:
        return parseHash(text)
    except InvalidConfiguration as e:
        table.refuse("password-hash", str(e))
        return ""


def _user(
    table: ConfigTable, found: list[tuple[ConfigTable, AccountSettings]]
) -> UserSettings:
    """
    Read a C{user} table.

    @param found: the accounts of all users, to which those of this one are added.
    """
    name = table.string("name")
    if not isNick(name):
        table.refuse("name", "is not a valid nick")
    password = _password(table)
    style = table.choice("nicks", [known.value for known in NickStyle], "utf-8")
    accounts = table.each("account", lambda each: (each, readAccount(each)))
    if not accounts:
        table.refuse("account", "is missing")
    found.extend(accounts)
    table.close()
    return UserSettings(
        name, password, NickStyle(style), tuple(settings for _, settings in accounts)
    )
