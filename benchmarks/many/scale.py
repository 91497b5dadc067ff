"""
C{scale}: memory of a process with five thousand accounts after a restart of the
server, which runs in another process, compared with that before.
"""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.many.onlineaccounts import OnlineAccounts, server
from benchmarks.measures import Measure
from benchmarks.processes import allowFiles, cpuOf, memoryOf
from benchmarks.servers import writePopulation
from benchmarks.work import finish


async def ours(reactor: Any, accounts: int, members: int, pause: float) -> NoReturn:
    """
    Measure the memory of the clients after a restart, divided by that before
    it; and of the clients and the server, memory and CPU time. Progress is
    written to stderr.

    @param members: the number of members of a group that messages are sent to.
    @param pause: the seconds before memory is measured: long enough for a
        heartbeat of each account, and for idle connections to be closed.
    """
    from twisted.internet.task import deferLater

    allowFiles(accounts * 3 + 500)
    gc.collect()
    base = memoryOf(os.getpid())
    reading = {"after/before": 0.0}
    with (
        tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name,
        server(Path(name)) as qq,
    ):
        path = writePopulation(Path(name), accounts, 2, members)
        qq.start("--population", str(path))
        many = OnlineAccounts(reactor, f"http://127.0.0.1:{qq.port}", accounts)
        await many.until(lambda: qq.isListening, lambda: 0, "servers listen")
        serverBase = qq.memory()
        spent = [cpuOf(os.getpid()), qq.cpu()]

        def used(step: str) -> None:
            """
            Note the CPU time of both sides since the step before, for each
            account.
            """
            now = [cpuOf(os.getpid()), qq.cpu()]
            for side, one, other in zip(("client", "server"), now, spent, strict=True):
                reading[f"{side} ms CPU, {step}"] = (one - other) / accounts * 1e3
            spent[:] = now

        async def memory(step: str) -> float:
            await deferLater(reactor, pause)
            gc.collect()
            client = (memoryOf(os.getpid()) - base) / accounts
            reading[f"client KiB, {step}"] = client
            reading[f"server KiB, {step}"] = (qq.memory() - serverBase) / accounts
            many.report(f"{many.online} online, {client:.1f} KiB each, {step}")
            return client

        await many.signOn()
        used("sign-on")
        many.report(f"{many.online} signed on")
        took = await many.say("hello, all of you", members)
        many.report(f"a group message reached {members - 1} after {took:.2f} s")
        before = await memory("before")
        tickets, restarted = many.tickets(), reactor.seconds()
        used("online")
        qq.kill()
        await deferLater(reactor, 2.0)
        qq.start()
        await many.until(
            lambda: many.areBack(tickets, restarted) == accounts,
            lambda: many.areBack(tickets, restarted),
            "are back",
        )
        reading["seconds until all are back"] = reactor.seconds() - restarted
        used("restart")
        many.report(f"all back {reactor.seconds() - restarted:.0f} s after the kill")
        await many.say("hello again", members)
        reading["after/before"] = await memory("after") / before
    # Signing off hundreds of accounts would take long and is not measured.
    finish(reading)


MEASURES = [
    Measure(
        "scale",
        "benchmarks.many.scale:ours",
        "",
        1.2,
        "KiB after/before",
        size={"accounts": 5000, "members": 500, "pause": 65.0},
        quickSize={"accounts": 100, "members": 50, "pause": 2.0},
        rounds=1,
    )
]
