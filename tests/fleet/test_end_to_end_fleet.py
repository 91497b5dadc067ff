"""
Several real server processes with one PostgreSQL database.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from tests.endtoend.daemons import INTERVAL, PATIENCE, ROOT, ProcessFolder, freePort
from tests.fleet.__main__ import report
from tests.fleet.loadbalancer import LoadBalancer
from tests.fleet.run import FleetChaos, Size
from tests.irc.programs import program
from tests.ledger.people import ACK, SPEAKER, passwordOf, population
from tests.messages import Asker, Lost
from tests.network.rawclient import Habit, RawClient
from tests.postgresql.server import PostgreSQLServer

_ORDER = 0x77656273
"""The advisory lock of the transaction that gives numbers to events."""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[ProcessFolder]:
    """
    A folder whose daemons are gone afterwards.
    """
    processes = ProcessFolder(tmp_path)
    (tmp_path / "fleet.toml").write_text(population(), encoding="utf-8")
    yield processes
    processes.clear()


def asker(port: int) -> Asker:
    """
    Return a connection to a process.
    """
    return Asker(lambda: TCP4ClientEndpoint(reactor, "127.0.0.1", port))


def client(number: int, port: int, polling: int) -> RawClient:
    """
    Return a client whose polls go to another process than its other requests.
    """
    password = passwordOf(number)
    return RawClient(number, password, Habit.ACK, asker(port), asker(polling))


async def nextText(client: RawClient) -> tuple[Any, Any]:
    """
    Poll until a message comes.

    @return: the uin of its sender, and its text.
    """
    while True:
        for event in (await client.poll()).events:
            if event["poll_type"] == "message":
                value = event["value"]
                return value["from_uin"], value["content"][1].strip()


@ensureDeferred
async def test_processes(
    processes: ProcessFolder, postgreSQL: PostgreSQLServer
) -> None:
    """
    A session is good at each process: a poll at one brings what was sent at another,
    and when one is killed, its clients go on at another with the same ids.
    """
    ports, servers = (freePort(), freePort()), []
    database = postgreSQL.newDatabase()
    for port in ports:
        listen = f"--listen=tcp:{port}:interface=127.0.0.1"
        options = ("--files=files", "--captcha=never", "--population=fleet.toml")
        servers.append(
            processes.twistd("webqq-server", listen, f"--database={database}", *options)
        )
    for server in servers:
        await server.says("listens on")
    one, other = ports
    alice, bob = client(SPEAKER, one, other), client(ACK, one, other)
    await bob.signOn()
    await alice.signOn()
    assert alice.session is not None
    assert bob.session is not None
    bobsAlice = bob.session.friends[SPEAKER]
    # The first poll brings the presence of Alice. The next one is held by another
    # process than the one that gets the message.
    await bob.poll()
    heard = Deferred.fromCoroutine(nextText(bob))
    probe = asker(other)
    await probe.ask("GET", "/cgi-bin/ver")
    await alice.ask(alice.toFriend(ACK, "before"))
    assert await heard == (bobsAlice, "before")
    await bob.ask(bob.toFriend(SPEAKER, "yes"))
    assert await nextText(alice) == (alice.session.friends[ACK], "yes")
    servers[0].signal("KILL")
    await servers[0].ended
    alice.direct = bob.direct = asker(other)
    await alice.ask(alice.toFriend(ACK, "after"))
    assert await nextText(bob) == (bobsAlice, "after")
    for each in (alice.direct, alice.polling, bob.polling, probe):
        each.close()
    servers[1].signal("TERM")
    assert await servers[1].exits() == 0


class Holding(Protocol):
    """
    A server that answers checks, and holds polls.
    """

    def __init__(self, held: Deferred[None], ended: Deferred[None]) -> None:
        self._held = held
        self._ended = ended
        self._isPoll = False

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        if b"/channel/poll2" in data:
            self._isPoll = True
            self._held.callback(None)
        elif b"/cgi-bin/ver" in data:
            self.transport.write(b"HTTP/1.0 200 OK\r\n\r\n")
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._isPoll:
            self._ended.callback(None)


@pytest.mark.long
@ensureDeferred
async def test_endedPoll(processes: ProcessFolder) -> None:
    """
    When a client ends its poll, HAProxy ends it at the server, which then keeps the
    events for the next one.
    """
    held: Deferred[None] = Deferred()
    ended: Deferred[None] = Deferred()
    program("haproxy")
    factory = Factory.forProtocol(lambda: Holding(held, ended))
    endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    port: Any = await endpoint.listen(factory)
    balancer = LoadBalancer(processes, [port.getHost().port])
    await balancer.start()
    client = asker(balancer.port)
    asking = Deferred.fromCoroutine(client.ask("POST", "/channel/poll2", b"r="))
    await held.addTimeout(PATIENCE, reactor)
    client.close()
    with pytest.raises(Lost):
        await asking
    await ended.addTimeout(PATIENCE, reactor)
    await balancer.end()
    await port.stopListening()


@pytest.mark.long
@ensureDeferred
async def test_demo(processes: ProcessFolder, postgreSQL: PostgreSQLServer) -> None:
    """
    C{make demo-fleet} plays its whole conversation, also after a process is killed,
    and leaves.
    """
    program("haproxy")
    script = str(ROOT / "examples/demo_fleet.py")
    demo = processes.run(sys.executable, script, "--once")
    assert await demo.exits(3 * PATIENCE) == 0, demo.output
    for line in (
        "where Alice was, is killed with -9.",
        "Carol -> Weekend: On Sunday too",
        "with the same session.)",
        "Echo is kicked",
        "Alice has signed off.",
        "PostgreSQL has ended.",
    ):
        assert line in demo.output


@pytest.mark.long
@ensureDeferred
async def test_chaos(tmp_path: Path, postgreSQL: PostgreSQLServer) -> None:
    """
    Messages are delivered once and in one order, and sessions go on, while server
    processes, PostgreSQL and HAProxy are killed, stopped and restarted.
    """
    program("haproxy")
    run = FleetChaos(tmp_path, 3, Size(accounts=12, minutes=1.5, pause=1.5))
    verdict = await run.play()
    assert not verdict.wrongs, report(run, verdict)
    assert run.troubles.total() >= 4


@pytest.mark.long
@ensureDeferred
async def test_stops(processes: ProcessFolder, postgreSQL: PostgreSQLServer) -> None:
    """
    At SIGTERM a process is not ready at once, answers its poll, waits for the message
    that it has, which is accepted, and then ends. Before, SIGHUP changes its limits.
    """
    port, operators, database = freePort(), freePort(), postgreSQL.newDatabase()
    settings = processes.folder / "server.toml"
    settings.write_text("[server]\nmessage-rate = 600\n", encoding="utf-8")
    server = processes.twistd(
        *("webqq-server", "--config=server.toml", f"--database={database}"),
        f"--listen=tcp:{port}:interface=127.0.0.1",
        f"--operate=tcp:{operators}:interface=127.0.0.1",
        *("--files=files", "--captcha=never", "--population=fleet.toml"),
    )
    await server.says("listens on")
    alice, bob = client(SPEAKER, port, port), client(ACK, port, port)
    await bob.signOn()
    await alice.signOn()
    await bob.poll()
    assert (await asker(operators).ask("GET", "/readyz")).status == 200
    settings.write_text("[server]\nmessage-rate = 500\n", encoding="utf-8")
    server.signal("HUP")
    await server.says("Reloaded server.message-rate")
    with psycopg.connect(database, autocommit=True) as other, other.transaction():
        # As another process that gives numbers to messages.
        other.execute(
            "SELECT pg_advisory_xact_lock(%s::integer, hashtext(current_schema()))",
            (_ORDER,),
        )
        poll = Deferred.fromCoroutine(bob.poll())
        sending = Deferred.fromCoroutine(alice.ask(alice.toFriend(ACK, "last")))
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while other.execute(query).fetchone() != (1,):
            await deferLater(reactor, INTERVAL)
        server.signal("TERM")
        assert (await poll).retcode == 102
        for each in (port, operators):
            with pytest.raises(ConnectError):
                await TCP4ClientEndpoint(reactor, "127.0.0.1", each).connect(Factory())
        assert not sending.called
    await sending
    assert await server.exits() == 0
    assert "Traceback" not in server.output
