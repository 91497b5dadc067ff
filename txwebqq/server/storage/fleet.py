"""
Tables of what several server processes with one database have in common and a single
one keeps in memory: polls, signals, ended sessions, logins, counters and limits.
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

FLEET_SCHEMA = """
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
CREATE TABLE ended_session (
    digest BLOB PRIMARY KEY,
    number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    told INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ended_session_by_time ON ended_session (time);
CREATE TABLE pending_login (
    ptwebqq BLOB PRIMARY KEY,
    skey BLOB NOT NULL,
    number INTEGER NOT NULL,
    password BLOB NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX pending_login_by_skey ON pending_login (skey);
CREATE INDEX pending_login_by_until ON pending_login (until);
CREATE TABLE signal (
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    until INTEGER NOT NULL,
    reply INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, key)
) WITHOUT ROWID;
CREATE INDEX signal_by_until ON signal (until);
CREATE TABLE worker_batch (
    worker TEXT PRIMARY KEY,
    batch INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX worker_batch_by_time ON worker_batch (time);
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE allowance (
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    times INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (name, subject)
) WITHOUT ROWID;
CREATE INDEX allowance_by_until ON allowance (until);
CREATE TABLE captcha (
    id BLOB PRIMARY KEY,
    answer TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX captcha_by_until ON captcha (until);
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


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """
    A login before its session.

    @ivar ptwebqq: its SHA-256, as of C{skey}, and of the digest of the password.
    @ivar until: the time at which it expires, in Unix seconds.
    """

    ptwebqq: bytes = field(repr=False)
    skey: bytes = field(repr=False)
    number: Number
    password: bytes = field(repr=False)
    until: int


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
_UPSERT_ENDED = upsert("ended_session", "digest", "number reason told time")
_UPSERT_LOGIN = upsert("pending_login", "ptwebqq", "skey number password until")
_UPSERT_SIGNAL = upsert("signal", "number key", "body until reply")
_UPSERT_BATCH = upsert("worker_batch", "worker", "batch time")
_UPSERT_COUNTER = upsert("counter", "name", "value")
_UPSERT_ALLOWANCE = upsert("allowance", "name subject", "times until")
_UPSERT_CAPTCHA = upsert("captcha", "id", "answer until")

LoadedSession = tuple[StoredSession, bytes, PollState]
"""A session, the MD5 of the account's present password, and the polls."""


class FleetStore:
    """
    The tables in the database. Each method is one statement or two, of a transaction
    that the caller has begun.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    # Sessions

    def loadBy(self, column: str, digest: bytes, isLocked: bool) -> list[LoadedSession]:
        """
        Return the sessions with an id.

        @param column: C{psessionid}, C{vfwebqq}, C{ptwebqq} or C{previous}.
        @param isLocked: whether to keep other transactions from changing them.
        """
        query = f"{_LOAD} WHERE s.{column} = ?"
        return self._loaded(query + " FOR UPDATE OF s" * isLocked, (digest,))

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

    def silent(self, before: int) -> list[Number]:
        """
        Return the accounts that are online and whose last poll was before a time.
        """
        rows = self._db.execute(
            "SELECT s.number FROM session s JOIN poll_state p ON p.number = s.number"
            " WHERE p.seen < ? AND s.lapsed = 0 ORDER BY s.number",
            (before,),
        )
        return [number for (number,) in rows]

    def forgotten(self, before: int) -> list[Number]:
        """
        Return the accounts whose sessions have lapsed and have been silent since a
        time.
        """
        rows = self._db.execute(
            "SELECT s.number FROM session s JOIN poll_state p ON p.number = s.number"
            " WHERE p.seen < ? AND s.lapsed = 1 ORDER BY s.number",
            (before,),
        )
        return [number for (number,) in rows]

    def outdated(self) -> list[Number]:
        """
        Return the accounts with a session whose password has changed since.
        """
        rows = self._db.execute(
            "SELECT s.number FROM session s JOIN account a ON a.number = s.number"
            " WHERE length(s.password) > 0 AND s.password <> sha256(a.first_hash)"
        )
        return [number for (number,) in rows]

    def countOnline(self) -> int:
        """
        Return the number of accounts that are online.
        """
        return self._database.count("SELECT count(*) FROM session WHERE lapsed = 0")

    def listOnline(self) -> None:
        """
        Write who is online, for administrators.
        """
        self._db.execute(
            "DELETE FROM online o WHERE NOT EXISTS (SELECT 1 FROM session s"
            " JOIN poll_state p ON p.number = s.number WHERE s.number = o.number"
            " AND s.lapsed = 0 AND p.since = o.since)"
        )
        self._db.execute(
            "INSERT INTO online SELECT s.number, p.since FROM session s"
            " JOIN poll_state p ON p.number = s.number WHERE s.lapsed = 0"
            " ON CONFLICT DO NOTHING"
        )

    def online(self) -> list[Number]:
        """
        Return the accounts that are online.
        """
        rows = self._db.execute("SELECT number FROM session WHERE lapsed = 0")
        return [number for (number,) in rows]

    # Ended sessions and logins

    def ended(self, digest: bytes) -> tuple[Number, str, int] | None:
        """
        Return the account of a session that has ended, by any of its ids; the reason;
        and 1 if its client was told.
        """
        row = self._db.execute(
            "SELECT number, reason, told FROM ended_session WHERE digest = ?",
            (digest,),
        ).fetchone()
        return None if row is None else tuple(row)

    def writeEnded(
        self, ended: Mapping[bytes, tuple[Number, str, int]], now: int
    ) -> None:
        """
        Store ended sessions by their ids.
        """
        rows = [(digest, *each, now) for digest, each in sorted(ended.items())]
        self._db.executemany(_UPSERT_ENDED, rows)

    def addLogin(self, login: StoredLogin) -> None:
        """
        Store a login.
        """
        self._db.execute(_UPSERT_LOGIN, astuple(login))

    def loginBy(self, column: str, digest: bytes, now: int) -> StoredLogin | None:
        """
        Return the login with an id, unless it has expired, the password has changed
        since, or the account was disabled.

        @param column: C{ptwebqq} or C{skey}.
        """
        row = self._db.execute(
            "SELECT l.ptwebqq, l.skey, l.number, l.password, l.until"
            " FROM pending_login l JOIN account a ON a.number = l.number"
            f" WHERE l.{column} = ? AND l.until > ?"
            " AND (length(l.password) = 0 OR l.password = sha256(a.first_hash))"
            " AND NOT EXISTS (SELECT 1 FROM disabled d WHERE d.number = l.number)",
            (digest, now),
        ).fetchone()
        return None if row is None else StoredLogin(*row)

    def forgetLogin(self, ptwebqq: bytes) -> None:
        """
        Delete a login.
        """
        self._db.execute("DELETE FROM pending_login WHERE ptwebqq = ?", (ptwebqq,))

    def forgetLoginsOf(self, numbers: Iterable[Number]) -> None:
        """
        Delete the logins of accounts.
        """
        self._db.executemany(
            "DELETE FROM pending_login WHERE number = ?",
            [(number,) for number in numbers],
        )

    # Signals

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

    # Counters, limits and captchas

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

    def allowance(self, name: str, subject: str) -> tuple[int, int]:
        """
        Return how often an action was done within a window, and the end of the window,
        in Unix seconds.
        """
        row = self._db.execute(
            "SELECT times, until FROM allowance WHERE name = ? AND subject = ?",
            (name, subject),
        ).fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def writeAllowances(
        self, allowances: Mapping[tuple[str, str], tuple[int, int]]
    ) -> None:
        """
        Store how often an action was done.
        """
        rows = [(*key, *each) for key, each in sorted(allowances.items())]
        self._db.executemany(_UPSERT_ALLOWANCE, rows)

    def addCaptcha(self, digest: bytes, answer: str, until: int) -> None:
        """
        Store a captcha, by the SHA-256 of its id.
        """
        self._db.execute(_UPSERT_CAPTCHA, (digest, answer, until))

    def takeCaptcha(self, digest: bytes) -> tuple[str, int] | None:
        """
        Delete a captcha, and return its text and the end of its life.
        """
        row = self._db.execute(
            "DELETE FROM captcha WHERE id = ? RETURNING answer, until", (digest,)
        ).fetchone()
        return None if row is None else (str(row[0]), int(row[1]))

    # Batches

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

    # Cleaning

    def clean(self, now: int, endedBefore: int, lastSerial: int) -> None:
        """
        Delete what has expired.

        @param lastSerial: the events up to this one may be deleted, if they wait for
            nobody.
        """
        db = self._db
        for table in ("pending_login", "signal", "allowance", "captcha"):
            db.execute(f"DELETE FROM {table} WHERE until < ?", (now,))
        for table in ("ended_session", "worker_batch"):
            db.execute(f"DELETE FROM {table} WHERE time < ?", (endedBefore,))
        db.execute(
            "DELETE FROM poll_state p WHERE NOT EXISTS"
            " (SELECT 1 FROM session s WHERE s.number = p.number)"
        )
        db.execute(
            "DELETE FROM letter WHERE serial <= ? AND NOT EXISTS"
            " (SELECT 1 FROM waiting w WHERE w.letter = letter.serial)",
            (lastSerial,),
        )
