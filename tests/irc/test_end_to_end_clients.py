"""
The clients of the end-to-end tests, with an IRC server that is not ours.
"""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.irc.processes import GatewayProcesses
from tests.irc.programs import program

CONFIGURATION = """
[Global]
Name = irc.localhost
Info = a server
Listen = 127.0.0.1
Ports = {}
MotdPhrase = the kettle is on
[Options]
DNS = no
Ident = no
PAM = no
"""


@ensureDeferred
async def test_conversation(processes: GatewayProcesses) -> None:
    """
    irssi and WeeChat show each other's messages.
    """
    irssi, weechat = processes.irssi(), processes.weechat()
    settings = processes.folder / "ngircd.conf"
    settings.write_text(CONFIGURATION.format(processes.plain))
    server = processes.run(program("ngircd"), "-n", "-f", str(settings))
    await server.says("Now listening")
    await irssi.start(f"/connect 127.0.0.1 {processes.plain} '' ali")
    await irssi.shows("the kettle is on")
    await irssi.type("/join #cats")
    await irssi.shows("[Users #cats]")
    address = f"127.0.0.1/{processes.plain}"
    await weechat.start(
        f"/server add qq {address} -notls -nossl -nicks=bob", "/connect qq"
    )
    await weechat.shows("the kettle is on")
    await weechat.type("/join #cats", "irc.server.qq")
    await irssi.shows("bob [")
    await weechat.type("茶好了", "irc.qq.#cats")
    await irssi.shows("bob> 茶好了")
    await irssi.type("谢谢 [微笑]")
    await weechat.shows("谢谢 [微笑]")


@ensureDeferred
async def test_qqFriends(processes: GatewayProcesses) -> None:
    """
    QQ friends receive each other's messages, in groups too, and friend requests.
    """
    await processes.startServer()
    ming = await processes.ming()
    alice = await processes.friend(10001, "correct horse")
    await alice.tell("小明", "茶好了 [微笑]")
    await ming.shows("茶好了 [微笑]")
    await ming.tellGroup("猫咪", "谢谢")
    await alice.shows("200001: 谢谢")
    hua = await processes.friend(10003, "tr0ub4dor")
    await hua.befriend(10001, "你好")
    await alice.shows("REQUESTED")
