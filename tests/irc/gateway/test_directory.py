"""
The nicks of contacts.
"""

from __future__ import annotations

import pytest

from tests.irc.memorygateway import MemoryGateway
from txwebqq.irc.config.gateway import UserSettings
from txwebqq.irc.gateway.directory import NameDirectory
from txwebqq.irc.gateway.storage.names import NameStore
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import MEMORY, Database

SERVICES = [
    "NickServ",
    "nickserv",
    "ChanServ",
    "ＮｉｃｋＳｅｒｖ",
    "Global",
    "~MemoServ",
]


@pytest.mark.parametrize("name", SERVICES)
def test_services(name: str) -> None:
    """
    No contact has the nick of a service, to which clients send passwords.
    """
    gateway = MemoryGateway(friend=name)
    gateway.signOn(gateway.ming)
    gateway.signOn(gateway.alice)
    client = gateway.client()
    for nick in ("NickServ", "ChanServ", "MemoServ", "Global"):
        assert f"401 me {nick} " in client.send(f"PRIVMSG {nick} :identify oolong")
    gateway.web.settle(3)
    assert gateway.ming.heard == []
    nick = gateway.aliceUser.directory.nameOf(
        Target(TargetKind.CONTACT, gateway.ming.number)
    )
    assert nick.endswith(f"_{gateway.ming.number}")
    client.send(f"PRIVMSG {nick} :hello")
    assert gateway.ming.heard == ["hello"]
    assert "is reserved" in client.send(f"PRIVMSG *qq :rename {nick} NickServ")


def test_serviceBefore() -> None:
    """
    A contact that an older version has given the nick of a service gets
    another one; other names are kept.
    """
    names = NameStore(Database(MEMORY, GATEWAY_SCHEMA), str.lower).tableFor("al", "x")
    evil, good = (Target(TargetKind.CONTACT, number) for number in (10001, 10002))
    names.rename(evil, "NickServ")
    names.rename(good, "Serving")
    directory = NameDirectory(UserSettings("al", "x"), names, {}, ())
    assert directory.nameOf(evil) == "NickServ_10001"
    assert directory.nameOf(good) == "Serving"
