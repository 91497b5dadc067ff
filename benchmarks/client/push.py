"""
C{push}: time from sending a message to its arrival at the recipient; both clients
are in one process, the server in another.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from benchmarks.client.ours import CountingFactory, CountingProtocol, service
from benchmarks.measures import Measure
from benchmarks.servers import running

PAUSE = 0.005
"""Seconds between two messages."""


class _Stopwatch(CountingFactory):
    def __init__(self) -> None:
        super().__init__()
        self.waiting: Any = None

    def messageReceived(self) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(time.perf_counter())


async def ours(reactor: Any, messages: int) -> float:
    """
    Measure the median time from C{sendMessage} to C{messageReceived}, in
    microseconds.
    """
    from twisted.internet.defer import Deferred
    from twisted.internet.task import deferLater

    with running("webqq", accounts=2, friends=2) as server:
        factory = _Stopwatch()
        services = [service(reactor, n, server.url, factory)[0] for n in range(2)]
        for each in services:
            each.startService()
        sender: Any = await services[0].whenSignedOn()
        await services[1].whenSignedOn()
        assert isinstance(sender, CountingProtocol)
        [friend] = sender.buddies
        delays = []
        for n in range(messages):
            arrived: Deferred[float] = Deferred()
            factory.waiting = arrived
            began = time.perf_counter()
            sent = sender.sendMessage(friend, f"hello {n}")
            delays.append(await arrived - began)
            await sent
            await deferLater(reactor, PAUSE)
        for each in services:
            await each.stopService()
    return float(median(delays[messages // 10 :]) * 1e6)


async def treqLoop(reactor: Any, messages: int) -> float:
    """
    Measure the same with C{treq.post} and a server without a protocol.
    """
    import json

    import treq
    from twisted.internet.defer import Deferred
    from twisted.internet.task import deferLater
    from twisted.web.client import HTTPConnectionPool

    with running("bare") as server:
        pool = HTTPConnectionPool(reactor)
        delays = []
        for n in range(messages):

            async def poll() -> float:
                response = await treq.post(
                    f"{server.url}/channel/poll2", data={"r": "{}"}, pool=pool
                )
                json.loads(await treq.content(response))
                return time.perf_counter()

            arrived = Deferred.fromCoroutine(poll())
            await deferLater(reactor, PAUSE)
            began = time.perf_counter()
            response = await treq.post(
                f"{server.url}/channel/send_buddy_msg2",
                data={"r": json.dumps({"to": 1, "content": f"hello {n}"})},
                pool=pool,
            )
            await treq.content(response)
            delays.append(await arrived - began)
        await pool.closeCachedConnections()
    return float(median(delays[messages // 10 :]) * 1e6)


MEASURES = [
    Measure(
        "push",
        "benchmarks.client.push:ours",
        "benchmarks.client.push:treqLoop",
        0.9,
        "us p50",
        size={"messages": 600},
        quickSize={"messages": 200},
    )
]
