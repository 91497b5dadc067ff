"""
The interface of databases: that of L{txwebqq.sqlite.database}, as far as PostgreSQL
has it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol


class Cursor(Protocol):
    """
    The result of a statement.

    @ivar rowcount: the number of rows that the statement has changed.
    """

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any:
        """
        Return the next row, L{None} after the last.
        """

    def fetchall(self) -> list[Any]:
        """
        Return the rows that are left.
        """

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """
    A connection. Parameters are C{?}, which is the one after the last, or C{?1}.
    """

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor:
        """
        Execute a statement.
        """

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """
        Execute a statement for each row of parameters.
        """


class Database(Protocol):
    """
    An open database.

    @ivar isFile: whether the data survive the process.
    @ivar isServer: whether it is a server of databases, which several processes use.
    @ivar isAlone: whether no server had the database open.
    @ivar copy: the file of the backup that was made before an upgrade, L{None}
        without one.
    """

    isFile: bool
    isServer: bool
    isAlone: bool
    copy: Path | None

    @property
    def connection(self) -> Connection: ...

    @property
    def dataVersion(self) -> int: ...

    @property
    def version(self) -> int: ...

    @property
    def size(self) -> int: ...

    def transaction(self) -> AbstractContextManager[None]:
        """
        Run the statements of a C{with} block in one transaction.
        """

    def together(self) -> AbstractContextManager[None]:
        """
        Run the statements of a C{with} block in one transaction: in that of the caller,
        if there is one.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """
        Have the queries of a C{with} block read one state of the database.
        """

    def lockTable(self, table: str) -> None:
        """
        Within a transaction, keep other transactions from writing to a table, so
        that what is read of it stays true.
        """

    def lockOrder(self) -> None:
        """
        Wait until no other transaction has called this, and keep the others waiting
        until the end of this one.
        """

    def stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """
        Return the rows of a query, of which only some are in memory at a time.
        """

    def numbersWereCopied(self, table: str, column: str) -> None:
        """
        Have the next row of a table get a number after those that are there.
        """

    def count(self, query: str, *values: object) -> int:
        """
        Return the number that a query selects.
        """

    def exists(self, query: str, *values: object) -> bool:
        """
        Check whether a query selects any row.
        """

    def close(self) -> None:
        """
        Close the database.
        """
