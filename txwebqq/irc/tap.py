"""
The plugin C{twistd webqq-irc}: the IRC gateway and the IRC relay.
"""

from __future__ import annotations

from twisted.application.service import IService

from txwebqq.config.fileoptions import ConfigFileOptions
from txwebqq.config.toml import ConfigTable
from txwebqq.daemon import StartupError, asDaemonUser
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.configfile import TABLE, Configuration, readConfiguration
from txwebqq.irc.gateway.service import GatewayService
from txwebqq.irc.relay.service import RelayService
from txwebqq.irc.statistics import GatewaySource, RelaySource
from txwebqq.operation.accountsdaemon import AccountsDaemon, AccountsOptions
from txwebqq.operation.metrics import Source


class Options(ConfigFileOptions, AccountsOptions):
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
        self.readOperatorOptions()
        super().postOptions()


def makeService(options: Options) -> IService:
    """
    Build the service that C{twistd} runs.
    """
    from twisted.internet import reactor

    configuration: Configuration = options["configuration"]
    daemon = AccountsDaemon(
        options, lambda options: options["configuration"].accounts, reactor
    )
    services: list[GatewayService | RelayService] = []
    sources: list[Source] = []
    gateway: GatewayService | None = None
    relay: RelayService | None = None

    def apply(changed: Options) -> dict[str, bool]:
        new: Configuration = changed["configuration"]
        applied: dict[str, bool] = {}
        if gateway is not None and new.gateway is not None:
            applied.update(gateway.reload(new.gateway))
        if relay is not None and new.relay is not None:
            applied.update(relay.reload(new.relay))
        return applied

    try:
        with asDaemonUser(daemon.twistd):
            if configuration.gateway is not None:
                gateway = GatewayService(
                    configuration.gateway, reactor, daemon.makeAccount, daemon.advice
                )
                services.append(gateway)
                sources.append(GatewaySource(gateway))
            if configuration.relay is not None:
                relay = RelayService(
                    configuration.relay, reactor, daemon.makeAccount, daemon.advice
                )
                services.append(relay)
                sources.append(RelaySource(relay))
        return daemon.service(services, sources, apply)
    except InvalidConfiguration as e:
        raise StartupError(f"{options['config']}: {e}") from e
