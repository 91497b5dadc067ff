"""
The indexes that statements use, by the plans of PostgreSQL.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from txwebqq.databases import interface
from txwebqq.postgresql.connection import Connection

Statement = tuple[str, tuple[Any, ...]]

_SETTINGS = (
    # There are few rows: a table is read as a whole where nothing else is possible.
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)

SMALL = {
    "changed_password": "the server deletes its rows within seconds",
    "operator_event": "the server deletes its rows within seconds",
    "secret": "has a row for each purpose",
    "signing_off": "the server deletes its rows within seconds",
    "webqq_schema": "has one row",
}
"""Why tables may be read as a whole."""

SELDOM = {
    "SELECT DISTINCT room FROM mute": "for each connection",
    "SELECT coalesce(max(seq), 0) FROM read_marker WHERE kind = ?": (
        "for each connection"
    ),
    "SELECT count(*) FROM session WHERE lapsed = 0": "once an hour",
    "SELECT digest FROM blob WHERE NOT EXISTS": "once an hour, and nobody waits",
}
"""Why statements, which begin so, may read tables as a whole."""


@contextmanager
def recording(patch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """
    Have a list of the statements that the server executes, with parameters of theirs.
    """
    executed: list[Statement] = []
    execute, executemany = Connection.execute, Connection.executemany

    def one(self: Connection, sql: str, parameters: Any = (), /) -> Any:
        if _isOfServer():
            executed.append((sql, tuple(parameters)))
        return execute(self, sql, parameters)

    def many(self: Connection, sql: str, rows: Any, /) -> Any:
        listed = list(rows)
        if _isOfServer():
            executed.extend((sql, tuple(row)) for row in listed[:1])
        return executemany(self, sql, listed)

    with patch.context() as patched:
        patched.setattr(Connection, "execute", one)
        patched.setattr(Connection, "executemany", many)
        yield executed


def _isOfServer() -> bool:
    frame = sys._getframe(2)
    while frame.f_globals["__name__"].startswith("txwebqq.postgresql."):
        assert frame.f_back is not None
        frame = frame.f_back
    return bool(frame.f_globals["__name__"].startswith("txwebqq."))


def isPlanned(sql: str) -> bool:
    """
    Check whether a statement has a plan.
    """
    return sql.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


def planOf(db: interface.Connection, statement: Statement) -> dict[str, Any]:
    """
    Return the plan of a statement.
    """
    sql, values = statement
    ((plan,),) = db.execute(f"EXPLAIN (FORMAT JSON) {sql}", values).fetchall()
    plans = json.loads(plan) if isinstance(plan, str) else plan
    root: dict[str, Any] = plans[0]["Plan"]
    return root


class IndexCheck:
    """
    Finds the tables that a statement reads as a whole, however many rows they have.

    @param db: a connection to a database with the tables, which may be empty.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        for setting in _SETTINGS:
            db.execute(setting)
        rows = db.execute(
            "SELECT i.relname::text, a.attname::text FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid"
            " JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]"
        )
        self._first: dict[str, str] = dict(rows.fetchall())
        self._tables: dict[str, str] = dict(
            db.execute(
                "SELECT i.relname::text, t.relname::text FROM pg_index x"
                " JOIN pg_class i ON i.oid = x.indexrelid"
                " JOIN pg_class t ON t.oid = x.indrelid"
            ).fetchall()
        )

    def read(self, statements: Sequence[Statement]) -> list[tuple[str, str]]:
        """
        Return the tables that statements read as a whole, each with the statement.
        """
        return sorted(
            {
                (table, sql)
                for sql, values in statements
                if not sql.startswith(tuple(SELDOM))
                for table in self._scans(planOf(self._db, (sql, values)))
                if table not in SMALL and not table.startswith("pg_")
            }
        )

    def _scans(self, plan: dict[str, Any], isFirst: bool = False) -> Iterator[str]:
        kind = plan["Node Type"]
        if kind == "Seq Scan":
            yield plan["Relation Name"]
        elif kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan"):
            index, condition = plan["Index Name"], plan.get("Index Cond", "")
            # The first rows in the order of an index are found at once.
            isFirst = isFirst and "Filter" not in plan
            if not isFirst and not re.search(rf"\b{self._first[index]}\b", condition):
                yield self._tables[index]
        for inner in plan.get("Plans", ()):
            yield from self._scans(inner, kind == "Limit")
