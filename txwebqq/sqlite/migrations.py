"""
Creation and upgrade of database schemas.

Every schema version so far only adds to the one before: tables, indexes, and
columns with a default. So an older database is upgraded by creating the tables
again and copying their rows; a version that changes the meaning of a column
needs its own step in L{upgrade}.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

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


def upgrade(db: sqlite3.Connection, script: str, version: int, path: Path) -> Path:
    """
    Upgrade a database of an older schema version, in one transaction.

    @param path: the file of the database.

    @return: the file of the backup that was made before.
    """
    # No other process may write between the backup and the upgrade.
    db.execute("BEGIN IMMEDIATE")
    try:
        (before,) = db.execute("PRAGMA user_version").fetchone()
        copy = _freeName(path, before)
        # SQLite cannot back up from within a transaction that writes.
        reader = sqlite3.connect(path)
        try:
            backUp(reader, copy)
        finally:
            reader.close()
        _rebuild(db, script)
        db.execute(f"PRAGMA user_version = {version}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return copy


def backUp(db: sqlite3.Connection, path: Path) -> None:
    """
    Copy a database, which may be in use, to a new file.

    @raise OSError: when the file exists or cannot be created.
    """
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


def _freeName(path: Path, version: int) -> Path:
    name = f"{path.name}.v{version}-backup"
    copy, attempt = path.with_name(name), 1
    while copy.exists():
        attempt += 1
        copy = path.with_name(f"{name}.{attempt}")
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
