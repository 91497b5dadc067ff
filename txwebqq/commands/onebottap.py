"""
The plugin C{twistd webqq-onebot}: accounts for bots that speak OneBot 11.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService

from txwebqq.accounts import (
    REPEATED,
    Access,
    AccountMaker,
    WebQQAccess,
    makeAccount,
    readAccess,
)
from txwebqq.config.fileoptions import ConfigFileOptions
from txwebqq.config.toml import ConfigTable, refuseRepeated
from txwebqq.daemon import (
    Daemon,
    StartupError,
    escapeUnencodable,
    handleSignals,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account
from txwebqq.onebot.surface.config import SurfaceSettings, readSurface
from txwebqq.operation.accounts import WatchedAccounts
from txwebqq.operation.captchas.options import CaptchaOptions, CaptchaWays
from txwebqq.operation.maker import OperatedAccounts, commandsOf
from txwebqq.operation.options import OperationOptions, operationService
from txwebqq.operation.reload import daemonReloader
from txwebqq.steadytimers import steadyTimers
from txwebqq.systemd.notification import notifyServiceManager, takeServiceManager

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


class Options(ConfigFileOptions, CaptchaOptions, OperationOptions):
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
        self.readLogs()
        self["operation"] = self.readOperation()
        self["captchas"] = self.readCaptchaFolder()
        super().postOptions()


def makeService(options: Options) -> IService:
    """
    Build the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    escapeUnencodable()
    clock: Any = reactor
    twistd: Any = options.parent or {}
    steadyTimers(clock)
    daemon = Daemon(twistd, partial(options.logs.makeObserver, clock))
    watched = WatchedAccounts()
    manager = takeServiceManager(os.environ)
    isWatched = options["operation"] is not None or manager is not None
    accountMaker: AccountMaker = watched.makeAccount if isWatched else makeAccount
    accounts: tuple[BotAccountSettings, ...] = options["configuration"]
    ways = CaptchaWays(options["captchas"], options["operation"], clock)
    operated = OperatedAccounts(accountMaker, commandsOf(accounts), ways.ways)
    accountMaker = operated.makeAccount
    services: list[Any] = []
    for each in accounts:

        def make(factory: Any, each: BotAccountSettings = each) -> Any:
            return accountMaker(each.account, each.access, factory, clock)

        try:
            service: Any = SurfaceService(
                each.account.number, each.surface, make, clock
            )
        except InvalidConfiguration as e:
            raise StartupError(f"{options['config']}: {e}") from e
        service.setServiceParent(daemon)
        services.append(service)
    operation: Any = None
    if options["operation"] is not None:
        operation = operationService(options["operation"], [watched], clock)
        ways.addPage(operation)
        operation.setServiceParent(daemon)
    notifyServiceManager(manager, daemon, watched.status, clock)

    def apply(changed: Options) -> dict[str, bool]:
        new: tuple[BotAccountSettings, ...] = changed["configuration"]
        surfaces = {each.account.number: each.surface for each in new}
        applied = ways.reload(changed["captchas"], changed.tableName)
        commands = commandsOf(new)
        applied.update(operated.reload(commands, changed.tree()))
        for service in services:
            number = service.account.number
            if number in surfaces:
                applied.update(service.reload(surfaces[number]))
        return applied

    reload = daemonReloader(options, daemon, operation, apply)
    isForeground = bool(twistd.get("nodaemon"))
    clock.callWhenRunning(handleSignals, clock, isForeground, reload)
    return daemon
