"""
Creation and upgrade of database schemas.

Every schema version so far only adds to the one before: tables, indexes, and
columns with a default. So an older database is upgraded by creating the tables
again and copying their rows; a version that changes the meaning of a column
needs its own step in L{upgrade}.
"""

from __future__ import annotations

import errno
import glob
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

PARTIAL = ".partial"
"""End of the names of backups that may be incomplete."""

_MOVED = "_before_"


def create(
    db: sqlite3.Connection, script: str, version: int, application: int = 0
) -> None:
    """
    Create the tables of an empty database.

    @param application: the C{application_id} of the database.
    """
    _inOne(
        db,
        [
            *_statements(script),
            f"PRAGMA user_version = {version}",
            f"PRAGMA application_id = {application}",
        ],
    )


def upgrade(db: sqlite3.Connection, script: str, version: int, path: Path) -> None:
    """
    Upgrade a database of an older schema version, in one transaction. L{finish}
    then names the backup that was made before.

    @param path: the file of the database.
    """
    # No other process may write between the backup and the upgrade.
    db.execute("BEGIN IMMEDIATE")
    try:
        (before,) = db.execute("PRAGMA user_version").fetchone()
        # SQLite cannot back up from within a transaction that writes.
        reader = sqlite3.connect(path)
        try:
            _copy(reader, _backupOf(path, before, PARTIAL))
        finally:
            reader.close()
        _rebuild(db, script)
        db.execute(f"PRAGMA user_version = {version}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def finish(path: Path, version: int) -> Path | None:
    """
    Name the backup of an upgrade that has succeeded, also when the process was
    killed after it, and delete that of an upgrade which was interrupted.

    @param path: the file of the database, which no other process upgrades.
    @param version: the present version of its schema.

    @return: the file of the backup, L{None} if there was no upgrade.
    """
    copy = None
    for partial in path.parent.glob(f"{glob.escape(path.name)}.v*-backup{PARTIAL}"):
        number = partial.name[len(path.name) + 2 : -len(f"-backup{PARTIAL}")]
        if number.isdigit() and int(number) < version:
            copy = _freeName(path, int(number))
            partial.rename(copy)
        elif number.isdigit():
            partial.unlink()
    return copy


def backUp(db: sqlite3.Connection, path: Path) -> None:
    """
    Copy a database, which may be in use, to a new file. The file has its name
    when it is complete, and was found undamaged.

    @raise OSError: when the file exists or cannot be created.
    @raise sqlite3.DatabaseError: when the database cannot be read, or is damaged.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    partial = path.with_name(path.name + PARTIAL)
    _copy(db, partial)
    try:
        _check(partial)
    except BaseException:
        partial.unlink()
        raise
    partial.rename(path)


def _check(path: Path) -> None:
    db = sqlite3.connect(path)
    try:
        (finding,) = db.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        db.close()
    if finding != "ok":
        reason = finding.splitlines()[-1]
        raise sqlite3.DatabaseError(f"the database is damaged: {reason}")


def _copy(db: sqlite3.Connection, path: Path) -> None:
    # An earlier process may have been killed while it wrote the file.
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        copy = sqlite3.connect(path)
        try:
            db.backup(copy)
            # A backup in WAL mode would have a second file beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
    except BaseException:
        path.unlink()
        raise


def _backupOf(path: Path, version: int, ending: str) -> Path:
    return path.with_name(f"{path.name}.v{version}-backup{ending}")


def _freeName(path: Path, version: int) -> Path:
    copy, attempt = _backupOf(path, version, ""), 1
    while copy.exists():
        attempt += 1
        copy = _backupOf(path, version, f".{attempt}")
    return copy


def _rebuild(db: sqlite3.Connection, script: str) -> None:
    wanted = _wanted(script)
    indexes = db.execute(
        "SELECT name, tbl_name FROM sqlite_master"
        " WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, table in indexes:
        if table in wanted:
            db.execute(f'DROP INDEX "{name}"')
    moved = [table for table in wanted if _columns(db, table)]
    for table in moved:
        db.execute(f'ALTER TABLE "{table}" RENAME TO "{_MOVED}{table}"')
    for statement in _statements(script):
        db.execute(statement)
    for table in moved:
        present = _columns(db, table)
        former = [c for c in _columns(db, _MOVED + table) if c in present]
        columns = ", ".join(f'"{column}"' for column in former)
        db.execute(
            f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{_MOVED}{table}"'
        )
        if wanted[table]:
            # Keep the counter, so that no number is used twice.
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            db.execute(
                "UPDATE sqlite_sequence SET name = ? WHERE name = ?",
                (table, _MOVED + table),
            )
        db.execute(f'DROP TABLE "{_MOVED}{table}"')


def _wanted(script: str) -> dict[str, bool]:
    """
    Return the tables of a script, and whether they have an AUTOINCREMENT
    counter.
    """
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(script)
        rows = db.execute(
            "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master"
            " WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        ).fetchall()
    finally:
        db.close()
    return {name: bool(counts) for name, counts in rows}


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _inOne(db: sqlite3.Connection, statements: list[str]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            db.execute(statement)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
