"""
The plugin C{twistd webqq-irc}: the IRC gateway and the IRC relay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.error import CannotListenError
from twisted.python.usage import UsageError

from txwebqq.config.options import CommandOptions
from txwebqq.daemon import (
    LogFileOwner,
    StartupError,
    asDaemonUser,
    escapeUnencodable,
    handleSignals,
    listenErrorText,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.configfile import Configuration, load
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService


class Options(CommandOptions):
    """
    The command-line options.
    """

    command = "twistd webqq-irc"
    synopsis = "--config FILE.toml"
    longdesc = (
        "Run an IRC gateway (IRC clients use QQ accounts, which stay signed on), a"
        " relay between QQ groups and IRC channels, or both."
    )
    optParameters = [["config", None, None, "The configuration file."]]

    def postOptions(self) -> None:
        """
        Read the configuration file.

        @raise UsageError: when the file is missing or invalid.
        """
        if self["config"] is None:
            raise UsageError("--config is missing")
        try:
            self["configuration"] = load(Path(self["config"]))
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e


class IRCDaemon(MultiService):
    """
    The gateway, the relay, or both. The process ends when they cannot listen.
    """

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()  # type: ignore[no-untyped-call]
        except CannotListenError as e:
            where = f"{e.interface}:{e.port}" if e.port else e.interface
            raise StartupError(f"Cannot listen on {where}: {listenErrorText(e)}") from e


def makeService(options: Options) -> IService:
    """
    Build the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    escapeUnencodable()
    clock: Any = reactor
    twistd: Any = options.parent or {}
    clock.callWhenRunning(handleSignals, clock, bool(twistd.get("nodaemon")))
    configuration: Configuration = options["configuration"]
    daemon = IRCDaemon()  # type: ignore[no-untyped-call]
    LogFileOwner(twistd).setServiceParent(daemon)  # type: ignore[no-untyped-call]
    try:
        with asDaemonUser(twistd):
            if configuration.gateway is not None:
                gateway = GatewayService(configuration.gateway, clock)
                gateway.setServiceParent(daemon)  # type: ignore[no-untyped-call]
            if configuration.relay is not None:
                relay = RelayService(configuration.relay, clock)
                relay.setServiceParent(daemon)  # type: ignore[no-untyped-call]
    except InvalidConfiguration as e:
        raise StartupError(f"{options['config']}: {e}") from e
    return daemon
