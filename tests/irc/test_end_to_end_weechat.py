"""
The gateway with WeeChat.
"""

from __future__ import annotations

import re

from pytest_twisted import ensureDeferred

from tests.irc.clients import WeeChat
from tests.irc.processes import IRC_PASSWORD, GatewayProcesses
from txwebqq.model import Mention, Number, Reply

BUFFER = "irc.qq.#猫咪"


async def join(processes: GatewayProcesses, name: str = "weechat") -> WeeChat:
    weechat = processes.weechat(name)
    await weechat.start(
        f"/server add qq 127.0.0.1/{processes.plain} -notls -nossl -nicks=alice"
        f" -sasl_mechanism=plain -sasl_username=alice -sasl_password={IRC_PASSWORD}",
        "/connect qq",
    )
    await weechat.shows(BUFFER)
    return weechat


@ensureDeferred
async def test_messages(processes: GatewayProcesses) -> None:
    """
    After login by SASL, with all capabilities that WeeChat requests, text and
    faces are sent and received.
    """
    ming = await processes.startWithMing()
    weechat = await join(processes)
    seen = await weechat.look()
    for capability in ("sasl", "server-time", "away-notify"):
        assert capability in seen.partition("enabled:")[2]
    await ming.tellGroup("猫咪", "茶好了[微笑]")
    await weechat.shows("茶好了[微笑]")
    await weechat.type("谢谢[呲牙]", BUFFER)
    await ming.shows("200001: 谢谢[呲牙]")
    await ming.tell("Alice", "你在吗？[流泪]")
    await weechat.shows("你在吗？[流泪]")
    await weechat.type("/msg -server qq 小明 在的[得意]")
    await ming.shows("\n在的[得意]")


@ensureDeferred
async def test_tls(processes: GatewayProcesses) -> None:
    """
    WeeChat connects by TLS when it knows the certificate authority.
    """
    await processes.startServer()
    await processes.startGateway()
    weechat = processes.weechat()
    await weechat.start(
        f"/set weechat.network.gnutls_ca_user {processes.authority}",
        f"/server add qq localhost/{processes.tls} -tls -ssl -nicks=alice"
        f" -password=alice:{IRC_PASSWORD}",
        "/connect qq",
    )
    await weechat.shows(BUFFER)


@ensureDeferred
async def test_two(processes: GatewayProcesses) -> None:
    """
    With irssi and WeeChat at once, both show received messages, and each shows
    the messages that the other sends.
    """
    ming = await processes.startWithMing()
    weechat = await join(processes)
    irssi = processes.irssi()
    await irssi.start(
        f"/connect -notls 127.0.0.1 {processes.plain} alice:{IRC_PASSWORD} alice"
    )
    await irssi.shows("[Users #猫咪]")
    await ming.tellGroup("猫咪", "你们好")
    await irssi.shows("你们好")
    await weechat.shows("你们好")
    await irssi.type("/msg #猫咪 从irssi来")
    await weechat.shows("从irssi来")
    await weechat.type("从WeeChat来", BUFFER)
    await irssi.shows("从WeeChat来")
    await irssi.type("/msg 小明 悄悄话")
    await weechat.shows("悄悄话")
    await ming.shows("从irssi来", "从WeeChat来", "悄悄话")


@ensureDeferred
async def test_missed(processes: GatewayProcesses) -> None:
    """
    Missed messages are played back once to each client.
    """
    ming = await processes.startWithMing()
    weechat = await join(processes)
    await weechat.stop()
    await ming.tellGroup("猫咪", "等你回来")
    again = await join(processes, "again")
    await again.shows("等你回来")
    seen = await again.look()
    assert seen.count("等你回来") == 1


@ensureDeferred
async def test_presence(processes: GatewayProcesses) -> None:
    """
    WeeChat is told of presence by MONITOR, sends typing notifications, and
    requests history.
    """
    await processes.startServer()
    await processes.startGateway()
    weechat = await join(processes)
    await weechat.type("/notify add 小明 qq")
    await weechat.shows("小明 is offline")
    ming = await processes.ming()
    await weechat.shows("has connected")
    await weechat.type("/quote -server qq @+typing=active TAGMSG 小明")
    await ming.shows("types")
    await ming.tellGroup("猫咪", "一\n二")
    await weechat.shows("一", "二")
    await weechat.type("/quote -server qq CHATHISTORY LATEST #猫咪 * 1")
    await weechat.until(lambda seen: seen.count("\t二\n") == 2, "again")
    await ming.stop()
    await weechat.until(re.compile("notify: 小明 .*has quit").search, "quit")


@ensureDeferred
async def test_interaction(processes: GatewayProcesses) -> None:
    """
    WeeChat shows mentions and pokes with its own nick, replies with what they answer
    when the user wants it, recalls and mutes; a nick that it addresses is mentioned.
    """
    ming = await processes.startWithMing()
    weechat = await join(processes)
    await weechat.type("/msg -server qq *qq set quotes on")
    await weechat.shows("quotes is now on")
    await ming.tellGroup("猫咪", " 九点？", Mention(Number(10001), "Alice"))
    await weechat.shows("小明\talice: 九点？")
    await weechat.type("小明: 十点", BUFFER)
    await ming.shows("十点")
    answer = ming.lastIn(200001)
    assert answer.content[0] == Mention(Number(10002), "小明")
    oops = await ming.tellGroup("猫咪", "好", Reply(answer.id))
    await weechat.shows("小明\t好 (re alice: 小明: 十点)")
    await ming.recall("猫咪", oops)
    await weechat.shows("has recalled a message: 好")
    protocol = await ming.online()
    group, alice = await ming.groupAndMember("猫咪", 10001)
    await protocol.pokeMember(group.gid, alice)
    await weechat.shows("小明 pokes alice")
    await protocol.muteMember(group.code, alice, 60)
    await weechat.shows("[+q alice!*@*] by 小明")
    await protocol.muteGroup(group.code, True)
    await weechat.shows("[+m] by 小明")
