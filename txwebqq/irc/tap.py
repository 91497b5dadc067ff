"""
The plugin C{twistd webqq-irc}: the IRC gateway and the IRC relay.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from twisted.application.service import IService

from txwebqq.accounts import AccountMaker, makeAccount
from txwebqq.config.fileoptions import ConfigFileOptions
from txwebqq.config.toml import ConfigTable
from txwebqq.daemon import (
    Daemon,
    StartupError,
    asDaemonUser,
    escapeUnencodable,
    handleSignals,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.configfile import TABLE, Configuration, readConfiguration
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService
from txwebqq.irc.statistics import GatewaySource, RelaySource
from txwebqq.operation.accounts import WatchedAccounts
from txwebqq.operation.captchas.options import CaptchaOptions, CaptchaWays
from txwebqq.operation.maker import OperatedAccounts, commandsOf
from txwebqq.operation.metrics import Source
from txwebqq.operation.options import OperationOptions, operationService
from txwebqq.operation.reload import daemonReloader
from txwebqq.steadytimers import steadyTimers
from txwebqq.systemd.notification import notifyServiceManager, takeServiceManager


class Options(ConfigFileOptions, CaptchaOptions, OperationOptions):
    """
    The command-line options.
    """

    command = "twistd webqq-irc"
    longdesc = (
        "Run an IRC gateway (IRC clients use QQ accounts, which stay signed on), a"
        " relay between QQ groups and IRC channels, or both."
    )

    tableName = TABLE

    def readConfiguration(self, root: ConfigTable) -> Configuration:
        return readConfiguration(root)

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
    configuration: Configuration = options["configuration"]
    daemon = Daemon(twistd, partial(options.logs.makeObserver, clock))
    watched = WatchedAccounts()
    sources: list[Source] = [watched]
    manager = takeServiceManager(os.environ)
    isWatched = options["operation"] is not None or manager is not None
    make: AccountMaker = watched.makeAccount if isWatched else makeAccount
    ways = CaptchaWays(options["captchas"], options["operation"], clock)
    operated = OperatedAccounts(make, commandsOf(configuration.accounts), ways.ways)
    make = operated.makeAccount
    gateway: GatewayService | None = None
    relay: RelayService | None = None
    try:
        with asDaemonUser(twistd):
            if configuration.gateway is not None:
                gateway = GatewayService(
                    configuration.gateway, clock, make, ways.advice
                )
                sources.append(GatewaySource(gateway))
                gateway.setServiceParent(daemon)  # type: ignore[no-untyped-call]
            if configuration.relay is not None:
                relay = RelayService(configuration.relay, clock, make, ways.advice)
                sources.append(RelaySource(relay))
                relay.setServiceParent(daemon)  # type: ignore[no-untyped-call]
    except InvalidConfiguration as e:
        raise StartupError(f"{options['config']}: {e}") from e
    operation: Any = None
    if options["operation"] is not None:
        operation = operationService(options["operation"], sources, clock)
        ways.addPage(operation)
        operation.setServiceParent(daemon)
    notifyServiceManager(manager, daemon, watched.status, clock)

    def apply(changed: Options) -> dict[str, bool]:
        new: Configuration = changed["configuration"]
        applied = ways.reload(changed["captchas"], changed.tableName)
        commands = commandsOf(new.accounts)
        applied.update(operated.reload(commands, changed.tree()))
        if gateway is not None and new.gateway is not None:
            applied.update(gateway.reload(new.gateway))
        if relay is not None and new.relay is not None:
            applied.update(relay.reload(new.relay))
        return applied

    reload = daemonReloader(options, daemon, operation, apply)
    isForeground = bool(twistd.get("nodaemon"))
    clock.callWhenRunning(handleSignals, clock, isForeground, reload)
    return daemon
