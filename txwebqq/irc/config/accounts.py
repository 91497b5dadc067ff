"""
What gateway and relay are told alike: QQ accounts, and where pictures are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from txwebqq.client import Servers
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number, Status
from txwebqq.net.tls import TrustRoots
from txwebqq.session.interfaces import Era


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """
    A QQ account to keep signed on.
    """

    account: Account
    server: str = "http://127.0.0.1:8890"
    caFile: str | None = None
    era: Era = Era.E1


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """
    How pictures are shown to IRC users.

    @ivar listen: an endpoint.
    @ivar url: where that is found from outside.
    """

    listen: str
    url: str
    days: int = 7
    megabytes: int = 200


def readAccount(table: ConfigTable) -> AccountSettings:
    """
    The account that a table describes.
    """
    number = Number(table.number("number", 1, 2**32 - 1))
    password = table.passwordFile("password-file")
    server = table.string("server", "http://127.0.0.1:8890")
    authorities = table.path("ca-file")
    status, era = table.string("status", "online"), table.string("era", "E1")
    try:
        Servers.parse(server)
        TrustRoots(None if authorities is None else str(authorities))
    except InvalidConfiguration as e:
        raise table.error("server", f"or ca-file cannot be used: {e}") from e
    if status not in [known.value for known in Status]:
        raise table.error("status", "is none of QQ's")
    if era not in [known.value for known in Era]:
        raise table.error("era", "is none of E1, E2, E3")
    table.close()
    return AccountSettings(
        Account(number, password, Status(status)),
        server,
        None if authorities is None else str(authorities),
        Era(era),
    )


def readPictures(table: ConfigTable) -> PictureSettings | None:
    """
    What a table says of pictures, L{None} when they are not to be shown.
    """
    listen = table.string("pictures-listen", "")
    url = table.string("pictures-url", "")
    days = table.number("pictures-days", 1, 3650, 7)
    megabytes = table.number("pictures-megabytes", 1, 1_000_000, 200)
    if bool(listen) != bool(url):
        raise table.error("pictures-listen", "and pictures-url go together")
    return PictureSettings(listen, url, days, megabytes) if listen else None
