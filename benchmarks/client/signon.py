"""
C{sign-on}: CPU time of a client from the first request to the first poll, with
two hundred friends.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.client.ours import CountingFactory, service
from benchmarks.measures import Measure
from benchmarks.servers import running

REQUESTS, LENGTH = 7, 4000
"""The number of requests before the first poll (C{check}, C{login},
C{check_sig}, C{login2}, friends, groups, presence), and the length of each reply
of the yardstick, in bytes."""


async def ours(reactor: Any, times: int) -> float:
    """
    Measure the CPU time of a sign-on, in milliseconds.
    """
    with running("webqq", accounts=201, friends=200) as server:
        factory = CountingFactory()
        used = 0.0
        for n in range(times + 1):
            each, client = service(reactor, 0, server.url, factory)
            began = time.process_time()
            each.startService()
            await each.whenSignedOn()
            used += time.process_time() - began if n else 0.0
            await each.stopService()
            await client.close()
    return used / times * 1e3


async def treqLoop(reactor: Any, times: int) -> float:
    """
    Measure the CPU time of as many requests with treq, in milliseconds.
    """
    import treq
    from twisted.web.client import HTTPConnectionPool

    with running("webqq", accounts=2) as server:
        url = f"{server.url}/bench/long?n={LENGTH}"
        used = 0.0
        for n in range(times + 1):
            # A sign-on begins without an open connection.
            pool = HTTPConnectionPool(reactor)
            began = time.process_time()
            for _ in range(REQUESTS):
                response = await treq.get(url, pool=pool)
                await treq.content(response)
            used += time.process_time() - began if n else 0.0
            await pool.closeCachedConnections()
    return used / times * 1e3


MEASURES = [
    Measure(
        "sign-on",
        "benchmarks.client.signon:ours",
        "benchmarks.client.signon:treqLoop",
        1.2,
        "ms CPU",
        size={"times": 60},
        quickSize={"times": 20},
    )
]
