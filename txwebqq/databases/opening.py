"""
Opening of a database that is named by a file or a URL.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from txwebqq.databases.interface import Database
from txwebqq.errors import InvalidConfiguration
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.sqlite import database as sqlite
from txwebqq.sqlite.database import Schema

SCHEMES = ("postgresql://", "postgres://")

ERRORS = (sqlite3.Error, StatementFailed)
"""The errors of statements, of either engine."""


def isURL(address: str | Path) -> bool:
    """
    Check whether an address is that of a PostgreSQL database.
    """
    return isinstance(address, str) and address.lower().startswith(SCHEMES)


def openDatabase(
    address: str | Path,
    schema: Schema,
    shared: bool = False,
    isChecked: bool = False,
    password: str | None = None,
    hasPeers: bool = False,
) -> Database:
    """
    Open a database.

    @param address: an SQLite file, C{:memory:}, or C{postgresql://...}.
    @param shared: whether another process may have it open at the same time; then
        it must exist.
    @param isChecked: whether this process has opened the file before.
    @param password: the password for PostgreSQL, L{None} for that of libpq.
    @param hasPeers: whether this process is one of several servers with a database of
        PostgreSQL.

    @raise InvalidConfiguration: when it cannot be used, with the reason.
    """
    if not isURL(address):
        return sqlite.Database(address, schema, shared, isChecked)
    try:
        # It needs an extra.
        from txwebqq.postgresql import database as postgresql
    except ImportError as e:
        raise InvalidConfiguration(
            "PostgreSQL needs the package psycopg: run pip install"
            " --editable '.[postgresql]' in the checkout of txwebqq"
        ) from e
    return postgresql.Database(str(address), schema, shared, password, hasPeers)
