"""
Settings that the gateway and the relay share: QQ accounts and picture links.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from txwebqq.accounts import Access, WebQQAccess, readAccess
from txwebqq.config.endpointkeys import readEndpoint
from txwebqq.config.toml import ConfigTable
from txwebqq.model import Account

BURST, SECONDS = 5, 1.0
"""The default pace of the messages that an account of the relay sends."""


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """
    A QQ account to keep signed on.

    @ivar access: how it reaches QQ.
    @ivar burst: number of messages that the relay sends at once, before the rate
        limit applies.
    @ivar seconds: time between two messages after that.
    @ivar onState: the program that is run when the state of the account changes, and
        its arguments.
    """

    account: Account
    access: Access = field(default_factory=WebQQAccess)
    burst: int = BURST
    seconds: float = SECONDS
    onState: tuple[str, ...] = ()


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
    account, access = readAccess(table)
    onState = table.command("on-state")
    table.close()
    return AccountSettings(account, access, onState=onState)


def readPictures(table: ConfigTable) -> PictureSettings | None:
    """
    Read the keys for picture links; C{None} when pictures have no links.

    @raise InvalidConfiguration: when a key is invalid.
    """
    listen = readEndpoint(table, "pictures-listen", "")
    url = table.string("pictures-url", "")
    days = table.number("pictures-days", 1, 3650, 7)
    megabytes = table.number("pictures-megabytes", 1, 1_000_000, 200)
    if bool(listen) != bool(url):
        table.refuse("pictures-listen", "and pictures-url must be set together")
    return PictureSettings(listen, url, days, megabytes) if listen else None
