"""
Table of the polls of sessions, beside what L{txwebqq.server.storage.sessions} has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields
from typing import Any

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number
from txwebqq.server.storage.sessions import StoredSession

POLL_SCHEMA = """
CREATE TABLE poll_state (
    number INTEGER PRIMARY KEY,
    seen INTEGER NOT NULL,
    since INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    former BLOB NOT NULL,
    acks INTEGER NOT NULL DEFAULT -1,
    last_ack INTEGER NOT NULL DEFAULT 0,
    names_ids INTEGER NOT NULL DEFAULT 0,
    poll INTEGER NOT NULL DEFAULT 0,
    reply INTEGER NOT NULL DEFAULT 0,
    writer TEXT NOT NULL DEFAULT '',
    holder TEXT NOT NULL DEFAULT '',
    repeats INTEGER NOT NULL DEFAULT 0,
    unnamed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX poll_state_by_seen ON poll_state (seen);
"""


@dataclass(slots=True)
class PollState:
    """
    The polls of a session, beside what L{StoredSession} has.

    @ivar seen: the time of its last poll, in Unix seconds, or a later one while the
        poll was held.
    @ivar since: the time since which the account has been online, in Unix seconds.
    @ivar used: 1 when a request has had the present C{psessionid}.
    @ivar former: the SHA-256 of the C{psessionid} before, C{b""} for none.
    @ivar acks: 1 when the last poll had an C{ack}, 0 when it had none, -1 before the
        first.
    @ivar lastAck: the last C{ack}.
    @ivar namesIds: 1 when any poll has had C{ids}.
    @ivar poll: the number of the last poll; only that one may be answered.
    @ivar reply: the number of the last reply with events.
    @ivar writer: the process that has written this reply, C{""} when it is to be given
        again.
    @ivar holder: the process that holds the last poll, C{""} when it was answered.
    @ivar repeats: how often it was given again.
    @ivar unnamed: see L{UnacknowledgedReply
        <txwebqq.server.sessions.acknowledgement.UnacknowledgedReply>}.
    """

    seen: int
    since: int
    used: int = 0
    former: bytes = field(default=b"", repr=False)
    acks: int = -1
    lastAck: int = 0
    namesIds: int = 0
    poll: int = 0
    reply: int = 0
    writer: str = ""
    holder: str = ""
    repeats: int = 0
    unnamed: int = 0


_SESSION = ", ".join(
    f"s.{column}"
    for column in (
        *("number", "clientid", "psessionid", "vfwebqq", "ptwebqq", "previous"),
        *("skey", "password", "key", "status", "lapsed"),
    )
)
_POLL_COLUMNS = (
    "seen since used former acks last_ack names_ids poll reply writer holder repeats"
    " unnamed"
)
_POLL = ", ".join(f"p.{column}" for column in _POLL_COLUMNS.split())
_LOAD = (
    f"SELECT {_SESSION}, a.first_hash, {_POLL} FROM session s"
    " JOIN account a ON a.number = s.number JOIN poll_state p ON p.number = s.number"
)
_WIDTH = len(fields(StoredSession))

_UPSERT_POLL = upsert("poll_state", "number", _POLL_COLUMNS)

LoadedSession = tuple[StoredSession, bytes, PollState]
"""A session, the MD5 of the account's present password, and the polls."""


class PollStore:
    """
    The sessions of all processes, with their polls.
    Each method is one statement or two, of a transaction that the caller has begun.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def lockTickets(self, tickets: Iterable[bytes]) -> list[Number]:
        """
        Keep other transactions from changing sessions, by the SHA-256 of their
        C{psessionid}.

        @return: their accounts. A query that reads the sessions must follow, because
            this one may have waited for another transaction.
        """
        rows = self._db.execute(
            "SELECT number FROM session WHERE psessionid = ANY(?)"
            " ORDER BY number FOR UPDATE",
            (list(tickets),),
        )
        return [number for (number,) in rows]

    def lockSessions(self, numbers: Iterable[Number]) -> None:
        """
        Keep other transactions from changing the sessions of accounts.
        """
        self._lock("session", numbers)

    def lockPolls(self, numbers: Iterable[Number]) -> None:
        """
        Keep other transactions from changing the polls of accounts.
        """
        self._lock("poll_state", numbers)

    def _lock(self, table: str, numbers: Iterable[Number]) -> None:
        # In this order in each transaction, so that no two wait for each other.
        self._db.execute(
            f"SELECT 1 FROM {table} WHERE number = ANY(?) ORDER BY number FOR UPDATE",
            (list(numbers),),
        )

    def loadBy(self, column: str, digest: bytes) -> list[LoadedSession]:
        """
        Return the sessions with an id.

        @param column: C{psessionid}, C{vfwebqq}, C{ptwebqq} or C{previous}.
        """
        return self._loaded(f"{_LOAD} WHERE s.{column} = ?", (digest,))

    def loadNumbers(self, numbers: Iterable[Number]) -> list[LoadedSession]:
        """
        Return the sessions of accounts.
        """
        query = (
            f"{_LOAD} WHERE s.number IN"
            " (SELECT value::bigint FROM jsonb_array_elements_text(?::jsonb) value)"
        )
        return self._loaded(query, (json.dumps(list(numbers)),))

    def _loaded(self, query: str, values: Sequence[Any]) -> list[LoadedSession]:
        return [
            (
                StoredSession(*row[:_WIDTH]),
                row[_WIDTH],
                PollState(*row[_WIDTH + 1 :]),
            )
            for row in self._db.execute(query, values)
        ]

    def writePoll(self, number: Number, state: PollState) -> None:
        """
        Store the polls of a session.
        """
        self._db.execute(_UPSERT_POLL, (number, *astuple(state)))

    def polled(self, states: Mapping[Number, PollState]) -> None:
        """
        Store what a poll changes.
        """
        self._db.executemany(
            "UPDATE poll_state SET seen = ?, acks = ?, last_ack = ?, names_ids = ?,"
            " poll = ?, reply = ?, writer = ?, holder = ?, repeats = ?, unnamed = ?"
            " WHERE number = ?",
            [
                (
                    *(each.seen, each.acks, each.lastAck, each.namesIds),
                    *(each.poll, each.reply, each.writer, each.holder),
                    *(each.repeats, each.unnamed),
                    number,
                )
                for number, each in sorted(states.items())
            ],
        )

    def renewed(self, number: Number, former: bytes, since: int, now: int) -> None:
        """
        Record that a session was given another C{psessionid}.
        """
        self._db.execute(
            "UPDATE poll_state SET used = 0, former = ?, since = ?, seen = ?"
            " WHERE number = ?",
            (former, since, now, number),
        )

    def used(self, numbers: Iterable[Number]) -> None:
        """
        Record that a request has had the C{psessionid} of sessions.
        """
        self._db.executemany(
            "UPDATE poll_state SET used = 1 WHERE number = ? AND used = 0",
            [(number,) for number in sorted(numbers)],
        )

    def supersede(self, number: Number) -> None:
        """
        Have the held poll of a session answered with nothing.
        """
        self._db.execute(
            "UPDATE poll_state SET poll = poll + 1 WHERE number = ?", (number,)
        )

    def repeat(self, number: Number) -> None:
        """
        Have the last reply of a session given again.
        """
        self._db.execute(
            "UPDATE poll_state SET writer = '' WHERE number = ?", (number,)
        )

    def touch(self, numbers: Iterable[Number], now: int) -> None:
        """
        Record that polls of sessions are held.
        """
        self._db.execute(
            "UPDATE poll_state SET seen = ? WHERE number IN"
            " (SELECT value::bigint FROM jsonb_array_elements_text(?::jsonb) value)",
            (now, json.dumps(sorted(numbers))),
        )

    def silent(self, before: int, isLapsed: bool, limit: int) -> list[Number]:
        """
        Return the first accounts whose sessions have lapsed, or not, and whose last
        poll was before a time.
        """
        rows = self._db.execute(
            "SELECT p.number FROM poll_state p WHERE p.seen < ? AND"
            " (SELECT s.lapsed FROM session s WHERE s.number = p.number) = ?"
            " ORDER BY p.seen LIMIT ?",
            (before, int(isLapsed), limit),
        )
        return sorted(number for (number,) in rows)

    def outdated(self, numbers: Iterable[Number]) -> list[Number]:
        """
        Return those of some accounts that have a session of an earlier password.
        """
        rows = self._db.execute(
            "SELECT s.number FROM session s JOIN account a ON a.number = s.number"
            " WHERE s.number = ANY(?) AND length(s.password) > 0"
            " AND s.password <> sha256(a.first_hash)",
            (list(numbers),),
        )
        return [number for (number,) in rows]

    def forget(self, numbers: Iterable[Number]) -> None:
        """
        Delete the polls of sessions that have ended.
        """
        self._db.execute(
            "DELETE FROM poll_state WHERE number = ANY(?)", (list(numbers),)
        )

    def countOnline(self) -> int:
        """
        Return the number of accounts that are online.
        """
        return self._database.count("SELECT count(*) FROM session WHERE lapsed = 0")

    def online(self) -> list[tuple[Number, int]]:
        """
        Return the accounts that are online, and since when, in Unix seconds.
        """
        rows = self._db.execute(
            "SELECT s.number, p.since FROM session s"
            " JOIN poll_state p ON p.number = s.number WHERE s.lapsed = 0"
            " ORDER BY s.number"
        )
        return [(number, since) for number, since in rows]

    def countDay(self, day: int, after: Number, limit: int) -> Number | None:
        """
        Count a day for the next accounts that are online, unless it is counted already.

        @param day: in days since 1970.
        @param after: the account before.

        @return: the last of them, L{None} when there are no more.
        """
        rows = self._db.execute(
            "SELECT number FROM session WHERE lapsed = 0 AND number > ?"
            " ORDER BY number LIMIT ?",
            (after, limit),
        )
        numbers = [number for (number,) in rows]
        self._db.execute(
            "INSERT INTO attendance SELECT number, 1, ?1, 0"
            " FROM unnest(?2::bigint[]) number"
            " ON CONFLICT (number) DO UPDATE SET days = attendance.days + 1,"
            " last_day = ?1 WHERE attendance.last_day < ?1",
            (day, numbers),
        )
        return numbers[-1] if len(numbers) == limit else None
