"""
The gateway with ii and sic, the smallest clients: they show a text only when a colon
is before it, also a text of one word.
"""

from __future__ import annotations

import re

from pytest_twisted import ensureDeferred

from tests.irc.processes import IRC_PASSWORD, GatewayProcesses


@ensureDeferred
async def test_ii(processes: GatewayProcesses) -> None:
    """
    After login by PASS texts of one word go both ways, with a friend and in the
    group, each in its folder; the group is left and joined.
    """
    ming = await processes.startWithMing()
    ii = processes.ii()
    ii.start("alice", IRC_PASSWORD, processes.plain)
    await ii.shows("alice(alice@qq.localhost) has joined #猫咪")
    await ming.tell("Alice", "在吗")
    private = re.compile(r"== _+\n\d+ <小明> 在吗\n")
    await ii.until(private.search, private)
    await ii.type("在的", "小明")
    await ming.shows("在的")
    await ming.tellGroup("猫咪", "开饭[微笑]")
    group = re.compile(r"== #_+\n.*\n\d+ <小明> 开饭\[微笑\]\n")
    await ii.until(group.search, group)
    await ii.type("来了[呲牙]", "#猫咪")
    await ming.shows("200001: 来了[呲牙]")
    await ii.leave("#猫咪")
    await ming.tellGroup("猫咪", "再见")
    await ii.type("/j #猫咪")
    again = re.compile(r"has joined #猫咪\n\d+ <小明> 再见\n")
    await ii.until(again.search, again)


@ensureDeferred
async def test_sic(processes: GatewayProcesses) -> None:
    """
    After login by PASS texts of one word go both ways, with a friend and in the
    group.
    """
    ming = await processes.startWithMing()
    sic = processes.sic()
    sic.start("alice", IRC_PASSWORD, processes.plain)
    await sic.shows("#猫咪")
    await ming.tell("Alice", "在吗")
    await sic.shows("<小明> 在吗\n")
    sic.type(":m 小明 在的")
    await ming.shows("在的")
    await ming.tellGroup("猫咪", "开饭[微笑]")
    await sic.shows("<小明> 开饭[微笑]\n")
    sic.type(":m #猫咪 来了[呲牙]")
    await ming.shows("200001: 来了[呲牙]")
