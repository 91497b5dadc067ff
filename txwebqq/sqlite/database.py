"""
An SQLite file that is ours alone, and has the shape that we know.
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
    What a database looks like inside.

    @ivar script: the statements that make its tables.
    @ivar version: what C{PRAGMA user_version} says of it.
    @ivar application: what C{PRAGMA application_id} says of it, so that one
        daemon's database is not taken for another's.
    @ivar user: what has it open, for people.
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

    @ivar connection: to it; each statement is its own transaction.
    @ivar copy: the copy of it that was made before it was upgraded, if it was.

    @raise InvalidConfiguration: when the file cannot be used, and why.
    """

    connection: sqlite3.Connection
    copy: Path | None = None

    def __init__(self, path: str | Path, schema: Schema, shared: bool = False) -> None:
        """
        @param path: where it lies or is to lie; L{MEMORY} for nowhere.
        @param shared: whether another process may have the file open
            meanwhile; then the file must be there.
        """
        self._schema = schema
        self._lock: int | None = None
        if str(path) == MEMORY:
            self.connection = sqlite3.connect(
                MEMORY, isolation_level=None, check_same_thread=False
            )
            # Whoever forgets it in a test has nothing to lose.
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
            # Kept open all the same: closing it would undo SQLite's own locks.
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _prepare(self, path: Path, isAlone: bool) -> None:
        db, schema = self.connection, self._schema
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and (version == 0 or application != schema.application):
            raise InvalidConfiguration("a database of some other program")
        if version > schema.version:
            raise InvalidConfiguration(
                f"written by a newer txwebqq: its schema is {version}, "
                f"this one knows {schema.version}"
            )
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InvalidConfiguration(
                "others can read the database, and what is in it is secret: "
                f"chmod 600 {shlex.quote(str(path))}"
            )
        if version < schema.version and not isAlone:
            raise DatabaseInUse(
                f"a {schema.user} of an older txwebqq has it open: its schema is "
                f"{version}, this one wants {schema.version}; stop that "
                f"{schema.user} first"
            )
        # Written through on every commit would cost a disk's turn per letter;
        # this way a killed process loses nothing, a power cut the last moment.
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
        All of what is done within, or nothing of it.
        """
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # SQLite itself takes all back when the disk is full.
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
        Close it; nothing may be asked of it any more.
        """
        if hasattr(self, "connection"):
            self.connection.close()
        self._unlock()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)
