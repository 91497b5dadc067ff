"""
The plugin C{twistd webqq-irc}: the IRC gateway and the IRC relay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.application.service import IService

from txwebqq.config.options import ConfigFileOptions
from txwebqq.daemon import (
    Daemon,
    StartupError,
    asDaemonUser,
    escapeUnencodable,
    handleSignals,
)
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.configfile import Configuration, load
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService


class Options(ConfigFileOptions):
    """
    The command-line options.
    """

    command = "twistd webqq-irc"
    longdesc = (
        "Run an IRC gateway (IRC clients use QQ accounts, which stay signed on), a"
        " relay between QQ groups and IRC channels, or both."
    )

    def load(self, path: Path) -> Configuration:
        return load(path)


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
    daemon = Daemon(twistd)
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
