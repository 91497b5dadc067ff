"""
OneBot 11 over TLS, with real daemons: C{twistd webqq-onebot} and C{twistd webqq}, each
as the server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred

from tests.endtoend.daemons import Daemon, freePort
from tests.network.authority import LOCALHOST, Authority
from tests.onebot.botprocesses import BotProcesses

# What Twisted passes there is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


class TLSProcesses(BotProcesses):
    """
    Daemons with a certificate of an authority of their own.

    @ivar address: of the side that listens.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ours = Authority(folder, "ours")
        self.other = Authority(folder, "other")
        certificate = self.ours.issue(LOCALHOST)
        port = freePort()
        self.endpoint = f"ssl:{port}:interface=127.0.0.1:privateKey={certificate}"
        self.address = f"wss://localhost:{port}"

    def account(self, *argv: str) -> Daemon:
        """
        Start C{twistd webqq} on account 10002, which prints its messages.
        """
        return self.twistd(
            "webqq",
            "--account",
            "10002",
            "--token-file",
            "token",
            "--log-text",
            *argv,
        )


@async_yield_fixture
async def processes(tmp_path: Path) -> AsyncIterator[TLSProcesses]:
    """
    The processes of a test, which are stopped after it.
    """
    processes = TLSProcesses(tmp_path)
    yield processes
    await processes.stop()


@ensureDeferred
async def test_forward(processes: TLSProcesses) -> None:
    """
    An account reaches the program over TLS, with the authority of its certificate
    only.
    """
    table = f'[[account.forward]]\nlisten = "{processes.endpoint}"\n'
    await processes.start(table + 'token-file = "token"\n')
    refused = processes.account("--onebot", processes.address)
    await refused.says("certificate verify failed")
    wrong = str(processes.other.file)
    refused = processes.account("--onebot", processes.address, "--ca-file", wrong)
    await refused.says("certificate verify failed")
    right = str(processes.ours.file)
    account = processes.account("--onebot", processes.address, "--ca-file", right)
    await account.says("Signed on (account 10002)")
    alice = await processes.alice()
    await alice.tell("小明", "在吗")
    await account.says("在吗")


@ensureDeferred
async def test_reverse(processes: TLSProcesses) -> None:
    """
    The program reaches the account over TLS, with the authority of its certificate
    only.
    """
    account = processes.account("--onebot-listen", processes.endpoint)
    table = f'[[account.reverse]]\nurl = "{processes.address}"\ntoken-file = "token"\n'
    daemon = await processes.start(table)
    await daemon.says("certificate verify failed")
    daemon.signal("TERM")
    assert await daemon.exits() == 0
    file = processes.folder / "onebot.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f'{text}ca-file = "{processes.ours.file}"\n', "utf-8")
    processes.twistd("webqq-onebot", "--config", "onebot.toml")
    await account.says("Signed on (account 10002)")
    alice = await processes.alice()
    await alice.tell("小明", "在吗")
    await account.says("在吗")
