"""
Tables of counters, and of the batches of workers.
"""

from __future__ import annotations

from collections.abc import Mapping

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert

COUNTER_SCHEMA = """
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE worker_batch (
    worker TEXT PRIMARY KEY,
    batch INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX worker_batch_by_time ON worker_batch (time);
"""

_UPSERT_COUNTER = upsert("counter", "name", "value")
_UPSERT_BATCH = upsert("worker_batch", "worker", "batch time")


class CounterStore:
    """
    Counters, and the numbers of the last batches of workers.
    Each method is one statement or two, of a transaction that the caller has begun.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def counter(self, name: str) -> int | None:
        """
        Return the value of a counter, L{None} before the first.
        """
        row = self._db.execute(
            "SELECT value FROM counter WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else int(row[0])

    def counters(self, first: str, second: str) -> dict[str, int]:
        """
        Return the values of two counters, as far as there are any.
        """
        rows = self._db.execute(
            "SELECT name, value FROM counter WHERE name IN (?, ?)", (first, second)
        )
        return dict(rows.fetchall())

    def writeCounters(self, counters: Mapping[str, int]) -> None:
        """
        Store counters.
        """
        self._db.executemany(_UPSERT_COUNTER, sorted(counters.items()))

    def writeBatch(self, worker: str, batch: int, now: int) -> None:
        """
        Store the number of a worker's batch, in its transaction.

        @param now: the time, in Unix seconds.
        """
        self._db.execute(_UPSERT_BATCH, (worker, batch, now))

    def lastBatch(self, worker: str, now: int) -> int:
        """
        Wait for the end of a transaction of a worker, and return the number of its last
        batch that was committed, 0 for none.

        The id of a transaction does not tell that: PostgreSQL gives an id once more
        when it crashes before it has written anything of the first transaction.
        """
        return self._database.count(
            "INSERT INTO worker_batch VALUES (?, 0, ?) ON CONFLICT (worker)"
            " DO UPDATE SET time = excluded.time RETURNING batch",
            worker,
            now,
        )
