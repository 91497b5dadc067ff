"""
The plugin C{twistd webqq-onebot}: accounts for bots that speak OneBot 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from twisted.application.service import IService

from txwebqq.accounts import (
    REPEATED,
    Access,
    WebQQAccess,
    readAccess,
)
from txwebqq.config.fileoptions import ConfigFileOptions
from txwebqq.config.toml import ConfigTable, refuseRepeated
from txwebqq.daemon import StartupError
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number
from txwebqq.onebot.surface.config import SurfaceSettings, readSurface
from txwebqq.operation.accountsdaemon import AccountsDaemon, AccountsOptions

try:
    # It needs an extra.
    from txwebqq.onebot.surface.service import SurfaceService
except ImportError as e:
    raise StartupError(
        "twistd webqq-onebot needs the package wsproto: run pip install --editable"
        " '.[onebot]' in the checkout of txwebqq"
    ) from e

TABLE = "onebot"
"""The table of the daemon's options in the configuration file."""


@dataclass(frozen=True, slots=True)
class BotAccountSettings:
    """
    An account that bots use.

    @ivar access: how it reaches QQ.
    @ivar surface: the ways to its bots.
    @ivar onState: the program that is run when the state of the account changes, and
        its arguments.
    """

    account: Account
    access: Access
    surface: SurfaceSettings
    onState: tuple[str, ...] = ()


def readAccounts(root: ConfigTable) -> tuple[BotAccountSettings, ...]:
    """
    Read the accounts of a configuration file. Errors are added to those of the file.
    """
    found = root.each("account", lambda each: (each, _readAccount(each)), "number")
    accounts = tuple(settings for _, settings in found)
    if not accounts:
        # A misspelt table says more.
        root.close()
        if root.isSound():
            root.complain("there is no [[account]]")
    refuseRepeated(
        ((each, settings.account.number) for each, settings in found),
        "number",
        REPEATED,
    )
    for key in ("session-file", "seen-file"):
        refuseRepeated(_filesOf(found, key), key, ": each account needs its own")
    return accounts


def _filesOf(
    found: Iterable[tuple[ConfigTable, BotAccountSettings]], key: str
) -> Iterator[tuple[ConfigTable, Path]]:
    for table, settings in found:
        access = settings.access
        if isinstance(access, WebQQAccess):
            isSession = key == "session-file"
            path = access.sessionFile if isSession else access.seenFile
            if path is not None:
                yield table, path


def _readAccount(table: ConfigTable) -> BotAccountSettings:
    account, access = readAccess(table)
    if isinstance(access, WebQQAccess):
        # OneBot gives no event a second time.
        access = replace(access, seenFile=table.writtenFile("seen-file"))
    onState = table.command("on-state")
    settings = BotAccountSettings(account, access, readSurface(table), onState)
    table.close()
    return settings


class Options(ConfigFileOptions, AccountsOptions):
    """
    The command-line options.
    """

    command = "twistd webqq-onebot"
    longdesc = (
        "Let bots that speak OneBot 11 use QQ accounts, which stay signed on: by"
        " WebSockets that either side opens, or over HTTP."
    )

    tableName = TABLE

    def readConfiguration(self, root: ConfigTable) -> tuple[BotAccountSettings, ...]:
        return readAccounts(root)

    def postOptions(self) -> None:
        """
        Convert the options to values.

        @raise UsageError: when one is missing or invalid.
        """
        self.readOperatorOptions()
        super().postOptions()

    @property
    def accounts(self) -> tuple[BotAccountSettings, ...]:
        """
        The accounts.
        """
        found: tuple[BotAccountSettings, ...] = self["configuration"]
        return found


def makeService(options: Options) -> IService:
    """
    Build the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    clock: Any = reactor
    daemon = AccountsDaemon(options, attrgetter("accounts"), clock)
    services: dict[Number, SurfaceService] = {}

    def apply(changed: Options) -> dict[str, bool]:
        applied: dict[str, bool] = {}
        for each in changed.accounts:
            if each.account.number in services:
                applied.update(services[each.account.number].reload(each.surface))
        return applied

    try:
        for each in options.accounts:

            def make(factory: Any, each: BotAccountSettings = each) -> Any:
                return daemon.makeAccount(each.account, each.access, factory, clock)

            number = each.account.number
            services[number] = SurfaceService(number, each.surface, make, clock)
        return daemon.service(services.values(), apply=apply)
    except InvalidConfiguration as e:
        raise StartupError(f"{options['config']}: {e}") from e
