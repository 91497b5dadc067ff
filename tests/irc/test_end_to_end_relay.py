"""
The relay between a WebQQ server and IRC servers, which are killed and restarted.
"""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import Daemon, freePort
from tests.irc.processes import IRC_PASSWORD, GatewayProcesses
from tests.irc.servers import RELAY, Ircd, IRCUser, writeConfig
from txwebqq.model import Mention, Number, Reply, Text


def relay(
    processes: GatewayProcesses,
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
        qq=processes.port,
        port=ircd.port,
        milliseconds=milliseconds,
    )
    file = writeConfig(processes.folder, text, f"{name}.toml")
    return processes.twistd("webqq-irc", "--config", file)


async def ready(processes: GatewayProcesses, name: str) -> tuple[Ircd, IRCUser]:
    """
    Start both servers, and an IRC user in the channel.
    """
    await processes.startServer()
    ircd = Ircd(processes, name)
    await ircd.start()
    bob = IRCUser(ircd.port, "bob")
    processes.stopLater(bob)
    await bob.join("#cats")
    return ircd, bob


@pytest.mark.parametrize("name", ["ngircd", "inspircd"])
@ensureDeferred
async def test_messages(processes: GatewayProcesses, name: str) -> None:
    """
    Text, faces and actions are relayed in both directions; long messages are
    split into lines of at most 512 bytes, each with the sender's name.
    """
    ircd, bob = await ready(processes, name)
    ming = await processes.ming()
    relay(processes, ircd)
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


DOGS = """
[[group]]
number = 200002
name = "狗狗"
owner = 10002
members = [10003]
"""

PROGRAM = """
[[account]]
number = 10003
password-file = "hua"
server = "http://127.0.0.1:{qq}"

[[account.forward]]
listen = "tcp:{onebot}:interface=127.0.0.1"
"""

TWO_ACCOUNTS = """
[relay]
database = "relay.sqlite"

[[relay.account]]
number = 10001
password-file = "alice"
server = "http://127.0.0.1:{qq}"

[[relay.account]]
number = 10003
kind = "onebot"
url = "ws://127.0.0.1:{onebot}"

[[relay.network]]
name = "home"
endpoint = "tcp:127.0.0.1:{irc}"
nick = "qqrelay"

[[relay.room]]
groups = ["10001/200001", "10003/200002"]
channels = ["home/#cats"]
"""


@ensureDeferred
async def test_threeNetworks(processes: GatewayProcesses) -> None:
    """
    A group of a WebQQ server, a group behind a OneBot program and a channel are one
    room.
    """
    people = processes.folder / "people.toml"
    people.write_text(people.read_text("utf-8") + DOGS, encoding="utf-8")
    ircd, bob = await ready(processes, "ngircd")
    ming = await processes.ming()
    ports = {"qq": processes.port, "irc": ircd.port, "onebot": freePort()}
    program = writeConfig(processes.folder, PROGRAM.format(**ports), "onebot.toml")
    await processes.twistd("webqq-onebot", "--config", program).says("Signed on")
    file = writeConfig(processes.folder, TWO_ACCOUNTS.format(**ports), "relay.toml")
    await processes.twistd("webqq-irc", "--config", file).says("joined #cats")
    await ming.tellGroup("狗狗", "汪[偷笑]")
    await ming.shows("200001: <小明> 汪[偷笑]")
    await bob.shows("qqrelay: <小\u200b明> 汪[偷笑]")
    await ming.tellGroup("猫咪", "喵[酷]")
    await ming.shows("200002: <小明> 喵[酷]")
    await bob.shows("qqrelay: <小\u200b明> 喵[酷]")
    bob.say("#cats", "hello [微笑]")
    await ming.shows("200001: <bob> hello [微笑]", "200002: <bob> hello [微笑]")
    hello = ming.lastIn(200002).id
    answer = Reply(ming.lastIn(200001).id), Mention(Number(10001), "alice")
    yes = await ming.tellGroup("猫咪", " yes", *answer)
    await bob.shows("qqrelay: <小\u200b明> (re hello [微笑]) bob: yes")
    await ming.shows("200002: <小明> @bob yes")
    copy = ming.lastIn(200002)
    assert copy.content[0] == Reply(hello)
    answer = Reply(hello), Mention(Number(10003), "阿花")
    dogs = await ming.tellGroup("狗狗", " 汪", *answer)
    await bob.shows("qqrelay: <小\u200b明> (re hello [微笑]) bob: 汪")
    await ming.shows("200001: <小明> @bob 汪")
    dogsCopy = ming.lastIn(200001)
    assert isinstance(dogsCopy.content[0], Reply)
    await ming.recall("猫咪", yes)
    await bob.shows("qqrelay: * 小\u200b明 recalled: @bob yes")
    await ming.shows(f"200002: recalled {copy.id}")
    await ming.recall("狗狗", dogs)
    await ming.shows(f"200001: recalled {dogsCopy.id}")
    await bob.shows("qqrelay: * 小\u200b明 recalled: @bob 汪")


