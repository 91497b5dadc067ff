"""
The gateway with irssi.
"""

from __future__ import annotations

import re

from pytest_twisted import ensureDeferred

from tests.irc.clients import Irssi
from tests.irc.processes import IRC_PASSWORD, GatewayProcesses


def byPassword(processes: GatewayProcesses, user: str = "alice") -> str:
    return f"/connect -notls 127.0.0.1 {processes.plain} {user}:{IRC_PASSWORD} alice"


async def join(processes: GatewayProcesses, name: str = "irssi") -> Irssi:
    irssi = processes.irssi(name)
    await irssi.start(byPassword(processes))
    await irssi.shows("[Users #猫咪]", "小明]")
    return irssi


@ensureDeferred
async def test_messages(processes: GatewayProcesses) -> None:
    """
    After login by PASS friends and groups are shown, and text and faces are sent
    and received.
    """
    ming = await processes.startWithMing()
    irssi = await join(processes)
    await ming.tellGroup("猫咪", "茶好了[微笑]")
    await irssi.shows("茶好了[微笑]")
    await irssi.type("/msg #猫咪 谢谢[呲牙]")
    await ming.shows("200001: 谢谢[呲牙]")
    await ming.tell("Alice", "你在吗？[流泪]")
    await irssi.shows("你在吗？[流泪]")
    await irssi.type("/msg 小明 在的[得意]")
    await ming.shows("\n在的[得意]")


@ensureDeferred
async def test_sasl(processes: GatewayProcesses) -> None:
    """
    Login by SASL works over verified TLS.
    """
    await processes.startServer()
    await processes.startGateway()
    irssi = processes.irssi()
    await irssi.start(
        "/network add -sasl_mechanism PLAIN -sasl_username alice"
        f" -sasl_password {IRC_PASSWORD} qq",
        f"/server add -network qq -tls -tls_verify -tls_cafile {processes.authority}"
        f" localhost {processes.tls}",
        "/connect qq",
    )
    await irssi.shows("SASL authentication succeeded", "小明]")


@ensureDeferred
async def test_wrongPassword(processes: GatewayProcesses) -> None:
    """
    A wrong password is refused with an error, and no contacts are shown.
    """
    await processes.startServer()
    await processes.startGateway()
    irssi = processes.irssi()
    await irssi.start(f"/connect -notls 127.0.0.1 {processes.plain} alice:green alice")
    seen = await irssi.until(
        lambda seen: re.search("password|Password", seen) is not None, "a refusal"
    )
    assert "小明" not in seen


@ensureDeferred
async def test_missed(processes: GatewayProcesses) -> None:
    """
    Messages received without a client are played back once, also after the
    gateway was killed.
    """
    await processes.startServer()
    gateway = await processes.startGateway()
    ming = await processes.ming()
    irssi = await join(processes)
    await ming.tell("Alice", "一")
    await irssi.shows("小明> 一")
    await irssi.stop()
    await ming.tell("Alice", "等你回来")
    await ming.tellGroup("猫咪", "都等你")
    second = await join(processes, "second")
    await second.shows("等你回来", "都等你")
    # When the answer is shown, it is stored that the others were.
    await second.type("/msg 小明 回来了")
    await ming.shows("回来了")
    await ming.tell("Alice", "好")
    await second.shows("小明> 好")
    await second.stop()
    gateway.signal("KILL")
    await gateway.exits()
    await processes.startGateway()
    third = await join(processes, "third")
    await ming.tell("Alice", "又来了")
    seen = await third.shows("又来了")
    assert "等你回来" not in seen


@ensureDeferred
async def test_bot(processes: GatewayProcesses) -> None:
    """
    The bot lists its commands, and accepts a friend request.
    """
    await processes.startServer()
    await processes.startGateway()
    irssi = await join(processes)
    await irssi.type("/msg *qq help")
    await irssi.shows("accept", "deny", "rename", "history", "logout")
    hua = await processes.friend(10003, "tr0ub4dor")
    await hua.befriend(10001, "我是阿花")
    await irssi.shows("我是阿花", "10003")
    await irssi.type("/msg *qq accept 10003")
    await hua.shows("PASSED")
    await hua.tell("Alice", "谢谢你")
    await irssi.shows("谢谢你")
    await irssi.type("/msg 阿花 不客气")
    await hua.shows("不客气")


@ensureDeferred
async def test_lostServer(processes: GatewayProcesses) -> None:
    """
    The loss of the WebQQ server and the return are announced, and messages work
    after it.
    """
    server = await processes.startServer()
    await processes.startGateway()
    irssi = await join(processes)
    server.signal("KILL")
    await server.exits()
    lost = re.compile(r"\*qq.*10001.*(lost|gone|cannot|unreachable)", re.I)
    await irssi.until(lambda seen: lost.search(seen) is not None, lost)
    before = await irssi.look()
    await processes.startServer()
    back = re.compile(r"\*qq.*10001.*(back|online|signed|again)", re.I)
    await irssi.until(
        lambda seen: len(back.findall(seen)) > len(back.findall(before)), back
    )
    ming = await processes.ming()
    await ming.tell("Alice", "我回来了")
    await irssi.shows("我回来了")
    await irssi.type("/msg 小明 欢迎")
    await ming.shows("欢迎")


@ensureDeferred
async def test_groups(processes: GatewayProcesses) -> None:
    """
    An administrator changes the topic and cannot kick the owner; messages of
    several lines, window shakes, notices, and messages missed in a parted
    channel are shown.
    """
    ming = await processes.startWithMing()
    irssi = await join(processes)
    await irssi.type("/topic #猫咪 太早了")
    await irssi.shows("#猫咪 QQ refuses")
    await ming.promote("猫咪", "Alice")
    await irssi.shows("[+o alice]")
    await irssi.type("/topic #猫咪 喝茶")
    await irssi.shows("alice changed the topic of #猫咪 to: 喝茶")
    await irssi.type("/kick #猫咪 小明 出去")
    await irssi.shows("muin cannot be put out")
    await irssi.type("/ctcp 小明 SHAKE")
    await ming.shows("shakes")
    await ming.shake("Alice")
    await irssi.shows("shakes your window")
    await irssi.type("/notice 小明 悄悄")
    await ming.shows("悄悄")
    await irssi.type("/part #猫咪")
    await irssi.shows("has left #猫咪")
    await ming.tellGroup("猫咪", "一\n二")
    await ming.tell("Alice", "说过了")
    await irssi.shows("说过了")
    await irssi.type("/join #猫咪")
    await irssi.shows("一", "二")
    await irssi.type("/msg *qq set city 杭州")
    await irssi.shows("city is now 杭州")
