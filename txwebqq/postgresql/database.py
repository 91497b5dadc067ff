"""
A PostgreSQL database with a known schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from txwebqq.errors import InvalidConfiguration
from txwebqq.postgresql import ddl
from txwebqq.postgresql.connection import Connection, problemOf
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.sqlite.database import DatabaseAbsent, DatabaseInUse, Schema
from txwebqq.sqlite.tables import tablesOf

CONNECT_TIMEOUT = 10
"""Time for the connection to be made, in seconds, unless the URL has another."""

LOWEST_VERSION = 13
"""The oldest version of PostgreSQL whose functions are used."""

_IN_USE, _CHANGING, _ORDER = 0x77656271, 0x77656272, 0x77656273
"""Advisory locks: of the process that has the database open alone, of the one that
changes its schema, and of the transaction that gives numbers to events. The second
half is the schema, which is the first of the search path."""

_BATCH = 1000

_PATIENCE = 5
"""Time to wait for a process that makes the tables, in seconds."""

_LOCK_TIMEOUT = "55P03"

_LIMITS = (
    ("statement_timeout", 20),
    ("lock_timeout", 10),
    ("idle_in_transaction_session_timeout", 3),
)
"""Limits of servers with one database, in seconds."""

_USER_TIMEOUT = 10
"""Time after which a connection is lost whose other side is silent, in seconds."""


class Database:
    """
    An open database, on one connection. Its tables are in the first schema of the
    connection's search path.

    @ivar connection: each statement is its own transaction.
    @ivar isFile: true, because the data survive the process.
    @ivar isServer: true, because several processes use the database.
    @ivar isAlone: whether no server had the database open.
    @ivar copy: L{None}: an upgrade makes no copy.
    @ivar channel: the channel of L{notify}.

    @raise InvalidConfiguration: when the database cannot be used, with the reason.
    """

    copy: Path | None = None
    isFile = isServer = True

    def __init__(
        self,
        url: str,
        schema: Schema,
        shared: bool = False,
        password: str | None = None,
        hasPeers: bool = False,
    ) -> None:
        """
        @param url: C{postgresql://...}, with the parameters of libpq, but without
            a password.
        @param shared: whether another process may have the database open at the
            same time; then its tables must exist.
        @param password: the password, L{None} for that of C{PGPASSFILE} or
            C{PGPASSWORD}, if one is needed.
        @param hasPeers: whether this process is one of several servers with the
            database.
        """
        self._schema = schema
        name = shownURL(url)
        self._hasPeers = hasPeers
        driver = _connect(url, name, schema.user, password, hasPeers)
        self.connection = Connection(driver)
        try:
            self.isAlone = self._isAlone(shared)
            if not (shared or hasPeers or self.isAlone):
                raise DatabaseInUse(f"another {schema.user} has it open")
            self._prepare(shared)
            if hasPeers:
                self._limitTimes()
            (schemaName,) = self._row("SELECT current_schema()")
            self.channel = f"webqq {schemaName}"[:60]
        except StatementFailed as e:
            self.close()
            raise InvalidConfiguration(f"{name}: {e}") from e
        except InvalidConfiguration as e:
            self.close()
            raise type(e)(f"{name}: {e}") from e
        except BaseException:
            self.close()
            raise

    def _isAlone(self, shared: bool) -> bool:
        version = self.connection.driver.info.server_version // 10000
        if version < LOWEST_VERSION:
            raise InvalidConfiguration(
                f"PostgreSQL {version} is too old: {LOWEST_VERSION} is needed"
            )
        encoding, schema = self._row(
            "SELECT current_setting('server_encoding'), current_schema()"
        )
        if encoding != "UTF8":
            raise InvalidConfiguration(
                f"the encoding of the database is {encoding}: UTF8 is needed"
            )
        if schema is None:
            raise InvalidConfiguration(
                "no schema of the search path exists: create one, or set search_path"
            )
        if self._hasPeers:
            return self._join(schema)
        if not shared:
            query = "SELECT pg_try_advisory_lock(?::integer, hashtext(?))"
            (isLocked,) = self._row(query, _IN_USE, schema)
            return bool(isLocked)
        return not self.exists(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database"
            "  WHERE datname = current_database())"
            " AND classid::bigint = ? AND objid = hashtext(?)::oid",
            _IN_USE,
            schema,
        )

    def _join(self, schema: str) -> bool:
        query = "SELECT pg_try_advisory_lock(?::integer, hashtext(?))"
        (isAlone,) = self._row(query, _IN_USE, schema)
        self.connection.execute(f"SET lock_timeout = '{_PATIENCE}s'")
        query = "SELECT pg_advisory_lock_shared(?::integer, hashtext(?))"
        try:
            self.connection.execute(query, (_IN_USE, schema))
        except StatementFailed as e:
            if e.state == _LOCK_TIMEOUT:
                raise DatabaseInUse("another program has it open alone") from e
            raise
        if isAlone:
            query = "SELECT pg_advisory_unlock(?::integer, hashtext(?))"
            self._row(query, _IN_USE, schema)
        return bool(isAlone)

    def _limitTimes(self) -> None:
        """
        Have PostgreSQL end what takes too long: this process may be stopped in the
        midst of a transaction for which others wait.
        """
        for name, seconds in _LIMITS:
            self.connection.execute(f"SET {name} = '{seconds}s'")

    def _prepare(self, shared: bool) -> None:
        with self.transaction():
            # Another process may be making the tables.
            self.connection.execute(
                "SELECT pg_advisory_xact_lock(?::integer, hashtext(current_schema()))",
                (_CHANGING,),
            )
            self._change(shared)

    def _change(self, shared: bool) -> None:
        schema, present = self._schema, self._present()
        version, application = 0, schema.application
        if "webqq_schema" in present:
            version, application = self._row(
                "SELECT version, application FROM webqq_schema"
            )
        elif present:
            raise InvalidConfiguration(
                "a database of another program: its schema has tables already"
            )
        elif shared:
            raise DatabaseAbsent("it has no tables of a server yet")
        if application != schema.application:
            raise InvalidConfiguration("a database of another program")
        if version > schema.version:
            raise InvalidConfiguration(
                f"written by a newer txwebqq: its schema is {version}, "
                f"this one knows {schema.version}"
            )
        if version == schema.version:
            return
        if not self.isAlone:
            raise DatabaseInUse(
                f"a {schema.user} of an older txwebqq has it open: its schema is "
                f"{version}, this one wants {schema.version}; stop that "
                f"{schema.user} first"
            )
        if not version:
            self.connection.execute(
                "CREATE TABLE webqq_schema"
                " (version bigint NOT NULL, application bigint NOT NULL)"
            )
        for statement in ddl.changes(tablesOf(schema.script), present):
            self.connection.execute(statement)
        self.connection.execute("DELETE FROM webqq_schema")
        self.connection.execute(
            "INSERT INTO webqq_schema VALUES (?, ?)",
            (schema.version, schema.application),
        )

    def _present(self) -> dict[str, set[str]]:
        present: dict[str, set[str]] = {}
        for table, column in self.connection.execute(
            "SELECT c.relname::text, a.attname::text FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
            " AND NOT a.attisdropped"
            " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')"
        ):
            present.setdefault(table, set()).add(column)
        return present

    def _row(self, query: str, *values: object) -> Any:
        return self.connection.execute(query, values).fetchone()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Run the statements of a C{with} block in one transaction, which is
        rolled back when the block raises. Within another transaction, they are
        committed with that one.
        """
        db = self.connection
        begin, end, undo = "BEGIN", "COMMIT", ["ROLLBACK"]
        if db.isInTransaction:
            begin, end = "SAVEPOINT inside", "RELEASE inside"
            undo = ["ROLLBACK TO inside", end]
        db.execute(begin)
        try:
            yield
            if db.hasFailed:
                # COMMIT would roll back, and report no error.
                raise StatementFailed("a statement of the transaction has failed")
            db.execute(end)
        except BaseException:
            # Not after the connection was lost.
            if db.isInTransaction:
                for statement in undo:
                    db.execute(statement)
            raise

    def together(self) -> AbstractContextManager[None]:
        """
        Run the statements of a C{with} block in one transaction: in that of the caller,
        if there is one.
        """
        return nullcontext() if self.connection.isInTransaction else self.transaction()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """
        Have the queries of a C{with} block read one state of the database,
        while other processes may write.
        """
        self.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            if self.connection.isInTransaction:
                self.connection.execute("ROLLBACK")

    def lockTable(self, table: str) -> None:
        """
        Wait until no other transaction writes to a table, and keep the others from
        it until the end of this one.
        """
        self.connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def lockOrder(self) -> None:
        """
        Wait until no other transaction has called this, and keep the others waiting
        until the end of this one.
        """
        self.connection.execute(
            "SELECT pg_advisory_xact_lock(?::integer, hashtext(current_schema()))",
            (_ORDER,),
        )

    def listen(self) -> None:
        """
        Have L{heard} return what L{notify} tells from now on.
        """
        self.connection.execute(f'LISTEN "{self.channel}"')

    def heard(self, seconds: float) -> list[str]:
        """
        Wait for texts of L{notify}.

        @param seconds: the time after which nothing is returned.

        @raise StatementFailed: when the connection is lost.
        """
        return self.connection.notifications(seconds)

    def notify(self, texts: Sequence[str]) -> bool:
        """
        Within a transaction, have its commit tell texts to all that listen.

        @return: whether the transaction has changed anything.
        """
        for text in texts[1:]:
            self.connection.execute("SELECT pg_notify(?, ?)", (self.channel, text))
        # In one round trip with the first.
        query = "SELECT pg_current_xact_id_if_assigned()::text"
        values = [self.channel, *texts[:1]] if texts else []
        number = self._row(f"{query}, pg_notify(?, ?)" if texts else query, *values)[0]
        return number is not None

    def stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """
        Return the rows of a query, of which only some are in memory at a time. A
        transaction or snapshot must be open.
        """
        self.connection.execute(f"DECLARE rows NO SCROLL CURSOR FOR {query}")
        while rows := self.connection.execute(f"FETCH {_BATCH} FROM rows").fetchall():
            yield from rows
        self.connection.execute("CLOSE rows")

    def numbersWereCopied(self, table: str, column: str) -> None:
        """
        Have the next row of a table get a number after those that are there.
        """
        self.connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"
            f" greatest(max({column}), 1), max({column}) >= 1) FROM {table}"
        )

    @property
    def dataVersion(self) -> int:
        """
        A number that changes when another process has changed the database, or this
        one.
        """
        return self.count(
            "SELECT hashtextextended(CAST(pg_current_snapshot() AS text), 0)"
        )

    @property
    def version(self) -> int:
        """
        The version of the schema.
        """
        return self.count("SELECT version FROM webqq_schema")

    @property
    def size(self) -> int:
        """
        The bytes that the database takes.
        """
        return self.count("SELECT pg_database_size(current_database())")

    def count(self, query: str, *values: object) -> int:
        """
        Return the number that a query selects.
        """
        return int(self._row(query, *values)[0])

    def exists(self, query: str, *values: object) -> bool:
        """
        Check whether a query selects any row.
        """
        return self._row(query, *values) is not None

    def close(self) -> None:
        """
        Close the database.
        """
        self.connection.close()


