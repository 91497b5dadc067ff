"""
Start and end of the gateway's process.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.irc.processes import GatewayProcesses
from tests.irc.servers import IRCUser
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.sqlite.database import Database

PAGE = Path(__file__).parents[2] / "docs" / "irc-gateway.md"
FIRST = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[0]


@ensureDeferred
async def test_terminate(processes: GatewayProcesses) -> None:
    """
    SIGTERM ends the gateway with exit code 0, also with a client connected and
    without a WebQQ server.
    """
    gateway = await processes.startGateway()
    with socket.create_connection(("127.0.0.1", processes.plain)):
        gateway.signal("TERM")
        assert await gateway.exits() == 0
    assert "oolong" not in gateway.output
    assert "Traceback" not in gateway.output


@ensureDeferred
@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('listen = ["nonsense:1"]', "no endpoint: ValueError: Unknown endpoint type"),
        ('database = "open.sqlite"', "open.sqlite: others can read the database"),
        ('database = "damaged.sqlite"', "damaged.sqlite: the database is damaged"),
        ('listen = ["tcp:{port}:interface=127.0.0.1"]', "Cannot listen on 127.0.0.1:"),
        ("colour = 1", "irc.toml:2: gateway: 'colour' is not known here"),
    ],
)
async def test_cannotStart(
    processes: GatewayProcesses, settings: str, problem: str
) -> None:
    """
    An error at the start is the last line of the output, and exit code 1.
    """
    folder = processes.folder
    processes.secret("alice.qq", "correct horse")
    (folder / "open.sqlite").touch()
    (folder / "open.sqlite").chmod(0o644)
    damaged = folder / "damaged.sqlite"
    Database(damaged, GATEWAY_SCHEMA).close()
    content = damaged.read_bytes()
    damaged.write_bytes(content[:4096] + b"\x5a" * 4096 + content[8192:])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = settings.replace("{port}", str(taken.getsockname()[1]))
        text = re.sub("(?m)^database = .*$", lambda _: settings, FIRST)
        (folder / "irc.toml").write_text(text, encoding="utf-8")
        gateway = processes.twistd("webqq-irc", "--config", "irc.toml")
        assert await gateway.exits() == 1
    assert problem in gateway.output.strip().splitlines()[-1]
    assert "Traceback" not in gateway.output


@pytest.mark.long
@ensureDeferred
async def test_restartAll(processes: GatewayProcesses) -> None:
    """
    When server and gateway are killed, and the gateway is there again first, it waits
    for the server and resumes the session.
    """
    server = await processes.startServer()
    gateway = await processes.startGateway()
    await gateway.says("Signed on (account 10001)")
    for each in (gateway, server):
        each.signal("KILL")
        await each.exits()
    again = await processes.startGateway()
    await again.says("retrying in")
    server = await processes.startServer()
    await again.says("Signed on (account 10001)")
    assert again.output.count("Signing on") == 1
    assert "is over" not in again.output
    ming = await processes.ming()
    user = processes.stopLater(IRCUser(processes.plain, "me", password="alice:oolong"))
    await user.join("#none")
    await ming.tell("Alice", "one")
    await user.shows("小明: one")


@pytest.mark.long
@ensureDeferred
@pytest.mark.parametrize("signal", ["TERM", "KILL"])
async def test_restart(processes: GatewayProcesses, signal: str) -> None:
    """
    When the gateway is restarted, or killed, friends see nothing of it; an IRC client
    that connects again is in its channels, and is shown what it has missed, once.
    """
    ming = await processes.startWithMing()
    user = processes.stopLater(
        IRCUser(processes.plain, "me", "server-time", password="alice:oolong")
    )
    await user.join("#none")
    await user.seesJoin("me")
    await ming.tell("Alice", "one")
    await user.shows("小明: one")
    before = list(ming.heard)
    [_, gateway] = processes.daemons
    gateway.signal(signal)
    await gateway.exits()
    await ming.tell("Alice", "two")
    again = await processes.startGateway()
    await again.says("Signed on (account 10001)")
    assert "Resuming the session" in again.output
    user = processes.stopLater(
        IRCUser(processes.plain, "me", "server-time", password="alice:oolong")
    )
    await user.join("#none")
    await user.seesJoin("me")
    await user.shows("小明: two")
    await ming.tell("Alice", "three")
    await user.shows("小明: three")
    # The client may not have confirmed the first one before the end.
    assert [text for text in user.said if text != "小明: one"] == [
        "小明: two",
        "小明: three",
    ]
    assert ming.heard == before
