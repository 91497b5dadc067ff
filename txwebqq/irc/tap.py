"""
C{twistd webqq-irc}: QQ for IRC clients, and in IRC channels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.error import CannotListenError
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from txwebqq.daemon import StartupError, exitCleanlyOnSigterm, listenErrorText
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.configfile import Configuration, load
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService


class Options(UsageOptions):
    """
    What C{twistd webqq-irc} can be told.
    """

    synopsis = "--config FILE.toml"
    longdesc = (
        "Let IRC clients use QQ accounts, which stay signed on meanwhile, and join"
        " groups with IRC channels."
    )
    optParameters = [["config", None, None, "The configuration file."]]

    def postOptions(self) -> None:
        """
        Read the file, or say what is wrong with it.
        """
        if self["config"] is None:
            raise UsageError("--config is missing")
        try:
            self["configuration"] = load(Path(self["config"]))
        except InvalidConfiguration as e:
            raise UsageError(str(e)) from e


class IRCDaemon(MultiService):
    """
    Gateway, relay, or both, in a process that ends where they cannot listen.
    """

    def privilegedStartService(self) -> None:
        """
        Listen.
        """
        try:
            super().privilegedStartService()  # type: ignore[no-untyped-call]
        except CannotListenError as e:
            where = f"{e.interface}:{e.port}" if e.port else e.interface
            raise StartupError(f"Cannot listen on {where}: {listenErrorText(e)}") from e


def makeService(options: Options) -> IService:
    """
    The service that C{twistd} runs.
    """
    from twisted.internet import reactor

    clock: Any = reactor
    clock.callWhenRunning(exitCleanlyOnSigterm, clock)
    configuration: Configuration = options["configuration"]
    daemon = IRCDaemon()  # type: ignore[no-untyped-call]
    try:
        if configuration.gateway is not None:
            gateway = GatewayService(configuration.gateway, clock)
            gateway.setServiceParent(daemon)  # type: ignore[no-untyped-call]
        if configuration.relay is not None:
            relay = RelayService(configuration.relay, clock)
            relay.setServiceParent(daemon)  # type: ignore[no-untyped-call]
    except InvalidConfiguration as e:
        raise StartupError(f"{options['config']}: {e}") from e
    return daemon
