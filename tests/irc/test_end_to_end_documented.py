"""
The commands of the page about clients do what they are said to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.daemons import ROOT
from tests.irc.processes import GatewayProcesses

PAGE = ROOT / "docs" / "irc-clients.md"


def blocks(client: str) -> Iterator[Any]:
    text = PAGE.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {client}$(.*?)^## ", text, re.S | re.M)
    for number, block in enumerate(re.findall(r"```text\n(.*?)```", section, re.S)):
        yield pytest.param(block.splitlines(), id=f"{client}-{number}")


def moved(processes: GatewayProcesses, line: str) -> str:
    """
    A line as it has to be typed here.
    """
    return (
        line.replace("6667", str(processes.plain))
        .replace("6697", str(processes.tls))
        .replace("ours.pem", str(processes.authority))
    )


@ensureDeferred
@pytest.mark.parametrize("lines", [*blocks("irssi")])
async def test_irssi(processes: GatewayProcesses, lines: list[str]) -> None:
    """
    Whoever types it in irssi is in the group.
    """
    await processes.startServer()
    await processes.startGateway()
    irssi = processes.irssi()
    await irssi.start()
    for line in lines:
        await irssi.type(moved(processes, line))
    await irssi.shows("[Users #猫咪]", "小明]")


@ensureDeferred
@pytest.mark.parametrize("lines", [*blocks("WeeChat")])
async def test_weechat(processes: GatewayProcesses, lines: list[str]) -> None:
    """
    Whoever types it in WeeChat is in the group.
    """
    await processes.startServer()
    await processes.startGateway()
    weechat = processes.weechat()
    await weechat.start()
    for line in lines:
        await weechat.type(moved(processes, line))
    await weechat.shows("irc.qq.#猫咪")
