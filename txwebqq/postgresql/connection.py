"""
A connection that is given its statements as SQLite is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper, IntLoader
from psycopg.types.string import StrDumper

from txwebqq.postgresql.errors import StatementFailed

Cursor = psycopg.RawCursor[tuple[Any, ...]]

_PARAMETER = re.compile(r"'[^']*'|\"[^\"]*\"|\?(\d*)")


class _TextDumper(StrDumper):
    """
    Writes texts. PostgreSQL has no NUL in texts: it becomes the replacement
    character, as bytes do that are no UTF-8.
    """

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _BoolDumper(Dumper):
    """
    Writes L{bool} as the integers 0 and 1, as SQLite does.
    """

    oid = Int8Dumper.oid

    def dump(self, obj: bool) -> Buffer | None:
        return b"1" if obj else b"0"


@lru_cache(1024)
def numbered(sql: str) -> bytes:
    """
    Return a statement with the parameters C{$1}, C{$2} in place of C{?}, which is
    one more than the highest before, and C{?1}.
    """
    highest = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal highest
        digits = match.group(1)
        if digits is None:
            return match.group()
        number = int(digits) if digits else highest + 1
        highest = max(highest, number)
        return f"${number}"

    return _PARAMETER.sub(replaced, sql).encode()


class Connection:
    """
    An open connection. Each statement is its own transaction, unless C{BEGIN} was
    executed. A statement is prepared when it is first executed with parameters.

    @ivar driver: the connection of psycopg.
    """

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self.driver = driver
        driver.prepare_threshold = 0
        driver.prepared_max = 1000
        adapters = driver.adapters
        adapters.register_dumper(str, _TextDumper)
        adapters.register_dumper(bool, _BoolDumper)
        # The same type for each integer, so that each statement is prepared once.
        adapters.register_dumper(int, Int8Dumper)
        # The sum of integers is a numeric.
        adapters.register_loader("numeric", IntLoader)

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """
        Execute a statement.

        @raise StatementFailed: when the server or the connection has failed.
        """
        cursor = psycopg.RawCursor(self.driver)
        try:
            return cursor.execute(numbered(sql), parameters or None)
        except psycopg.Error as e:
            _raise(e)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """
        Execute a statement for each row of parameters.

        @raise StatementFailed: when the server or the connection has failed.
        """
        rows = list(rows)
        if len(rows) == 1:
            # It takes fewer round trips.
            return self.execute(sql, rows[0])
        cursor = psycopg.RawCursor(self.driver)
        try:
            cursor.executemany(numbered(sql), rows)
        except psycopg.Error as e:
            _raise(e)
        return cursor

    def notifications(self, seconds: float) -> list[str]:
        """
        Wait for the texts of notifications.

        @param seconds: the time after which nothing is returned.

        @raise StatementFailed: when the connection is lost.
        """
        try:
            found = self.driver.notifies(timeout=seconds, stop_after=1)
            return [each.payload for each in found]
        except psycopg.Error as e:
            _raise(e)

    @property
    def isInTransaction(self) -> bool:
        """
        True after C{BEGIN}, also when a statement has failed since.
        """
        status = self.driver.info.transaction_status
        return status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @property
    def hasFailed(self) -> bool:
        """
        True when a statement of the transaction has failed, so that it cannot be
        committed.
        """
        return self.driver.info.transaction_status == TransactionStatus.INERROR

    def close(self) -> None:
        """
        Close the connection.
        """
        self.driver.close()


def problemOf(error: psycopg.Error) -> str:
    """
    Return the message of an error in one line, without its details, which hold
    values of rows.
    """
    message = error.diag.message_primary or str(error)
    return " ".join(message.split())


def _raise(error: psycopg.Error) -> NoReturn:
    # Not as the cause: a traceback would print the details.
    raise StatementFailed(problemOf(error), error.sqlstate or "") from None
