"""
C{scale}: memory of a client process with five thousand accounts, after a group
message to five hundred of them and restarts of the server, which runs in another
process.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.client.accounts import AT_ONCE
from benchmarks.client.ours import CountingFactory, service
from benchmarks.measures import Measure
from benchmarks.processes import allowFiles, freePort, memoryOf
from benchmarks.servers import writePopulation

TIMEOUT = 1500.0
"""Seconds that the whole measure may take."""

RESTART_TIMEOUT = 600.0
"""Seconds in which all accounts have to be back after a restart."""


class _PresenceFactory(CountingFactory):
    """
    Builds protocols that are counted too.

    @ivar online: the number of accounts that are online.
    """

    def __init__(self) -> None:
        super().__init__()
        self.online = 0

    def buildProtocol(self, account: Any) -> Any:
        protocol = super().buildProtocol(account)
        factory = self

        def signedOn() -> None:
            factory.online += 1

        def connectionLost(reason: object) -> None:
            factory.online -= 1

        protocol.signedOn = signedOn  # type: ignore[method-assign]
        protocol.connectionLost = connectionLost  # type: ignore[method-assign]
        return protocol


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def ours(
    reactor: Any, accounts: int, members: int, pause: float, restarts: int
) -> float:
    """
    Measure the memory per account after the last restart, divided by that after
    the restart before. The first restart does not count: all accounts come back
    at once, and the allocator keeps what that needed. Progress is written to
    stderr.

    @return: the ratio, or 99 when an account did not come back or did not
        receive the group message.
    """
    from twisted.internet.defer import Deferred
    from twisted.internet.error import ProcessExitedAlready

    allowFiles(accounts * 3 + 500)
    servers: list[Any] = []
    scene = _scene(reactor, servers, accounts, members, pause, restarts)
    try:
        figure = await Deferred.fromCoroutine(scene).addTimeout(TIMEOUT, reactor)
    finally:
        for server in servers:
            with suppress(ProcessExitedAlready):
                server.signalProcess("KILL")
    # Signing off thousands of accounts would take long and is not measured.
    os.write(1, f"{figure}\n".encode())
    os._exit(0)


async def _scene(
    reactor: Any,
    servers: list[Any],
    accounts: int,
    members: int,
    pause: float,
    restarts: int,
) -> float:
    from twisted.internet.defer import DeferredSemaphore, gatherResults
    from twisted.internet.task import deferLater

    began = reactor.seconds()

    def since() -> str:
        return f"{reactor.seconds() - began:6.1f} s"

    gc.collect()
    base = memoryOf(os.getpid())

    def memory() -> float:
        gc.collect()
        return (memoryOf(os.getpid()) - base) / accounts

    async def until(wanted: Any, seconds: float) -> bool:
        end = reactor.seconds() + seconds
        while not wanted() and reactor.seconds() < end:
            await deferLater(reactor, 0.2)
        return bool(wanted())

    with tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name:
        folder = Path(name)
        writePopulation(folder, accounts, 2, members)
        port = freePort()
        server = await _start(
            reactor, servers, folder, port, "--population", "people.toml"
        )
        factory = _PresenceFactory()
        services = [
            service(reactor, n, f"http://127.0.0.1:{port}", factory)[0]
            for n in range(accounts)
        ]
        many = DeferredSemaphore(AT_ONCE)

        async def signOn(each: Any) -> None:
            each.startService()
            await each.whenSignedOn()

        await gatherResults([many.run(signOn, each) for each in services])
        _report(f"{since()}  {factory.online} signed on, {memory():.1f} KiB each")
        sender: Any = await services[0].whenSignedOn()
        [group] = sender.groups.values()
        sent = reactor.seconds()
        await sender.sendGroupMessage(group.gid, "hello, all of you")
        await until(lambda: factory.count >= members - 1, 30.0)
        _report(
            f"{since()}  {factory.count} of {members - 1} received a group message,"
            f" the last after {reactor.seconds() - sent:.2f} s"
        )
        # Long enough for a heartbeat of each account, and for idle connections
        # to be closed.
        await deferLater(reactor, pause)
        before = memory()
        _report(f"{since()}  {factory.online} still online, {before:.1f} KiB each")
        isBack = True
        after = before
        for _ in range(restarts):
            tickets = [_ticketOf(each) for each in services]
            server.signalProcess("KILL")
            await deferLater(reactor, 2.0)
            server = await _start(reactor, servers, folder, port)
            restarted = reactor.seconds()
            factory.count = 0
            # The restarted server knows none of the old tickets.
            isBack = isBack and await until(
                partial(_areNew, services, tickets), RESTART_TIMEOUT
            )
            _report(
                f"{since()}  {factory.online} online again,"
                f" {reactor.seconds() - restarted:.0f} s after a restart"
            )
            sender = await services[0].whenSignedOn()
            [group] = sender.groups.values()
            await sender.sendGroupMessage(group.gid, "hello again")
            await until(lambda: factory.count >= members - 1, 60.0)
            isBack = isBack and factory.count >= members - 1
            await deferLater(reactor, pause)
            before, after = after, memory()
            _report(
                f"{since()}  {factory.count} received another group message,"
                f" {after:.1f} KiB each"
            )
    return after / before if isBack else 99.0


def _areNew(services: list[Any], tickets: list[str]) -> bool:
    return all(
        _ticketOf(each) not in ("", ticket)
        for each, ticket in zip(services, tickets, strict=True)
    )


def _ticketOf(each: Any) -> str:
    """
    Return the ticket of an account, C{""} when it is not online.
    """
    driver = each._driver
    return "" if driver._channel is None else str(driver._state.ticket.psessionid)


async def _start(
    reactor: Any, servers: list[Any], folder: Path, port: int, *more: str
) -> Any:
    from twisted.internet.defer import Deferred
    from twisted.internet.protocol import ProcessProtocol

    class Server(ProcessProtocol):
        def __init__(self) -> None:
            self.listens: Deferred[None] = Deferred()
            self.output = b""

        def outReceived(self, data: bytes) -> None:
            self.output = (self.output + data)[-10_000:]
            if b"listens on" in self.output and not self.listens.called:
                self.listens.callback(None)

        errReceived = outReceived

    protocol = Server()
    argv = [
        sys.executable,
        "-m",
        "twisted",
        "webqq-server",
        "--message-rate",
        "0",
        # All clients of the measure have the same address.
        "--address-connections",
        "1000000",
        "--address-requests",
        "1000000",
        "--listen",
        f"tcp:{port}:interface=127.0.0.1:backlog=8192",
        "--database",
        "qq.db",
        *more,
    ]
    root = str(Path(__file__).parents[2])
    transport = reactor.spawnProcess(
        protocol,
        argv[0],
        argv,
        env={**os.environ, "PYTHONPATH": root},
        path=str(folder),
    )
    servers.append(transport)
    await protocol.listens
    return transport


def flat(accounts: int, members: int, pause: float, restarts: int) -> float:
    """
    Return the ratio of memory that has not grown.
    """
    return 1.0


MEASURES = [
    Measure(
        "scale",
        "benchmarks.many.scale:ours",
        "benchmarks.many.scale:flat",
        1.2,
        "KiB after/before",
        size={"accounts": 5000, "members": 500, "pause": 65.0, "restarts": 2},
        quickSize={"accounts": 100, "members": 50, "pause": 2.0, "restarts": 1},
        rounds=1,
    )
]
