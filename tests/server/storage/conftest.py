"""
Fixtures of the tests of stores, which run on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.postgresql.server import PostgreSQLServer
from txwebqq.server.storage.store import SCHEMA, Store
from txwebqq.sqlite.tables import tablesOf


@pytest.fixture(scope="session")
def storeURL(postgreSQL: PostgreSQLServer) -> str:
    """
    The URL of a PostgreSQL database with the tables of the server.
    """
    url = postgreSQL.newDatabase()
    Store(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """
    An empty store of either engine.
    """
    if request.param == "sqlite":
        with closing(Store()) as store:
            yield store
        return
    with closing(Store(request.getfixturevalue("storeURL"))) as store:
        yield store
        # Quicker than another database for each test, or than TRUNCATE.
        for table in tablesOf(SCHEMA.script):
            store.database.connection.execute(f"DELETE FROM {table.name}")
