"""
The relay between a real QQ server and real IRC servers, which come and go.
"""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.daemons import Daemon
from tests.irc.household import Household
from tests.irc.servers import Ircd, Person, config

RELAY = """
[relay]
database = "{name}.sqlite"

[[relay.account]]
number = {number}
password-file = "{secret}"
server = "http://127.0.0.1:{qq}"

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:{port}"
nick = "{name}"
milliseconds = {milliseconds}

[[relay.room]]
groups = ["{number}/200001"]
channels = ["home/#cats"]
"""


def relay(
    household: Household,
    ircd: Ircd,
    name: str = "qqrelay",
    number: int = 10001,
    milliseconds: int = 100,
) -> Daemon:
    """
    Start a relay.
    """
    secret = {10001: "alice", 10003: "hua"}[number]
    text = RELAY.format(
        name=name,
        number=number,
        secret=secret,
        qq=household.port,
        port=ircd.port,
        milliseconds=milliseconds,
    )
    file = config(household.folder, text, f"{name}.toml")
    return household.twistd("webqq-irc", "--config", file)


async def ready(household: Household, name: str) -> tuple[Ircd, Person]:
    """
    Both servers, and somebody in the channel.
    """
    await household.startServer()
    ircd = Ircd(household, name)
    await ircd.start()
    bob = Person(ircd.port, "bob")
    household.guest(bob)
    await bob.join("#cats")
    return ircd, bob


async def meet(bob: Person) -> None:
    """
    Wait until the relay is in the channel.
    """
    await bob.gets("JOIN")


@pytest.mark.parametrize("name", ["ngircd", "inspircd"])
@ensureDeferred
async def test_talk(household: Household, name: str) -> None:
    """
    Words, faces and actions go both ways; long ones in lines that all can
    take, each with the name of who says it.
    """
    ircd, bob = await ready(household, name)
    ming = await household.ming()
    relay(household, ircd)
    bob.send("MODE", "#cats", "+n")
    await ming.tellGroup("猫咪", "先说的话")
    await bob.shows("qqrelay: <小\u200b明> 先说的话")
    bob.say("#cats", "hello [微笑]")
    await ming.shows("200001: <bob> hello [微笑]")
    bob.say("#cats", "\x01ACTION waves\x01")
    await ming.shows("200001: * bob waves")
    await ming.tellGroup("猫咪", "/me 挥手")
    await bob.shows("qqrelay: * 小\u200b明 挥手")
    long = "，".join(f"第{n}句话很长很长" for n in range(100))
    await ming.tellGroup("猫咪", long + "完")
    await bob.shows("完")
    start = "qqrelay: <小\u200b明> "
    parts = [said.removeprefix(start) for said in bob.said[2:]]
    assert all(said.startswith(start) for said in bob.said[2:])
    assert "".join(parts) == long + "完"
    assert bob.longest <= 512
    assert bob.longest > 490
    await ming.tellGroup("猫咪", "QUIT\r\nQUIT :x\r\n好")
    await bob.shows("QUIT :x", "> 好")
