"""
C{restart}: the time from the kill of a server until a group message reaches all
of its accounts, when the server is started again at once.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.many.onlineaccounts import OnlineAccounts, server
from benchmarks.measures import Measure
from benchmarks.processes import allowFiles, cpuOf
from benchmarks.servers import writePopulation
from benchmarks.work import finish


async def ours(reactor: Any, accounts: int) -> NoReturn:
    """
    Measure the seconds, the number of new sign-ons, and the CPU time of the
    clients, which are all in this process, and of the server.
    """
    allowFiles(accounts * 3 + 500)
    with (
        tempfile.TemporaryDirectory(prefix="txwebqq-bench-") as name,
        server(Path(name)) as qq,
    ):
        path = writePopulation(Path(name), accounts, 2, accounts)
        qq.start("--population", str(path))
        many = OnlineAccounts(reactor, f"http://127.0.0.1:{qq.port}", accounts)
        await many.until(lambda: qq.isListening, lambda: 0, "servers listen")
        await many.signOn()
        await many.say("hello", accounts)
        many.report(f"{many.online} signed on; killing the server")
        tickets = many.tickets()
        began, client, other = time.monotonic(), cpuOf(os.getpid()), qq.cpu()
        qq.kill()
        qq.start()
        await many.say("hello again", accounts)
        took = time.monotonic() - began
        new = sum(
            ticket != old for ticket, old in zip(many.tickets(), tickets, strict=True)
        )
        reading = {
            "seconds": took,
            "new sign-ons": float(new),
            "client CPU s": cpuOf(os.getpid()) - client,
            "server CPU s": qq.cpu() - other,
        }
    # Signing off hundreds of accounts would take long and is not measured.
    finish(reading)


MEASURES = [
    Measure(
        "restart",
        "benchmarks.many.restart:ours",
        "",
        None,
        "s",
        size={"accounts": 500},
        quickSize={"accounts": 100},
        rounds=3,
        quickRounds=1,
    )
]
