"""
The queue of C{twistd webqq}, while it and the server are killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred

from tests.endtoend.daemons import Daemon, ProcessFolder

COUNT = 60

APPS = f"""
from txwebqq.model import ToFriend
from txwebqq.protocol import WebQQFactory, WebQQProtocol

class Queuer(WebQQProtocol):
    factory: "QueuerFactory"

    def signedOn(self):
        for n in range({COUNT}):
            sent = self.factory.queue.send(ToFriend(10001), f"m{{n}}", key=f"m{{n}}")
            sent.addCallback(self.factory.settled, n)

class QueuerFactory(WebQQFactory):
    protocol = Queuer

    def __init__(self):
        self.known = set()

    def settled(self, outcome, n):
        self.known.add(n)
        print(f"outcome {{n}} {{type(outcome).__name__}}")
        if len(self.known) == {COUNT}:
            print("all outcomes are known")

class Hearer(WebQQProtocol):
    def signedOn(self):
        print("listening")

    def messageReceived(self, message):
        print("heard", message.text)
        if message.text == "m{COUNT - 1}":
            print("heard the last one")

class HearerFactory(WebQQFactory):
    protocol = Hearer
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessFolder]:
    """
    Make the folder of the processes, with the applications.
    """
    processes = ProcessFolder(tmp_path)
    (tmp_path / "queuer.py").write_text(APPS, encoding="utf-8")
    yield processes
    processes.clear()


@pytest.mark.long
@ensureDeferred
async def test_killed(processes: ProcessFolder) -> None:
    """
    Each message arrives once and in order, although sender and server are killed and
    the application queues all messages again with each sign-on.
    """

    async def serve() -> Daemon:
        server = processes.server(
            "--population", "people.toml", "--database", "server.db"
        )
        await processes.answers(processes.port, server)
        return server

    def queue() -> Daemon:
        return processes.client(
            10002,
            "bot",
            "--app",
            "queuer.QueuerFactory",
            "--queue",
            "queue.db",
            "--queue-rate",
            "600",
        )

    server = await serve()
    hearer = processes.client(10001, "alice", "--app", "queuer.HearerFactory")
    await hearer.says("listening")
    queuer = queue()
    await hearer.says("heard m22")
    queuer.signal("KILL")
    await queuer.exits()
    queuer = queue()
    await hearer.says("heard m30")
    server.signal("KILL")
    await server.exits()
    await serve()
    await hearer.says("heard m40")
    queuer.signal("KILL")
    await queuer.exits()
    queuer = queue()
    await queuer.says("all outcomes are known")
    await hearer.says("heard the last one")
    words = [line.split() for line in hearer.output.splitlines()]
    heard = [each[-1] for each in words if each[-2:-1] == ["heard"]]
    assert heard == [f"m{n}" for n in range(COUNT)]
    outcomes = [line for line in queuer.output.splitlines() if "outcome " in line]
    assert {line.split()[-1] for line in outcomes} == {"Delivered"}
