"""
The daemons as an operator runs them: real processes, real sockets.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as globalReactor
from twisted.internet.task import deferLater

from tests.endtoend.daemons import INTERVAL, PATIENCE, ROOT, TWISTD, ProcessFolder

reactor: Any = globalReactor

LATE = """
import demo

# No client gives a cue that the demo knows.
demo.CUE = "nothing"
demo.TIMEOUT = 8.0
demo.main()
"""

TAKEN = """
import demo

demo.freePort = lambda usual: {port}
demo.main()
"""

EXAMPLES = str(ROOT / "examples")


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
    # It gives up by itself after two minutes, and shows its logs.
    assert await demo.exits(2 * PATIENCE) == 0, demo.output
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
        "Echo is kicked: another sign-on took over: ",
        "Alice has signed off.",
        "All processes have ended.",
    ):
        assert line in demo.output


@ensureDeferred
async def test_demoLate(processes: ProcessFolder) -> None:
    """
    A demo that takes too long ends all its processes, the server as well.
    """
    path = os.pathsep.join((EXAMPLES, str(ROOT)))
    demo = processes.run(sys.executable, "-c", LATE, "--once", PYTHONPATH=path)
    assert await demo.exits() == 1
    assert "TimeoutError" in demo.output
    assert "the end of server's log" in demo.output
    found = re.search(r"listens on 127\.0\.0\.1:(\d+)", demo.output)
    assert found, demo.output
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(found[1])))


@pytest.mark.long
@ensureDeferred
async def test_demoTaken(processes: ProcessFolder) -> None:
    """
    A demo whose port another server takes first does not go on with that server.
    """
    await processes.server("--population", "people.toml").says("listens on")
    path = os.pathsep.join((EXAMPLES, str(ROOT)))
    taken = TAKEN.format(port=processes.port)
    demo = processes.run(sys.executable, "-c", taken, "--once", PYTHONPATH=path)
    assert await demo.exits() == 1
    assert "Address already in use" in demo.output
    assert "RuntimeError: the server has ended" in demo.output


@ensureDeferred
async def test_demoHungUp(processes: ProcessFolder) -> None:
    """
    A demo whose terminal is closed ends its processes and removes its files.
    """
    temporary = processes.folder / "temporary"
    temporary.mkdir()
    demo = processes.run(
        *(sys.executable, str(ROOT / "examples" / "demo.py")), TMPDIR=str(temporary)
    )
    await demo.says("A WebQQ server is at")
    demo.signal("HUP")
    assert await demo.exits() == 0
    assert "Traceback" not in demo.output
    # It is empty.
    temporary.rmdir()


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
    people = ["--database", "webqq.db", "--population", "people.toml"]
    people.append("--poll-timeout=5")
    server = processes.server(*people)
    await server.says("listens on")
    bot = processes.client(10002, "bot")
    await bot.says("Signed on")
    server.signal("KILL")
    await server.exits()
    await bot.says("Polling failed")
    bot.output = ""
    await processes.server(*people).says("listens on")
    # With its session, or by another sign-on when that was not written yet.
    await bot.says("online (before: ")


@ensureDeferred
@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["webqq"], "--account is missing"),
        (["webqq", "--account", "x"], "--account is not a QQ number: x"),
        (["webqq", "--account", "10002"], "no password"),
        (
            ["webqq", "--account", "10002", "--password-file", "open"],
            "others can read open: chmod 600 open",
        ),
        (
            ["webqq", "--account=1", "--password-file=bot", "--app=no.Such"],
            "--app no.Such cannot be used",
        ),
        (
            ["webqq", "--account=1", "--onebot-listen=8080:interface=127.0.0.1"],
            "Unknown endpoint type: '8080'",
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
    processes.folder.chmod(0o755)
    daemon = processes.twistd(*argv)
    assert await daemon.exits() == 1
    assert complaint in daemon.output.rstrip().splitlines()[-1]
    assert "Traceback" not in daemon.output


@ensureDeferred
@pytest.mark.parametrize(
    "encoding", [pytest.param("latin-1", marks=pytest.mark.long), "ascii"]
)
async def test_otherEncoding(processes: ProcessFolder, encoding: str) -> None:
    """
    The server's words are logged on a terminal of any encoding, as escapes where
    it has no Chinese.
    """
    await processes.server("--population", "people.toml").says("listens on")
    processes.secret("guess", "tr0ub4dor&3")
    bot = processes.client(10002, "guess", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert await bot.exits() == 1
    assert "the login was refused: wrong account or password: " in bot.output
    assert r"\u5bc6\u7801" in bot.output


async def until(isSo: Callable[[], object]) -> None:
    """
    Wait for a condition that a process in the background causes.
    """
    deadline = reactor.seconds() + PATIENCE
    while not isSo():
        assert reactor.seconds() < deadline
        await deferLater(reactor, INTERVAL)


@ensureDeferred
@pytest.mark.parametrize("argv", [["--help"], ["--listen", "nowhere"]])
async def test_forked(processes: ProcessFolder, argv: list[str]) -> None:
    """
    A daemon of the fork server puts out and returns what C{twistd} does.
    """
    forked = processes.twistd("webqq-server", *argv)
    real = processes.run(str(TWISTD), "-n", "--pidfile=", "webqq-server", *argv)
    assert await forked.exits() == await real.exits()
    assert forked.output == real.output != ""


@ensureDeferred
async def test_background(processes: ProcessFolder) -> None:
    """
    A daemon of another user begins a new log file at SIGHUP, and SIGTERM, also
    twice, ends it without a traceback.
    """
    # Root's other folders cannot be entered by others.
    folder = Path(tempfile.mkdtemp())
    user = []
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        user = ["--uid=65534", "--gid=65534"]
    listen = f"--listen=tcp:{processes.port}:interface=127.0.0.1"
    server = ["webqq-server", listen, f"--database={folder}/q.db"]
    log, pid, rotated = folder / "q.log", folder / "q.pid", folder / "q.log.1"
    options = [f"--rundir={folder}", f"--logfile={log}", f"--pidfile={pid}"]
    try:
        twistd = processes.run(str(TWISTD), *user, *options, *server)
        assert await twistd.exits() == 0, twistd.output
        await until(lambda: log.exists() and "listens on" in log.read_text())
        number = int(pid.read_text())
        os.kill(number, signal.SIGHUP)
        await until(rotated.exists)
        for _ in range(2):
            os.kill(number, signal.SIGTERM)
        await until(lambda: "Server Shut Down" in log.read_text())
        assert "Traceback" not in log.read_text() + rotated.read_text()
    finally:
        if pid.exists():
            with suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGKILL)
        shutil.rmtree(folder)


@ensureDeferred
async def test_hangUp(processes: ProcessFolder) -> None:
    """
    A server in the foreground that loses its terminal stops as after SIGTERM.
    """
    server = processes.server("--population", "people.toml")
    await server.says("listens on")
    await processes.answers(processes.port, server)
    server.signal("HUP")
    assert await server.exits() == 0
    assert "Server Shut Down" in server.output
