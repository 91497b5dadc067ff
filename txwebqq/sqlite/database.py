"""
An SQLite database that one process has open, with a known schema.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import sqlite3
import stat
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from txwebqq.errors import InvalidConfiguration
from txwebqq.sqlite import migrations

MEMORY = ":memory:"

PATIENCE = 100
"""Time that the statement of a daemon waits for a lock of another process, in
milliseconds. Everything else in the process waits as well, so the statements
after one that has waited in vain do not wait at all."""

SHARED_PATIENCE = 30_000
"""The same for a process that does nothing else, in milliseconds."""


DAMAGED = "the database is damaged; stop using it and restore a backup"


def isLocked(error: BaseException) -> bool:
    """
    Check whether an error means that another process is writing to the
    database, so that the statement can be repeated later.
    """
    # The low byte is the error, the others are its variant.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class _Connection(sqlite3.Connection):
    """
    A connection whose statements wait for a lock only until one has waited in
    vain, and again after the next one that has changed the database.
    """

    isPatient = True

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            if self.isPatient:
                return super().execute(sql, parameters)
            before = self.total_changes
            cursor = super().execute(sql, parameters)
        except sqlite3.OperationalError as e:
            if self.isPatient and isLocked(e):
                self._setPatient(False)
            raise
        if self.total_changes != before:
            self._setPatient(True)
        return cursor

    def _setPatient(self, isPatient: bool) -> None:
        self.isPatient = isPatient
        super().execute(f"PRAGMA busy_timeout = {PATIENCE * isPatient}")


@dataclass(frozen=True, slots=True)
class Schema:
    """
    The schema of a database.

    @ivar script: the statements that create its tables.
    @ivar version: the value of C{PRAGMA user_version}.
    @ivar application: the value of C{PRAGMA application_id}, which tells the
        databases of different daemons apart.
    @ivar user: the kind of daemon that uses the database, for error messages.
    """

    script: str
    version: int
    application: int = 0
    user: str = "server"


class DatabaseInUse(InvalidConfiguration):
    """
    Another process has the database open.
    """


class DatabaseAbsent(InvalidConfiguration):
    """
    The tables of the database have to be made first.
    """


class Database:
    """
    An open database.

    @ivar connection: each statement is its own transaction.
    @ivar isFile: whether the database is a file, and not in memory only.
    @ivar isServer: false, because the database is a file.
    @ivar isAlone: whether no other process had the database open.
    @ivar copy: the file of the backup that was made before an upgrade, L{None}
        without an upgrade.

    @raise InvalidConfiguration: when the file cannot be used, with the reason.
    """

    connection: sqlite3.Connection
    copy: Path | None = None
    isServer = False
    isAlone = True

    def __init__(
        self,
        path: str | Path,
        schema: Schema,
        shared: bool = False,
        isChecked: bool = False,
    ) -> None:
        """
        @param path: the file, or L{MEMORY}.
        @param shared: whether another process may have the file open at the
            same time; then the file must exist.
        @param isChecked: whether this process has opened the file before, and
            so found it undamaged.
        """
        self._schema = schema
        self._isChecked = isChecked or shared
        self._lock: int | None = None
        self.isFile = str(path) != MEMORY
        if not self.isFile:
            self.connection = sqlite3.connect(
                MEMORY, isolation_level=None, check_same_thread=False
            )
            # A test that does not close its database gets no ResourceWarning.
            weakref.finalize(self, self.connection.close)
            self._create()
        else:
            self._open(Path(path), shared)

    def _open(self, path: Path, shared: bool) -> None:
        create = 0 if shared else os.O_CREAT
        try:
            self._lock = os.open(path, os.O_RDWR | create | os.O_CLOEXEC, 0o600)
        except OSError as e:
            reason = e.strerror or str(e)
            raise InvalidConfiguration(f"{path}: {reason}") from e
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            self.isAlone = False
            if not shared:
                self._unlock()
                raise DatabaseInUse(
                    f"{path}: another {self._schema.user} has it open"
                ) from e
        try:
            self._connect(path, shared)
            self._prepare(path)
        except sqlite3.Error as e:
            self.close()
            raise InvalidConfiguration(f"{path}: {_problem(e)}") from e
        except OSError as e:
            self.close()
            reason = e.strerror or str(e)
            raise InvalidConfiguration(f"{e.filename or path}: {reason}") from e
        except InvalidConfiguration as e:
            self.close()
            raise type(e)(f"{path}: {e}") from e
        if shared:
            # The file stays open: closing it would drop SQLite's own locks.
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _connect(self, path: Path, shared: bool) -> None:
        # A daemon may be started while another process writes.
        seconds = SHARED_PATIENCE / 1000
        if shared:
            self.connection = sqlite3.connect(
                path, timeout=seconds, isolation_level=None
            )
        else:
            self.connection = sqlite3.connect(
                path, timeout=seconds, isolation_level=None, factory=_Connection
            )

    def _prepare(self, path: Path) -> None:
        db, schema = self.connection, self._schema
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (version == 0 or application != schema.application):
            raise InvalidConfiguration("a database of another program")
        if version > schema.version:
            raise InvalidConfiguration(
                f"written by a newer txwebqq: its schema is {version}, "
                f"this one knows {schema.version}"
            )
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InvalidConfiguration(
                "others can read the database, which holds secrets: "
                f"chmod 600 {shlex.quote(str(path))}"
            )
        if version < schema.version and not self.isAlone:
            raise DatabaseInUse(
                f"a {schema.user} of an older txwebqq has it open: its schema is "
                f"{version}, this one wants {schema.version}; stop that "
                f"{schema.user} first"
            )
        if not self._isChecked:
            self._check()
        # Without a sync to disk for each commit, a killed process loses nothing
        # and a power cut the last commits; a sync would delay each message.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            self._create()
        elif version < schema.version:
            migrations.upgrade(db, schema.script, schema.version, path)
        if self.isAlone:
            self.copy = migrations.finish(path, schema.version)
        if isinstance(db, _Connection):
            db.execute(f"PRAGMA busy_timeout = {PATIENCE}")

    def _check(self) -> None:
        (finding,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
        if finding != "ok":
            # A finding may have several lines.
            raise InvalidConfiguration(f"{DAMAGED}: {finding.splitlines()[-1]}")

    def _create(self) -> None:
        schema = self._schema
        migrations.create(
            self.connection, schema.script, schema.version, schema.application
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Run the statements of a C{with} block in one transaction, which is
        rolled back when the block raises. Within another transaction, they are
        committed with that one.
        """
        if self._isInTransaction():
            with self._savepoint():
                yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself when the disk is full.
            if self._isInTransaction():
                self.connection.execute("ROLLBACK")
            raise

    def together(self) -> AbstractContextManager[None]:
        """
        Run the statements of a C{with} block in one transaction: in that of the caller,
        if there is one.
        """
        return nullcontext() if self._isInTransaction() else self.transaction()

    def _isInTransaction(self) -> bool:
        return self.connection.in_transaction

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self.connection.execute("SAVEPOINT inner")
        try:
            yield
        except BaseException:
            if self._isInTransaction():
                self.connection.execute("ROLLBACK TO inner")
                self.connection.execute("RELEASE inner")
            raise
        self.connection.execute("RELEASE inner")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """
        Have the queries of a C{with} block read one state of the database,
        while other processes may write.
        """
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def lockTable(self, table: str) -> None:
        """
        Do nothing: a transaction keeps all others from the whole database.
        """

    def lockOrder(self) -> None:
        """
        Do nothing: a transaction keeps all others from the whole database.
        """

    def stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """
        Return the rows of a query, of which only one is in memory at a time.
        """
        return iter(self.connection.execute(query))

    def numbersWereCopied(self, table: str, column: str) -> None:
        """
        Do nothing: the next number is one more than the highest.
        """

    @property
    def version(self) -> int:
        """
        The version of the schema.
        """
        return self.count("PRAGMA user_version")

    @property
    def size(self) -> int:
        """
        The bytes that the database takes.
        """
        return self.count(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )

    @property
    def dataVersion(self) -> int:
        """
        A number that changes when another process has changed the database.
        """
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def count(self, query: str, *values: object) -> int:
        """
        Return the number that a query selects.
        """
        (count,) = self.connection.execute(query, values).fetchone()
        return int(count)

    def exists(self, query: str, *values: object) -> bool:
        """
        Check whether a query selects any row.
        """
        return self.connection.execute(query, values).fetchone() is not None

    def close(self) -> None:
        """
        Close the database.
        """
        if hasattr(self, "connection"):
            self.connection.close()
        self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _problem(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return f"not a database: {error}"
    if code == sqlite3.SQLITE_CORRUPT:
        return f"{DAMAGED}: {error}"
    return f"the database cannot be opened: {error}"
