"""
C{sign-on}: the CPU of a client from the first question to the first poll, with
two hundred buddies.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.measures import Measure
from benchmarks.ours import CountingFactory, service
from benchmarks.servers import running

QUESTIONS, LENGTH = 7, 4000
"""So many are asked before the first poll, and so long their answers are, all
together: C{check}, C{login}, C{check_sig}, C{login2}, friends, groups, and who
is online."""


async def ours(reactor: Any, times: int) -> float:
    """
    Milliseconds of CPU for a sign-on.
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
    Milliseconds for as many questions of treq, whose answers are as long.
    """
    import treq
    from twisted.web.client import HTTPConnectionPool

    with running("webqq", accounts=2) as server:
        url = f"{server.url}/bench/long?n={LENGTH}"
        used = 0.0
        for n in range(times + 1):
            # Whoever signs on has no connection yet.
            pool = HTTPConnectionPool(reactor)
            began = time.process_time()
            for _ in range(QUESTIONS):
                response = await treq.get(url, pool=pool)
                await treq.content(response)
            used += time.process_time() - began if n else 0.0
            await pool.closeCachedConnections()
    return used / times * 1e3


MEASURES = [
    Measure(
        "sign-on",
        "benchmarks.signon:ours",
        "benchmarks.signon:treqLoop",
        1.3,
        "ms CPU",
        size={"times": 60},
        quickSize={"times": 20},
    )
]