def shownURL(url: str) -> str:
    """
    Return the URL of a database for messages: without a password and parameters.
    """
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")
        user = host[0].partition(":")[0]
        return f"{parts.scheme}://{user}{host[1]}{host[2]}{parts.path}"
    except ValueError:
        return "the URL of the database"


def _connect(
    url: str, name: str, user: str, password: str | None, hasPeers: bool
) -> psycopg.Connection[Any]:
    try:
        parameters = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its text may repeat the URL, and with it a password.
        raise InvalidConfiguration(
            f"{name}: not a URL of PostgreSQL, as postgresql://USER@HOST/DATABASE"
        ) from None
    if "password" in parameters:
        raise InvalidConfiguration(
            f"{name}: the URL has a password, which other users of the machine can"
            " see; put it into a file"
        )
    parameters.setdefault("application_name", f"txwebqq {user}")
    parameters.setdefault("connect_timeout", CONNECT_TIMEOUT)
    if hasPeers:
        parameters.setdefault("tcp_user_timeout", _USER_TIMEOUT * 1000)
        parameters.setdefault("keepalives_idle", _USER_TIMEOUT)
    parameters["client_encoding"] = "UTF8"
    if password is not None:
        parameters["password"] = password
    try:
        return psycopg.connect(autocommit=True, **parameters)  # type: ignore[arg-type]
    except psycopg.Error as e:
        raise InvalidConfiguration(f"{name}: {problemOf(e)}") from None
