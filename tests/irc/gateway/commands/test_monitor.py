"""
C{MONITOR}.
"""

from __future__ import annotations

from tests.irc.memorygateway import MemoryGateway
from txwebqq.model import Status


def test_changes(gateway: MemoryGateway) -> None:
    """
    A monitored friend who signs on or off is reported once, also when the
    user's own account does.
    """
    client = gateway.client()
    mask = f"小明!{gateway.ming.number}@qq.test"
    assert f"730 me :{mask}\r" in client.send("MONITOR + 小明")
    client.transport.clear()
    gateway.ming.appear(Status.BUSY)
    gateway.web.settle(3)
    assert client.seen == ""
    gateway.ming.stop()
    gateway.web.settle(3)
    assert client.seen == ":qq.test 731 me :小明\r\n"
    client.transport.clear()
    gateway.signOn(gateway.ming)
    assert client.seen == f":qq.test 730 me :{mask}\r\n"
    client.transport.clear()
    gateway.alice.stop()
    gateway.web.settle(3)
    assert client.seen == ":qq.test 731 me :小明\r\n"


def test_list(gateway: MemoryGateway) -> None:
    """
    Nicks can be added, removed, listed, queried and cleared.
    """
    client = gateway.client()
    seen = client.send("MONITOR + 小明,nobody,*qq,me")
    assert seen.count("730 me :") == 1
    assert f"小明!{gateway.ming.number}@qq.test,*qq!qq@qq.test,me!alice@qq.test" in seen
    assert "731 me :nobody\r" in seen
    assert client.send("MONITOR - me,*qq,nobody") == ""
    assert "732 me :小明\r\n:qq.test 733 me " in client.send("MONITOR L")
    assert "730 me :小明!" in client.send("MONITOR S")
    assert client.send("MONITOR C", "MONITOR S") == ""
    assert " 461 " in client.send("MONITOR")
    assert " 461 " in client.send("MONITOR +")


def test_renamed(gateway: MemoryGateway) -> None:
    """
    After C{rename}, the old nick is offline and the new one is online.
    """
    client = gateway.client()
    client.send("MONITOR + 小明,Ming")
    seen = client.send("PRIVMSG *qq :rename 小明 Ming")
    assert "731 me :小明\r" in seen
    assert "730 me :Ming!" in seen


def test_tooMany(gateway: MemoryGateway) -> None:
    """
    The list is bounded, and 734 names the nicks that were not added.
    """
    client = gateway.client()
    for start in range(0, 100, 25):
        nicks = ",".join(f"n{n}" for n in range(start, start + 25))
        assert " 734 " not in client.send(f"MONITOR + {nicks}")
    seen = client.send("MONITOR + n1,小明,n7")
    assert "731 me :n1\r" in seen
    assert "734 me 100 小明,n7 :" in seen
    assert client.send("MONITOR L").count("n") > 100


def test_oddNicks(gateway: MemoryGateway) -> None:
    """
    Invalid nicks are ignored.
    """
    client = gateway.client()
    client.send("MONITOR + :a b,:x,,y", "MONITOR + ::")
    assert "PONG" in client.send("MONITOR S", "PING x")
