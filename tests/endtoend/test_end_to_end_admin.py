"""
C{webqq-admin} beside a running server.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import ProcessFolder

# Beside the interpreter, where pip puts it.
ADMIN = str(Path(sys.executable).with_name("webqq-admin"))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessFolder]:
    """
    A folder whose processes are stopped after the test.
    """
    processes = ProcessFolder(tmp_path)
    yield processes
    processes.clear()


async def admin(processes: ProcessFolder, *argv: str) -> tuple[int, str]:
    command = processes.run(ADMIN, "--database", "webqq.db", *argv)
    return await command.exits(), command.output


@ensureDeferred
async def test_serverRunning(processes: ProcessFolder) -> None:
    """
    An account that is added while the server runs can sign on and is a friend at
    once; a new password counts from the next sign-on. The server stops on SIGTERM
    with exit code 0.
    """
    server = processes.server("--database", "webqq.db", "--population", "people.toml")
    await server.says("listens on")
    processes.secret("carol", "open sesame")
    add = ("account", "add", "10003", "--nick", "Carol", "--password-file", "carol")
    assert await admin(processes, *add) == (0, "")
    assert await admin(processes, "friendship", "add", "10001", "10003") == (0, "")
    carol = processes.client(10003, "carol", "--log-text")
    await carol.says("Roster loaded (account 10003): 1 friends, 0 groups.")
    teller = processes.client(10001, "alice", "--app", "teller.TellerFactory")
    assert await teller.exits() == 0, teller.output
    await carol.says("Text: the 茶 is ready")

    processes.secret("new", "another")
    change = ("account", "password", "10003", "--password-file", "new")
    assert await admin(processes, *change) == (0, "")
    carol.signal("TERM")
    assert await carol.exits() == 0
    assert await processes.client(10003, "carol").exits() == 1
    carol = processes.client(10003, "new")
    await carol.says("Signed on")

    code, output = await admin(processes, "account", "remove", "10003")
    assert code == 1
    assert "a server has it open; stop the server first" in output
    assert await admin(processes, "backup", "copy.db") == (0, "")
    server.signal("TERM")
    assert await server.exits() == 0, server.output
    assert await admin(processes, "account", "remove", "10003") == (0, "")
    code, output = await admin(processes, "account", "list")
    assert (code, output) == (0, "10001\tAlice\n10002\tBot\n")
    assert "Traceback" not in server.output
