"""
Copies of all rows of a database to another one, of the same schema and either engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from txwebqq.databases.interface import Database
from txwebqq.errors import InvalidConfiguration
from txwebqq.sqlite.tables import Table

_BATCH = 1000


def copyRows(
    source: Database, target: Database, tables: Iterable[Table]
) -> dict[str, int]:
    """
    Copy all rows, in one transaction.

    @return: the number of copied rows by table.

    @raise InvalidConfiguration: when the target has rows already, or other rows than
        the source has afterwards.
    """
    copied = {}
    with target.transaction(), source.snapshot():
        for table in tables:
            if target.exists(f"SELECT 1 FROM {table.name} LIMIT 1"):
                raise InvalidConfiguration(
                    f"the target is not empty: there are rows in {table.name}"
                )
            copied[table.name] = _copyTable(source, target, table)
    return copied


def _copyTable(source: Database, target: Database, table: Table) -> int:
    columns = ", ".join(column.name for column in table.columns)
    places = ", ".join("?" * len(table.columns))
    rows = source.stream(f"SELECT {columns} FROM {table.name}")
    while batch := list(islice(rows, _BATCH)):
        target.connection.executemany(
            f"INSERT INTO {table.name} ({columns}) VALUES ({places})", batch
        )
    if table.isNumbered:
        target.numbersWereCopied(table.name, table.key[0])
    query = f"SELECT count(*) FROM {table.name}"
    count, wanted = target.count(query), source.count(query)
    if count != wanted:
        raise InvalidConfiguration(
            f"{table.name}: {count} rows were copied, and there are {wanted}"
        )
    return count
