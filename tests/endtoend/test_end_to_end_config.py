"""
Daemons with configuration files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import ProcessFolder

ADMIN = str(Path(sys.executable).with_name("webqq-admin"))

ACCOUNTS = """
[webqq]
server = "http://127.0.0.1:{port}"

[[account]]
number = 10001
password-file = "alice"

[[account]]
number = 10002
password-file = "bot"
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessFolder]:
    """
    A folder whose processes are stopped after the test.
    """
    processes = ProcessFolder(tmp_path)
    yield processes
    processes.clear()


@pytest.mark.long
@ensureDeferred
async def test_files(processes: ProcessFolder) -> None:
    """
    A server and a process with two accounts run from files that check-config finds
    right. The server takes new limits at SIGHUP; an account that is kicked leaves the
    other one signed on, and the process ends with exit code 1 when that signs off.
    """
    server, accounts = processes.folder / "s.toml", processes.folder / "w.toml"
    text = (
        f'[server]\nlisten = ["tcp:{processes.port}:interface=127.0.0.1"]\n'
        'population = "people.toml"\nmessage-rate = 5\n'
    )
    server.write_text(text, encoding="utf-8")
    accounts.write_text(ACCOUNTS.format(port=processes.port), encoding="utf-8")
    for path in (server, accounts):
        check = processes.run(ADMIN, "check-config", path.name)
        assert await check.exits() == 0
        assert check.output == f"{path.name}: no errors\n"
    running = processes.twistd("webqq-server", "--config", "s.toml")
    await running.says("listens on")
    await processes.answers(processes.port, running)
    both = processes.twistd("webqq", "--config", "w.toml")
    await both.says("Signed on (account 10001)")
    await both.says("Signed on (account 10002)")
    server.write_text(text.replace("5", "6") + "history = 7\n", encoding="utf-8")
    running.signal("HUP")
    await running.says("Reloaded server.history (")
    other = processes.client(10002, "bot")
    await other.says("Signed on")
    await both.says("Signed off (account 10002)")
    other.signal("TERM")
    assert await other.exits() == 0
    assert not both.hasEnded
    both.signal("TERM")
    assert await both.exits() == 1
    assert "Signed off (account 10001)" in both.output
    server.write_text("[server]\nhistry = 7\n", encoding="utf-8")
    wrong = processes.twistd("webqq-server", "--config", "s.toml")
    assert await wrong.exits() == 1
    last = wrong.output.rstrip().splitlines()[-1]
    assert "s.toml:2: server: 'histry' is not known here; did you mean history?" in last
