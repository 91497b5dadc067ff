"""
The command that copies a database from one engine to the other.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from txwebqq.config.passwordfile import readPasswordFile
from txwebqq.databases.copying import copyRows
from txwebqq.databases.interface import Database
from txwebqq.databases.opening import ERRORS, isURL, openDatabase
from txwebqq.errors import InvalidConfiguration
from txwebqq.server.administration.commandline import (
    Arguments,
    CommandLine,
    printLine,
)
from txwebqq.server.storage.store import SCHEMA
from txwebqq.sqlite.database import DatabaseInUse
from txwebqq.sqlite.tables import tablesOf


def addCommands(line: CommandLine) -> None:
    """
    Add C{copy-database}.
    """
    made = line.plain(
        "copy-database",
        _copy,
        "copy a server's database from SQLite to PostgreSQL, or back, while no server"
        " uses it",
    )
    for name in ("source", "target"):
        made.add_argument(name, metavar="FILE|postgresql://...")


def databasePassword(arguments: Arguments) -> str | None:
    """
    Return the password for PostgreSQL of C{--database-password-file}.
    """
    file = arguments.database_password_file
    return None if file is None else readPasswordFile(Path(file))


def _copy(arguments: Arguments) -> int:
    password = databasePassword(arguments)
    if isURL(arguments.source):
        # An empty one would be given its tables.
        openDatabase(arguments.source, SCHEMA, True, password=password).close()
    elif not Path(arguments.source).exists():
        raise InvalidConfiguration(f"{arguments.source}: the database does not exist")
    try:
        with (
            closing(_alone(arguments.source, password)) as source,
            closing(_alone(arguments.target, password)) as target,
        ):
            copied = copyRows(source, target, tablesOf(SCHEMA.script))
    except ERRORS as e:
        raise InvalidConfiguration(f"nothing was copied: {e}") from e
    for table, count in copied.items():
        printLine(f"{table}: {count}")
    printLine(f"rows in all: {sum(copied.values())}")
    return 0


def _alone(address: str, password: str | None) -> Database:
    try:
        return openDatabase(address, SCHEMA, password=password)
    except DatabaseInUse as e:
        raise InvalidConfiguration(f"{e}; stop the server first") from e