@ensureDeferred
async def test_references(processes: GatewayProcesses) -> None:
    """
    A reply on QQ is one for IRC clients with tags, and the other way round; the same
    after a restart of the relay.
    """
    await processes.startServer()
    ircd = Ircd(processes, "inspircd")
    await ircd.start()
    bob = IRCUser(ircd.port, "bob", "message-tags", "echo-message")
    processes.stopLater(bob)
    await bob.join("#cats")
    ming = await processes.ming()
    first = relay(processes, ircd)
    await bob.seesJoin("qqrelay")
    said = await ming.tellGroup("猫咪", "茶好了")
    await bob.shows("<小\u200b明> 茶好了")
    bob.reply("#cats", bob.lines[-1], "小明: thanks")
    await ming.shows("200001: <bob> @小明 thanks")
    assert ming.lastIn(200001).content[:3] == (
        Reply(said),
        Text("<bob> "),
        Mention(Number(10002), "小明"),
    )
    thanks = next(line for line in bob.lines if line.params[-1] == "小明: thanks")
    first.signal("TERM")
    assert await first.exits() == 0
    bob.lines.clear()
    relay(processes, ircd)
    await bob.seesJoin("qqrelay")
    await ming.tellGroup("猫咪", "不客气", Reply(ming.lastIn(200001).id))
    await bob.shows("<小\u200b明> (re bob: 小明: thanks) 不客气")
    assert bob.lines[-1].tags["+draft/reply"] == thanks.tags["msgid"]


def numbers(said: list[str]) -> list[int]:
    """
    Return the numbers at the ends of lines, without repetitions in a row.
    """
    found = [int(line.rpartition(" ")[2]) for line in said if line[-1].isdigit()]
    return [n for at, n in enumerate(found) if at == 0 or found[at - 1] != n]


@ensureDeferred
async def test_networkKilled(processes: GatewayProcesses) -> None:
    """
    Messages from while the IRC server was down arrive in order after its
    restart; the line that was in flight may arrive twice.
    """
    ircd, bob = await ready(processes, "ngircd")
    ming = await processes.ming()
    relay(processes, ircd, milliseconds=20)
    for n in range(20):
        await ming.tellGroup("猫咪", f"第 {n}")
    await bob.shows("第 5")
    await ircd.kill()
    for n in range(20, 40):
        await ming.tellGroup("猫咪", f"第 {n}")
    await ircd.start()
    await bob.join("#cats")
    await bob.shows("第 39")
    assert numbers(bob.said) == list(range(40))
    assert len(bob.said) <= 41
    bob.say("#cats", "still there")
    await ming.shows("<bob> still there")


@ensureDeferred
async def test_relayKilled(processes: GatewayProcesses) -> None:
    """
    A relay that is killed and restarted sends the messages of its outbox, and
    those sent on QQ meanwhile.
    """
    ircd, bob = await ready(processes, "ngircd")
    ming = await processes.ming()
    first = relay(processes, ircd, milliseconds=300)
    for n in range(10):
        await ming.tellGroup("猫咪", f"第 {n}")
    await bob.shows("第 5")
    first.signal("KILL")
    await first.exits()
    for n in range(10, 15):
        await ming.tellGroup("猫咪", f"第 {n}")
    relay(processes, ircd, milliseconds=20)
    await bob.shows("第 14")
    assert numbers(bob.said) == list(range(15))
    assert len(bob.said) <= 16


@ensureDeferred
async def test_relayStopped(processes: GatewayProcesses) -> None:
    """
    A relay that is stopped while it sends ends with exit code 0, and no message
    is sent twice or lost.
    """
    ircd, bob = await ready(processes, "inspircd")
    ming = await processes.ming()
    first = relay(processes, ircd, milliseconds=300)
    for n in range(8):
        await ming.tellGroup("猫咪", f"第 {n}")
    await bob.shows("第 5")
    first.signal("TERM")
    assert await first.exits() == 0
    relay(processes, ircd, milliseconds=20)
    await bob.shows("第 7")
    assert [said[-1] for said in bob.said] == list("01234567")


