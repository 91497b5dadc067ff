"""
The daemons as an operator runs them: real processes, real sockets.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import ROOT, ProcessFolder


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessFolder]:
    """
    A house whose daemons are gone afterwards.
    """
    processes = ProcessFolder(tmp_path)
    yield processes
    processes.clear()


@ensureDeferred
async def test_demo(processes: ProcessFolder) -> None:
    """
    The demo plays its whole conversation and leaves.
    """
    demo = processes.run(sys.executable, str(ROOT / "examples" / "demo.py"), "--once")
    assert await demo.exits() == 0, demo.output
    for line in (
        "Echo is online",
        "Alice -> Echo: Hello",
        "Echo -> Alice: Hello",
        "Echo -> Teahouse: The tea is good indeed",
        "Echo -> Teahouse: A picture of 75 bytes",
        "Carol reads: Tea at eight",
        "Carol -> Weekend: On Sunday too",
        "Carol asks Echo to be friends: Alice told me of Echo",
        "Carol -> Alice: Echo is my friend now",
        "Alice sees that Echo is busy.",
        "Echo is kicked: ",
        "Alice has signed off.",
        "All processes have ended.",
    ):
        assert line in demo.output


@ensureDeferred
async def test_terminate(processes: ProcessFolder) -> None:
    """
    A client that is told to stop signs off, and that is a success.
    """
    server = processes.server("--population", "people.toml")
    await server.says("listens on")
    bot = processes.client(10002, "bot")
    await bot.says("Roster loaded (account 10002): 1 friends, 0 groups.")
    bot.signal("TERM")
    assert await bot.exits() == 0
    assert "Signed off (account 10002)" in bot.output
    assert "Logout failed" not in bot.output


@ensureDeferred
async def test_refused(processes: ProcessFolder) -> None:
    """
    A wrong password ends the process with the server's words.
    """
    await processes.server("--population", "people.toml").says("listens on")
    processes.secret("guess", "tr0ub4dor&3")
    bot = processes.client(10002, "guess")
    assert await bot.exits() == 1
    assert "密码" in bot.output
    assert "tr0ub4dor" not in bot.output


@ensureDeferred
async def test_kicked(processes: ProcessFolder) -> None:
    """
    A second sign-on ends the first process, and only that.
    """
    await processes.server("--population", "people.toml").says("listens on")
    first = processes.client(10002, "bot")
    await first.says("Signed on")
    second = processes.client(10002, "bot")
    await second.says("Signed on")
    assert await first.exits() == 1
    assert not second.ended.called


@ensureDeferred
async def test_killedServer(processes: ProcessFolder) -> None:
    """
    A message that a server with a database has accepted is still there after
    the server was killed, and arrives once.
    """
    database = ("--database", "webqq.db")
    server = processes.server(*database, "--population", "people.toml")
    await server.says("listens on")
    teller = processes.client(10001, "alice", "--app", "teller.TellerFactory")
    assert await teller.exits() == 0, teller.output
    server.signal("KILL")
    await server.exits()
    await processes.server(*database).says("listens on")
    bot = processes.client(10002, "bot", "--log-text")
    await bot.says("Text: the 茶 is ready")
    bot.signal("TERM")
    await bot.exits()
    again = processes.client(10002, "bot", "--log-text")
    await again.says("Signed on")
    again.signal("TERM")
    await again.exits()
    assert "Text:" not in again.output


@ensureDeferred
async def test_restartedServer(processes: ProcessFolder) -> None:
    """
    A client comes back by itself when its server does.
    """
    people = ("--database", "webqq.db", "--population", "people.toml")
    server = processes.server(*people)
    await server.says("listens on")
    bot = processes.client(10002, "bot")
    await bot.says("Signed on")
    server.signal("KILL")
    await server.exits()
    await bot.says("Polling failed")
    bot.output = ""
    await processes.server(*people).says("listens on")
    await bot.says("Signed on")


@ensureDeferred
@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["webqq"], "--account is missing"),
        (["webqq", "--account", "x"], "--account is not a QQ number: x"),
        (["webqq", "--account", "10002"], "no password"),
        (
            ["webqq", "--account", "10002", "--password-file", "open"],
            "others can read the password file: chmod 600 open",
        ),
        (
            ["webqq", "--account=1", "--password-file=bot", "--app=no.Such"],
            "--app no.Such cannot be used",
        ),
        (["webqq-server", "--population", "none.toml"], "none.toml"),
        (["webqq-server", "--captcha", "perhaps"], "perhaps"),
        (["webqq-server", "--listen", "carrier:pigeon"], "carrier"),
    ],
)
async def test_usage(processes: ProcessFolder, argv: list[str], complaint: str) -> None:
    """
    Bad usage ends with 1 and one clear line last.
    """
    processes.secret("open", "x", 0o644)
    daemon = processes.twistd(*argv)
    assert await daemon.exits() == 1
    assert complaint in daemon.output.rstrip().splitlines()[-1]
    assert "Traceback" not in daemon.output
