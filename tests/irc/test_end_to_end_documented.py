"""
The commands in docs/irc-clients.md connect the clients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import ROOT
from tests.irc.processes import GatewayProcesses

PAGE = ROOT / "docs" / "irc-clients.md"


def blocks(client: str) -> Iterator[Any]:
    text = PAGE.read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {client}$(.*?)^## ", text, re.S | re.M)
    for number, block in enumerate(re.findall(r"```text\n(.*?)```", section, re.S)):
        yield pytest.param(block.splitlines(), id=f"{client}-{number}")


def localised(processes: GatewayProcesses, line: str) -> str:
    """
    Replace the ports and the certificate file in a documented line.
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
    irssi joins the group after the documented commands.
    """
    await processes.startServer()
    await processes.startGateway()
    irssi = processes.irssi()
    await irssi.start()
    for line in lines:
        await irssi.type(localised(processes, line))
    await irssi.shows("[Users #猫咪]", "小明]")


@ensureDeferred
@pytest.mark.parametrize("lines", [*blocks("WeeChat")])
async def test_weechat(processes: GatewayProcesses, lines: list[str]) -> None:
    """
    WeeChat joins the group after the documented commands.
    """
    await processes.startServer()
    await processes.startGateway()
    weechat = processes.weechat()
    await weechat.start()
    for line in lines:
        await weechat.type(localised(processes, line))
    await weechat.shows("irc.qq.#猫咪")
