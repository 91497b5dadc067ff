"""
The gateway with pydle, a Python library for IRC clients, which sends a text of one
word without a colon before it.
"""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from tests.irc.processes import IRC_PASSWORD, GatewayProcesses


@ensureDeferred
async def test_messages(processes: GatewayProcesses) -> None:
    """
    After login by PASS texts of one word go both ways, with a friend and in the
    group; the library's callbacks are given the texts as they were sent, also
    those that it has sent itself.
    """
    ming = await processes.startWithMing()
    pydle = processes.pydle()
    pydle.start("alice", IRC_PASSWORD, processes.plain)
    await pydle.shows("alice has joined #猫咪\n")
    await ming.tell("Alice", "在吗")
    await pydle.shows("private alice <小明> 在吗\n")
    pydle.type("小明 在的")
    await ming.shows("在的")
    await pydle.shows("private 小明 <alice> 在的\n")
    await ming.tellGroup("猫咪", "开饭[微笑]")
    await pydle.shows("channel #猫咪 <小明> 开饭[微笑]\n")
    pydle.type("#猫咪 来了[呲牙]")
    await ming.shows("200001: 来了[呲牙]")
    await pydle.shows("channel #猫咪 <alice> 来了[呲牙]\n")