@ensureDeferred
async def test_serverKilled(processes: GatewayProcesses) -> None:
    """
    Messages sent on IRC while the WebQQ server was down arrive in the group once,
    in order.
    """
    server = await processes.startServer()
    ircd = Ircd(processes, "ngircd")
    await ircd.start()
    bob = IRCUser(ircd.port, "bob")
    processes.stopLater(bob)
    await bob.join("#cats")
    ming = await processes.ming()
    relay(processes, ircd)
    await bob.seesJoin("qqrelay")
    bob.say("#cats", "number 0")
    await ming.shows("number 0")
    server.signal("KILL")
    await server.exits()
    for n in range(1, 8):
        bob.say("#cats", f"number {n}")
    await processes.startServer()
    await ming.shows("number 7")
    words = [heard for heard in ming.heard if "number" in heard]
    assert words == [f"200001: <bob> number {n}" for n in range(8)]


@pytest.mark.parametrize(
    "name", ["ngircd", pytest.param("inspircd", marks=pytest.mark.long)]
)
@ensureDeferred
async def test_twoRelays(processes: GatewayProcesses, name: str) -> None:
    """
    Two relays between one group and one channel do not relay each other's
    messages.
    """
    ircd, bob = await ready(processes, name)
    ming = await processes.ming()
    relay(processes, ircd, "first", 10001)
    relay(processes, ircd, "second", 10003)
    await bob.seesJoin("first", "second")
    bob.say("#cats", "hello from here")
    await ming.until(lambda seen: seen.count("<bob> hello from here") == 2, "two")
    await ming.tellGroup("猫咪", "你好")
    await bob.until(lambda seen: seen.count("> 你好") == 2, "two")
    # A looping message would arrive before this one.
    bob.say("#cats", "over")
    await ming.until(lambda seen: seen.count("<bob> over") == 2, "two")
    await ming.tellGroup("猫咪", "完了")
    await bob.until(lambda seen: seen.count("> 完了") == 2, "two")
    assert len(bob.said) == 4
    assert len([heard for heard in ming.heard if "bob" in heard]) == 4


@ensureDeferred
async def test_kicked(processes: GatewayProcesses) -> None:
    """
    After a KICK the relay joins again and sends the messages missed meanwhile; it
    takes its nick back when the other user leaves.
    """
    ircd, bob = await ready(processes, "ngircd")
    other = IRCUser(ircd.port, "qqrelay")
    processes.stopLater(other)
    await other.join("#cats")
    ming = await processes.ming()
    relay(processes, ircd)
    await bob.seesJoin("qqrelay_")
    bob.send("KICK", "#cats", "qqrelay_", "out")
    await bob.receives("KICK")
    await ming.tellGroup("猫咪", "听得到吗")
    await bob.shows("qqrelay_: <小\u200b明> 听得到吗")
    await other.stop()
    await bob.receives("NICK")
    await ming.tellGroup("猫咪", "现在呢")
    await bob.shows("qqrelay: <小\u200b明> 现在呢")


@pytest.mark.parametrize("isKnown", [True, False])
@ensureDeferred
async def test_tls(processes: GatewayProcesses, isKnown: bool) -> None:
    """
    A network is joined by TLS only when its certificate authority is known;
    gateway and relay run in one process here.
    """
    await processes.startServer()
    text = (processes.folder / "irc.toml").read_text(encoding="utf-8")
    text += RELAY.format(
        name="qqrelay",
        number=10003,
        secret="hua",
        qq=processes.port,
        port=processes.tls,
        milliseconds=100,
    ).replace("tcp:127.0.0.1", "tls:localhost")
    processes.secret("pass", f"alice:{IRC_PASSWORD}")
    extra = 'server-password-file = "pass"\n'
    if isKnown:
        extra += f'ca-file = "{processes.authority}"\n'
    text = text.replace('nick = "qqrelay"\n', f'nick = "qqrelay"\n{extra}')
    file = writeConfig(processes.folder, text)
    daemon = processes.twistd("webqq-irc", "--config", file)
    if isKnown:
        await daemon.says("home: connected as qqrelay")
    else:
        await daemon.says("certificate verify failed")
        assert "connected as" not in daemon.output
    assert IRC_PASSWORD not in daemon.output
