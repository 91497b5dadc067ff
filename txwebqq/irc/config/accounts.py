"""
Settings that the gateway and the relay share: QQ accounts and picture links.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from txwebqq.accounts import BURST as SEND_BURST
from txwebqq.accounts import SECONDS as SEND_SECONDS
from txwebqq.accounts import Access, OneBotAccess, WebQQAccess
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Account, Number, Status
from txwebqq.session.interfaces import Era

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
    """

    account: Account
    access: Access = field(default_factory=WebQQAccess)
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
    kind = table.choice("kind", ["webqq", "onebot"], "webqq")
    status = table.choice("status", [known.value for known in Status], "online")
    caFile = table.path("ca-file")
    authorities = None if caFile is None else str(caFile)
    if kind == "webqq":
        password, access = _readWebQQ(table, authorities)
    else:
        password, access = "", _readOneBot(table, authorities)
    table.close()
    return AccountSettings(Account(number, password, Status(status)), access)


def _readWebQQ(table: ConfigTable, caFile: str | None) -> tuple[str, Access]:
    password = table.passwordFile("password-file")
    server = table.string("server", "http://127.0.0.1:8890")
    era = table.choice("era", [known.value for known in Era], "E1")
    access = WebQQAccess(server, caFile, Era(era))
    try:
        access.check()
    except InvalidConfiguration as e:
        raise table.error("server", f"or ca-file cannot be used: {e}") from e
    return password, access


def _readOneBot(table: ConfigTable, caFile: str | None) -> Access:
    url, listen = table.string("url", ""), table.string("listen", "")
    if bool(url) == bool(listen):
        raise table.error("url", "or listen is needed, and not both")
    access = OneBotAccess(
        url,
        listen,
        table.passwordFile("token-file", ""),
        caFile,
        table.number("send-burst", 1, 100, SEND_BURST),
        table.number("send-milliseconds", 0, 600_000, int(SEND_SECONDS * 1000)) / 1000,
    )
    try:
        access.check()
    except InvalidConfiguration as e:
        raise table.error("url", f"or ca-file cannot be used: {e}") from e
    return access


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
