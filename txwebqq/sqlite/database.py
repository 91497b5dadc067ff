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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from txwebqq.errors import InvalidConfiguration
from txwebqq.sqlite import migrations

MEMORY = ":memory:"


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


class Database:
    """
    An open database.

    @ivar connection: each statement is its own transaction.
    @ivar copy: the file of the backup that was made before an upgrade, L{None}
        without an upgrade.

    @raise InvalidConfiguration: when the file cannot be used, with the reason.
    """

    connection: sqlite3.Connection
    copy: Path | None = None

    def __init__(self, path: str | Path, schema: Schema, shared: bool = False) -> None:
        """
        @param path: the file, or L{MEMORY}.
        @param shared: whether another process may have the file open at the
            same time; then the file must exist.
        """
        self._schema = schema
        self._lock: int | None = None
        if str(path) == MEMORY:
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
        isAlone = True
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            isAlone = False
            if not shared:
                self._unlock()
                raise DatabaseInUse(
                    f"{path}: another {self._schema.user} has it open"
                ) from e
        try:
            self.connection = sqlite3.connect(path, isolation_level=None)
            self._prepare(path, isAlone)
        except sqlite3.Error as e:
            self.close()
            raise InvalidConfiguration(f"{path}: not a database: {e}") from e
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

    def _prepare(self, path: Path, isAlone: bool) -> None:
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
        if version < schema.version and not isAlone:
            raise DatabaseInUse(
                f"a {schema.user} of an older txwebqq has it open: its schema is "
                f"{version}, this one wants {schema.version}; stop that "
                f"{schema.user} first"
            )
        # Without a sync to disk for each commit, a killed process loses nothing
        # and a power cut the last commits; a sync would delay each message.
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            self._create()
        elif version < schema.version:
            self.copy = migrations.upgrade(db, schema.script, schema.version, path)

    def _create(self) -> None:
        schema = self._schema
        migrations.create(
            self.connection, schema.script, schema.version, schema.application
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Run the statements of a C{with} block in one transaction, which is
        rolled back when the block raises.
        """
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself when the disk is full.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

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
