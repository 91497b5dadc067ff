"""
Table of signals: the statuses of friends, and events that are not stored with others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number

SIGNAL_SCHEMA = """
CREATE TABLE signal (
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    until INTEGER NOT NULL,
    reply INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, key)
) WITHOUT ROWID;
CREATE INDEX signal_by_until ON signal (until);
"""

_UPSERT_SIGNAL = upsert("signal", "number key", "body until reply")


@dataclass(frozen=True, slots=True)
class Signal:
    """
    The status of a friend, or an event that is not stored with the others.

    @ivar key: what a later one of the same kind and sender replaces.
    @ivar until: the time after which it is dropped, in Unix seconds.
    @ivar reply: the number of the reply that has it, 0 for none.
    """

    key: str
    body: str
    until: int
    reply: int = 0


class SignalStore:
    """
    The signals for accounts.
    Each method is one statement or two, of a transaction that the caller has begun.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection

    def signals(self, number: Number) -> list[Signal]:
        """
        Return the signals for an account.
        """
        rows = self._db.execute(
            "SELECT key, body, until, reply FROM signal WHERE number = ? ORDER BY key",
            (number,),
        )
        return [Signal(*row) for row in rows]

    def addSignals(self, signals: Mapping[tuple[Number, str], Signal]) -> None:
        """
        Add signals for accounts, by account and key; a signal replaces an older one.
        """
        rows = [
            (number, key, each.body, each.until, each.reply)
            for (number, key), each in sorted(signals.items())
        ]
        self._db.executemany(_UPSERT_SIGNAL, rows)

    def giveSignals(self, number: Number, keys: Iterable[str], reply: int) -> None:
        """
        Record that a reply to an account has signals.
        """
        self._db.executemany(
            "UPDATE signal SET reply = ? WHERE number = ? AND key = ?",
            [(reply, number, key) for key in keys],
        )

    def dropSignals(self, number: Number) -> None:
        """
        Delete the signals for an account that a reply has.
        """
        self._db.execute("DELETE FROM signal WHERE number = ? AND reply > 0", (number,))

    def dropSignal(self, number: Number, key: str) -> None:
        """
        Delete a signal for an account.
        """
        self._db.execute(
            "DELETE FROM signal WHERE number = ? AND key = ?", (number, key)
        )
