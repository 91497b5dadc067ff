"""
The gateway with finch, whose library libpurple is Pidgin's as well.
"""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.irc.processes import IRC_PASSWORD, GatewayProcesses


@ensureDeferred
async def test_messages(processes: GatewayProcesses) -> None:
    """
    After login by PASS a group is joined, and texts go both ways, in the group and
    with a friend.
    """
    ming = await processes.startWithMing()
    finch = processes.finch()
    await finch.start("alice", IRC_PASSWORD, processes.plain)
    await finch.shows("== #猫咪")
    await ming.tellGroup("猫咪", "茶好了[微笑]")
    await finch.shows("小明: 茶好了[微笑]")
    await finch.type("谢谢[呲牙]", "#猫咪")
    await ming.shows("200001: 谢谢[呲牙]")
    await ming.tell("Alice", "你在吗？")
    await finch.shows("== 小明", "小明: 你在吗？")
    await finch.type("/me 挥手", "小明")
    await ming.shows("\n/me 挥手")


@ensureDeferred
async def test_sasl(processes: GatewayProcesses) -> None:
    """
    finch tries the SASL mechanisms that it has, the strongest first, until the
    gateway knows one.
    """
    ming = await processes.startWithMing()
    finch = processes.finch()
    await finch.start("alice", IRC_PASSWORD, processes.plain, sasl=True)
    await finch.type("上线了", "#猫咪")
    await ming.shows("200001: 上线了")
