"""
Settings that the gateway and the relay share: QQ accounts and picture links.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.client import Servers
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number, Status
from txwebqq.net.tls import TrustRoots
from txwebqq.session.interfaces import Era

BURST, SECONDS = 5, 1.0
"""The default pace of the messages that an account of the relay sends."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """
    A QQ account to keep signed on.

    @ivar server: the URL of the WebQQ server.
    @ivar caFile: a file of certificate authorities besides the system's.
    @ivar era: the login variant of the server.
    @ivar burst: number of messages that the relay sends at once, before the rate
        limit applies.
    @ivar seconds: time between two messages after that.
    """

    account: Account
    server: str = "http://127.0.0.1:8890"
    caFile: str | None = None
    era: Era = Era.E1
    burst: int = BURST
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """
    The HTTP server of the links to pictures and long texts.

    @ivar listen: a server endpoint description.
    @ivar url: the URL under which clients reach it.
    @ivar days: how long a link is valid.
    @ivar megabytes: maximum size of all linked files together.
    """

    listen: str
    url: str
    days: int = 7
    megabytes: int = 200


def readAccount(table: ConfigTable) -> AccountSettings:
    """
    Read an C{account} table.

    @raise InvalidConfiguration: when a key is invalid.
    """
    number = Number(table.number("number", 1, 2**32 - 1))
    password = table.passwordFile("password-file")
    server = table.string("server", "http://127.0.0.1:8890")
    authorities = table.path("ca-file")
    status = table.choice("status", [known.value for known in Status], "online")
    era = table.choice("era", [known.value for known in Era], "E1")
    try:
        Servers.parse(server)
        TrustRoots(None if authorities is None else str(authorities))
    except InvalidConfiguration as e:
        raise table.error("server", f"or ca-file cannot be used: {e}") from e
    table.close()
    return AccountSettings(
        Account(number, password, Status(status)),
        server,
        None if authorities is None else str(authorities),
        Era(era),
    )


def readPictures(table: ConfigTable) -> PictureSettings | None:
    """
    Read the keys for picture links; C{None} when pictures have no links.

    @raise InvalidConfiguration: when a key is invalid.
    """
    listen = table.string("pictures-listen", "")
    url = table.string("pictures-url", "")
    days = table.number("pictures-days", 1, 3650, 7)
    megabytes = table.number("pictures-megabytes", 1, 1_000_000, 200)
    if bool(listen) != bool(url):
        raise table.error("pictures-listen", "and pictures-url must be set together")
    return PictureSettings(listen, url, days, megabytes) if listen else None
