"""
The last message that each client of the gateway's users has been shown.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from txwebqq.irc.gateway.storage.transaction import CallLater, ScheduledCall
from txwebqq.sqlite.database import Database

SEEN_SCHEMA = """
CREATE TABLE seen (
    user TEXT NOT NULL,
    client TEXT NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (user, client)
) WITHOUT ROWID;
"""

SEEN_DELAY = 1.0
"""Time after which it is stored that a client has been shown a message, unless a
message is stored before, in seconds."""


class SeenStore:
    """
    The serial of the last message that each client has been shown. Serials wait in
    memory until a transaction is committed.

    @param begin: begins a transaction, whose commit calls L{write}.
    @param callLater: without it, each serial is written at once.
    """

    def __init__(
        self,
        database: Database,
        begin: Callable[[], object],
        callLater: CallLater | None,
    ) -> None:
        self._db = database.connection
        self._begin = begin
        self._callLater = callLater
        # By user and client.
        self._waiting: dict[tuple[str, str], int] = {}
        self._timer: ScheduledCall | None = None

    def last(self, user: str, client: str) -> int:
        """
        Return the serial of the last message that a client has been shown; 0
        for a new client.
        """
        waiting = self._waiting.get((user, client), 0)
        row = self._db.execute(
            "SELECT serial FROM seen WHERE user = ? AND client = ?", (user, client)
        ).fetchone()
        return waiting if row is None else max(waiting, int(row[0]))

    def mark(self, user: str, client: str, serial: int) -> None:
        """
        Store that a client has been shown all messages up to a serial. When the
        database cannot be written to, the client is shown some of them again
        after it has reconnected.
        """
        key = user, client
        self._waiting[key] = max(serial, self._waiting.get(key, 0))
        if self._callLater is None:
            with suppress(sqlite3.Error):
                self.write()
        elif self._timer is None:
            self._timer = self._callLater(SEEN_DELAY, self.flush)

    def flush(self) -> None:
        """
        Store at the end of this turn what waits, instead of later.
        """
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
        if self._waiting:
            with suppress(sqlite3.Error):
                self._begin()

    def write(self) -> None:
        """
        Write what waits, within the transaction that is being committed.

        @raise sqlite3.Error: when that fails.
        """
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self._db.executemany(
                "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (user, client)"
                " DO UPDATE SET serial = max(serial, excluded.serial)",
                [(*key, serial) for key, serial in waiting.items()],
            )
