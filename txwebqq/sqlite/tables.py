"""
The tables of a schema's script, as SQLite understands it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column of a table.

    @ivar kind: its type: C{INTEGER}, C{TEXT} or C{BLOB}.
    @ivar default: its default as an SQL literal, L{None} without one.
    """

    name: str
    kind: str
    isNotNull: bool
    default: str | None


@dataclass(frozen=True, slots=True)
class Index:
    """
    An index of a table, beside that of its primary key.

    @ivar columns: its columns, or one expression that is a function.
    """

    name: str
    columns: tuple[str, ...]
    isUnique: bool
    isExpression: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table.

    @ivar key: the columns of its primary key.
    @ivar isNumbered: whether a row without a key is given the next number.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...]
    isNumbered: bool


def tablesOf(script: str) -> list[Table]:
    """
    Return the tables that a script creates, in its order.
    """
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(script)
        rows = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        ).fetchall()
        return [_table(db, name, sql) for name, sql in rows]


def _table(db: sqlite3.Connection, name: str, sql: str) -> Table:
    columns, key = [], {}
    for _, column, kind, isNotNull, default, place in db.execute(
        f'PRAGMA table_info("{name}")'
    ):
        columns.append(Column(column, kind, bool(isNotNull), default))
        if place:
            key[place] = column
    kinds = [each.kind for each in columns if each.name in key.values()]
    return Table(
        name,
        tuple(columns),
        tuple(key[place] for place in sorted(key)),
        tuple(_indexes(db, name)),
        kinds == ["INTEGER"] and "WITHOUT ROWID" not in sql.upper(),
    )


def _indexes(db: sqlite3.Connection, table: str) -> list[Index]:
    found = []
    for _, name, isUnique, origin, _ in db.execute(f'PRAGMA index_list("{table}")'):
        if origin != "pk":
            rows = db.execute(f'PRAGMA index_info("{name}")').fetchall()
            if any(column is None for _, _, column in rows):
                found.append(_expression(db, name, bool(isUnique)))
                continue
            columns = tuple(column for _, _, column in rows)
            # The index of a UNIQUE column has a name of SQLite's own.
            title = name if origin == "c" else f"{table}_by_{'_'.join(columns)}"
            found.append(Index(title, columns, bool(isUnique)))
    return sorted(found, key=lambda each: each.name)


def _expression(db: sqlite3.Connection, name: str, isUnique: bool) -> Index:
    (sql,) = db.execute(
        "SELECT sql FROM sqlite_master WHERE name = ?", (name,)
    ).fetchone()
    expression = sql.partition("(")[2].rpartition(")")[0].strip()
    return Index(name, (expression,), isUnique, isExpression=True)
