"""
C{accounts}: memory of a client process for each of many accounts that are
signed on, each with a held poll.
"""

from __future__ import annotations

import gc
import os
from typing import Any, NoReturn

from benchmarks.client.ours import CountingFactory, service
from benchmarks.measures import Measure
from benchmarks.processes import allowFiles, memoryOf
from benchmarks.servers import running
from benchmarks.work import finish

AT_ONCE = 50
"""Number of accounts that sign on at a time."""


async def _settled(reactor: Any, seconds: float) -> float:
    from twisted.internet.task import deferLater

    await deferLater(reactor, seconds)
    gc.collect()
    return memoryOf(os.getpid())


async def ours(reactor: Any, accounts: int, pause: float) -> NoReturn:
    """
    Measure the memory per account, in KiB.
    """
    from twisted.internet.defer import DeferredSemaphore, gatherResults

    allowFiles(accounts * 3 + 500)
    with running("webqq", accounts=accounts, friends=2) as server:
        factory = CountingFactory()
        # The first account imports modules, which costs the others nothing.
        first, _ = service(reactor, accounts - 1, server.url, factory)
        first.startService()
        await first.whenSignedOn()
        before = await _settled(reactor, 1.0)
        many = DeferredSemaphore(AT_ONCE)
        services = [
            service(reactor, n, server.url, factory)[0] for n in range(accounts - 1)
        ]

        async def signOn(each: Any) -> None:
            each.startService()
            await each.whenSignedOn()

        await gatherResults([many.run(signOn, each) for each in services])
        # The pause is long enough for the connections of sign-on to be closed.
        after = await _settled(reactor, pause)
    finish((after - before) / (accounts - 1))


async def treqLoop(reactor: Any, accounts: int, pause: float) -> NoReturn:
    """
    Measure the memory per poll that C{treq.post} holds, in KiB.
    """
    import treq
    from twisted.web.client import HTTPConnectionPool

    allowFiles(accounts + 500)
    with running("bare") as server:
        pool = HTTPConnectionPool(reactor)
        pool.maxPersistentPerHost = accounts

        def post() -> Any:
            asked = treq.post(
                f"{server.url}/channel/poll2", data={"r": "{}"}, pool=pool
            )
            return asked.addErrback(lambda failure: None)

        polls = [post()]
        before = await _settled(reactor, 1.0)
        polls += [post() for _ in range(accounts - 1)]
        after = await _settled(reactor, min(pause, 5.0))
    finish((after - before) / (accounts - 1))


MEASURES = [
    Measure(
        "accounts",
        "benchmarks.client.accounts:ours",
        "benchmarks.client.accounts:treqLoop",
        1.2,
        "KiB/account",
        size={"accounts": 5000, "pause": 60.0},
        quickSize={"accounts": 300, "pause": 2.0},
        rounds=1,
    ),
    Measure(
        "accounts-flat",
        "benchmarks.client.accounts:ours",
        "benchmarks.client.accounts:few",
        1.2,
        "KiB/account",
        size={"accounts": 5000, "pause": 60.0},
        quickSize={"accounts": 300, "pause": 2.0},
        rounds=1,
    ),
]


async def few(reactor: Any, accounts: int, pause: float) -> NoReturn:
    """
    Measure as L{ours}, with a fifth of the accounts.
    """
    await ours(reactor, accounts // 5, pause)
