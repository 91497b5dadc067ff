"""
The configuration file of C{twistd webqq-irc}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from txwebqq.config.toml import ConfigTable, readTOML
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.accounts import AccountSettings
from txwebqq.irc.config.gateway import GatewaySettings, readGateway
from txwebqq.irc.config.relay import RelaySettings, readRelay


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


def load(path: Path) -> Configuration:
    """
    Read a configuration file.

    @raise InvalidConfiguration: names the file, the table, the key and the
        error.
    """
    try:
        return _read(readTOML(path), path.parent)
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{path}: {e}") from e


def _read(values: dict[str, Any], folder: Path) -> Configuration:
    gateway = relay = None
    if "gateway" in values:
        gateway = readGateway(ConfigTable("gateway", values.pop("gateway"), folder))
    if "relay" in values:
        relay = readRelay(ConfigTable("relay", values.pop("relay"), folder))
    for key in values:
        raise InvalidConfiguration(f"{key!r} is not a known table")
    if gateway is None and relay is None:
        raise InvalidConfiguration("there is neither [gateway] nor [relay]")
    users = gateway.users if gateway else ()
    ours = {account.account.number for user in users for account in user.accounts}
    for account in relay.accounts if relay else ():
        if account.account.number in ours:
            raise InvalidConfiguration(
                f"relay.account: {account.account.number} is an account of the gateway"
                " too: the two sessions would end each other"
            )
    return Configuration(gateway, relay)
