"""
The configuration file of C{twistd webqq-irc}.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from txwebqq.client import Servers
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.line import isWord
from txwebqq.irc.nicks import Style, isNick
from txwebqq.model import Account, Number, Status
from txwebqq.passwords import readSecret
from txwebqq.session import Era
from txwebqq.tls import Authorities

LISTEN = ("tcp:6667:interface=127.0.0.1",)


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """
    A QQ account to keep signed on.
    """

    account: Account
    server: str = "http://127.0.0.1:8890"
    authorities: str | None = None
    era: Era = Era.E1


@dataclass(frozen=True, slots=True)
class UserSettings:
    """
    Somebody who may come in.
    """

    name: str
    password: str = field(repr=False)
    style: Style = Style.UTF8
    accounts: tuple[AccountSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """
    How pictures are shown to IRC users.

    @ivar listen: an endpoint.
    @ivar url: where that is found from outside.
    """

    listen: str
    url: str
    days: int = 7
    megabytes: int = 200


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


class Table:
    """
    A table of the file, read key by key.
    """

    def __init__(self, name: str, values: object, folder: Path) -> None:
        if not isinstance(values, dict):
            raise InvalidConfiguration(f"{name} is no table")
        self._name = name
        self._values: dict[str, Any] = dict(values)
        self._folder = folder

    def error(self, key: str, problem: str) -> InvalidConfiguration:
        """
        What is wrong with a key.
        """
        return InvalidConfiguration(f"{self._name}: {key} {problem}")

    def text(self, key: str, default: str | None = None) -> str:
        """
        A text; without C{default} it must be there.
        """
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        if not isinstance(value, str) or not (value or default == ""):
            raise self.error(key, "is not a text")
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """
        A number in a range.
        """
        value = self._values.pop(key, default)
        if value is None:
            raise self.error(key, "is missing")
        isNumber = isinstance(value, int) and not isinstance(value, bool)
        if not isNumber or not low <= value <= high:
            raise self.error(key, f"is not a number from {low} to {high}")
        return int(value)

    def path(self, key: str) -> Path | None:
        """
        A path, relative to the configuration file.
        """
        if key not in self._values:
            return None
        return self._folder / self.text(key)

    def secret(self, key: str) -> str:
        """
        What stands in a file that nobody else may read.
        """
        path = self._folder / self.text(key)
        try:
            return readSecret(path)
        except InvalidConfiguration as e:
            raise self.error(key, f"cannot be used: {e}") from e

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """
        A list of texts, at least one.
        """
        values = self._values.pop(key, list(default))
        isTexts = isinstance(values, list) and all(isinstance(v, str) for v in values)
        if not isTexts or not values:
            raise self.error(key, "is not a list of texts")
        return tuple(values)

    def tables(self, key: str) -> Iterator[Table]:
        """
        The tables of a C{[[...]]}.
        """
        values = self._values.pop(key, [])
        if not isinstance(values, list):
            raise self.error(key, f"is written [[...{key}]]")
        for position, value in enumerate(values, 1):
            yield Table(f"{self._name}.{key} {position}", value, self._folder)

    def close(self) -> None:
        """
        There must be no key left.
        """
        for key in self._values:
            raise self.error(repr(key), "is not known here")


def load(path: Path) -> GatewaySettings:
    """
    What a file says.

    @raise InvalidConfiguration: with the file, the table, the key, and what is
        wrong there.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise InvalidConfiguration(f"{path}: {e.strerror or e}") from e
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as e:
        raise InvalidConfiguration(f"{path}: not TOML: {e}") from e
    try:
        return _read(values, path.parent)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{path}: {e}") from e


def _read(values: Mapping[str, Any], folder: Path) -> GatewaySettings:
    for key in values:
        if key != "gateway":
            raise InvalidConfiguration(f"{key!r} is not known here")
    table = Table("gateway", values.get("gateway", {}), folder)
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
        listen=table.texts("listen", LISTEN),
        name=table.text("name", "qq.localhost"),
        database=table.path("database"),
        pictures=_pictures(table),
        historyDays=table.number("history-days", 1, 3650, 30),
        historyMessages=table.number("history-messages", 1, 10_000_000, 100_000),
        motd=table.text("motd", ""),
    )
    if not isWord(settings.name):
        raise table.error("name", "is no name that a server can have")
    table.close()
    return settings


def _pictures(table: Table) -> PictureSettings | None:
    listen = table.text("pictures-listen", "")
    url = table.text("pictures-url", "")
    days = table.number("pictures-days", 1, 3650, 7)
    megabytes = table.number("pictures-megabytes", 1, 1_000_000, 200)
    if bool(listen) != bool(url):
        raise table.error("pictures-listen", "and pictures-url go together")
    return PictureSettings(listen, url, days, megabytes) if listen else None


def _user(table: Table) -> UserSettings:
    name = table.text("name")
    if not isNick(name):
        raise table.error("name", "cannot be a nick")
    password = table.secret("password-file")
    style = table.text("nicks", Style.UTF8.value)
    if style not in [known.value for known in Style]:
        raise table.error("nicks", f"is none of {', '.join(s.value for s in Style)}")
    accounts = tuple(_account(account) for account in table.tables("account"))
    if not accounts:
        raise table.error("account", "is missing")
    table.close()
    return UserSettings(name, password, Style(style), accounts)


def _account(table: Table) -> AccountSettings:
    number = Number(table.number("number", 1, 2**32 - 1))
    password = table.secret("password-file")
    server = table.text("server", "http://127.0.0.1:8890")
    authorities = table.path("ca-file")
    status, era = table.text("status", "online"), table.text("era", "E1")
    try:
        Servers.parse(server)
        Authorities(None if authorities is None else str(authorities))
    except InvalidConfiguration as e:
        raise table.error("server", f"or ca-file cannot be used: {e}") from e
    if status not in [known.value for known in Status]:
        raise table.error("status", "is none of QQ's")
    if era not in [known.value for known in Era]:
        raise table.error("era", "is none of E1, E2, E3")
    table.close()
    return AccountSettings(
        Account(number, password, Status(status)),
        server,
        None if authorities is None else str(authorities),
        Era(era),
    )
