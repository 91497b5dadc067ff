"""
The configuration file of C{twistd webqq-irc}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txwebqq.config.toml import ConfigTable
from txwebqq.irc.config.accounts import AccountSettings
from txwebqq.irc.config.gateway import GatewaySettings, readGateway
from txwebqq.irc.config.relay import RelaySettings, readRelay

TABLE = "irc"
"""The table of the daemon's options."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """
    The content of the file; at least one of the two is not C{None}.
    """

    gateway: GatewaySettings | None
    relay: RelaySettings | None

    @property
    def accounts(self) -> Sequence[AccountSettings]:
        """
        The accounts of both.
        """
        users = self.gateway.users if self.gateway else ()
        ofUsers = [account for user in users for account in user.accounts]
        return [*ofUsers, *(self.relay.accounts if self.relay else ())]


def readConfiguration(root: ConfigTable) -> Configuration:
    """
    Read the tables of a configuration file. Errors are added to those of the file.
    """
    table = root.table("gateway")
    gateway = None if table is None else readGateway(table)
    table = root.table("relay")
    users = gateway.users if gateway else ()
    ours = {account.account.number for user in users for account in user.accounts}
    relay = None if table is None else readRelay(table, ours)
    if gateway is None and relay is None:
        # A misspelt table says more.
        root.close()
    if gateway is None and relay is None and root.isSound():
        root.complain("there is neither [gateway] nor [relay]")
    return Configuration(gateway, relay)
