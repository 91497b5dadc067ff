"""
The shape of a database, and how one of an older version gets it.

Every version so far only adds to the one before: tables, indexes, and columns
that have a default. So an older database is upgraded by making the tables
anew and moving what was in them; a version that changes what a column means
needs a step of its own in L{upgrade}.
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
    Give an empty database its shape.

    @param application: what says whose it is.
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
    Give a database of an older version the present shape, all at once or not
    at all.

    @param path: where it lies.
    @return: the copy that was made of it before.
    """
    # Nobody else may write between the copy and the change.
    db.execute("BEGIN IMMEDIATE")
    try:
        (before,) = db.execute("PRAGMA user_version").fetchone()
        copy = _freeName(path, before)
        # SQLite copies nothing from within a transaction that writes.
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
    Copy a database, which may be in use, to a file that is not there yet.

    @raise OSError: when the file cannot be made.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        copy = sqlite3.connect(path)
        try:
            db.backup(copy)
            # The copy is one file, also for programs that look no further.
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
            # A number that was given once is not given again.
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            db.execute(
                "UPDATE sqlite_sequence SET name = ? WHERE name = ?",
                (table, _MOVED + table),
            )
        db.execute(f'DROP TABLE "{_MOVED}{table}"')


def _wanted(script: str) -> dict[str, bool]:
    """
    The tables of a script, and whether they count their rows.
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
