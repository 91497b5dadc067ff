"""
The state that several server processes share.
"""

from __future__ import annotations

from contextlib import closing
from random import Random

from tests.postgresql.server import PostgreSQLServer
from txwebqq.model import Number
from txwebqq.server.fleet.state import Counters, FleetMessageIds
from txwebqq.server.storage.store import Store


def test_times(postgreSQL: PostgreSQLServer) -> None:
    """
    A message that comes after another one is not earlier, also if the clock of its
    process is behind: clients sort the messages of a reply by their times.
    """
    url = postgreSQL.newDatabase()
    times = []
    with closing(Store(url, hasPeers=True)) as store:
        for now in (1000.9, 999.2, 1001.0):
            counters = Counters(store.fleet.counters)
            ids = FleetMessageIds(
                lambda now=now: now,  # type: ignore[misc]
                Random(1),
                lambda number: 0,
                counters,
                lambda: None,
            )
            times.append(ids.next(Number(10001)).time)
            counters.write()
    assert times == [1000, 1000, 1001]
