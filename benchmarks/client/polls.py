"""
C{poll-1}, C{poll-1-aiohttp}, C{poll-50}: CPU time of a poll in a client with
eight sessions, whose polls are answered at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from benchmarks.client.ours import CountingFactory, service
from benchmarks.measures import Measure
from benchmarks.servers import running

SESSIONS = 8
FORM = {
    "r": json.dumps({"clientid": "1", "psessionid": "x" * 192, "key": 0, "ids": []}),
    "clientid": "1",
    "psessionid": "x" * 192,
}


async def ours(reactor: Any, events: int, polls: int) -> float:
    """
    Measure the CPU time per poll of the whole client, in microseconds: HTTP,
    typed events, duplicate check, call of an overridden callback.
    """
    from twisted.internet.defer import Deferred

    with (
        running("webqq", accounts=SESSIONS + 2) as server,
        running("canned", events=events) as canned,
    ):
        factory = CountingFactory()
        services = [
            service(reactor, n, server.url, factory, canned.url)[0]
            for n in range(SESSIONS)
        ]
        for each in services:
            each.startService()
        for each in services:
            await each.whenSignedOn()
        done: Deferred[None] = Deferred()
        start, began = factory.count, time.process_time()

        def check() -> None:
            if factory.count - start >= polls * events:
                done.callback(None)
            else:
                reactor.callLater(0.01, check)

        check()
        await done
        received = factory.count - start
        used = time.process_time() - began
        for each in services:
            await each.stopService()
    return used / (received / events) * 1e6


async def treqLoop(reactor: Any, events: int, polls: int) -> float:
    """
    Measure the CPU time per poll of C{treq.post} and C{json.loads}, in
    microseconds.
    """
    import treq
    from twisted.internet.defer import Deferred, gatherResults
    from twisted.web.client import HTTPConnectionPool

    with running("canned", events=events) as canned:
        pool = HTTPConnectionPool(reactor)
        pool.maxPersistentPerHost = SESSIONS
        count = 0

        async def loop(times: int) -> None:
            nonlocal count
            for _ in range(times):
                response = await treq.post(
                    f"{canned.url}/channel/poll2", data=FORM, pool=pool
                )
                count += len(json.loads(await treq.content(response))["result"])

        await gatherResults([Deferred.fromCoroutine(loop(20)) for _ in range(SESSIONS)])
        began = time.process_time()
        await gatherResults(
            [Deferred.fromCoroutine(loop(polls // SESSIONS)) for _ in range(SESSIONS)]
        )
        used = time.process_time() - began
        await pool.closeCachedConnections()
    return used / (polls // SESSIONS * SESSIONS) * 1e6


def aiohttpLoop(events: int, polls: int) -> float:
    """
    Measure the CPU time per poll of aiohttp and C{json.loads}, in microseconds.
    """
    import aiohttp

    async def main(url: str) -> float:
        async with aiohttp.ClientSession() as session:

            async def loop(times: int) -> None:
                for _ in range(times):
                    async with session.post(url, data=FORM) as response:
                        len(json.loads(await response.read())["result"])

            await asyncio.gather(*(loop(20) for _ in range(SESSIONS)))
            began = time.process_time()
            await asyncio.gather(*(loop(polls // SESSIONS) for _ in range(SESSIONS)))
            return time.process_time() - began

    with running("canned", events=events) as canned:
        used = asyncio.run(main(f"{canned.url}/channel/poll2"))
    return used / (polls // SESSIONS * SESSIONS) * 1e6


MEASURES = [
    Measure(
        "poll-1",
        "benchmarks.client.polls:ours",
        "benchmarks.client.polls:treqLoop",
        0.20,
        "us CPU/poll",
        size={"events": 1, "polls": 8000},
        quickSize={"polls": 2000},
    ),
    Measure(
        "poll-1-aiohttp",
        "benchmarks.client.polls:ours",
        "benchmarks.client.polls:aiohttpLoop",
        0.50,
        "us CPU/poll",
        size={"events": 1, "polls": 8000},
        quickSize={"polls": 2000},
    ),
    Measure(
        "poll-50",
        "benchmarks.client.polls:ours",
        "benchmarks.client.polls:treqLoop",
        0.60,
        "us CPU/poll",
        size={"events": 50, "polls": 2000},
        quickSize={"polls": 500},
    ),
]
