"""
PostgreSQL databases: connections, their errors, schemas and transactions.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.postgresql.server import PostgreSQLServer
from txwebqq.errors import InvalidConfiguration
from txwebqq.postgresql.connection import numbered
from txwebqq.postgresql.database import Database, shownURL
from txwebqq.postgresql.errors import StatementFailed
from txwebqq.sqlite.database import DatabaseAbsent, DatabaseInUse, Schema

SCHEMA = Schema(
    """
    CREATE TABLE thing (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        body BLOB
    );
    CREATE TABLE other (
        owner INTEGER NOT NULL,
        name TEXT NOT NULL DEFAULT 'x',
        PRIMARY KEY (owner, name)
    ) WITHOUT ROWID;
    CREATE INDEX other_by_name ON other (name);
    """,
    1,
)

NEWER = Schema(
    SCHEMA.script.replace("body BLOB", "body BLOB,\n size INTEGER NOT NULL DEFAULT 7")
    + "CREATE TABLE third (number INTEGER PRIMARY KEY);"
    + "CREATE INDEX thing_by_size ON thing (size);",
    2,
)


@pytest.fixture
def url(postgreSQL: PostgreSQLServer) -> str:
    """
    The URL of an empty database.
    """
    return postgreSQL.newDatabase()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """
    A new database.
    """
    with closing(Database(url, SCHEMA)) as database:
        yield database


def problem(url: str, schema: Schema = SCHEMA, **more: object) -> str:
    """
    Return the error of a database that cannot be opened.
    """
    with pytest.raises(InvalidConfiguration) as caught:
        Database(url, schema, **more).close()  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT ?, ?", b"SELECT $1, $2"),
        ("SELECT ?2, ?1, ?", b"SELECT $2, $1, $3"),
        ("SELECT '?', \"?1\", ?", b"SELECT '?', \"?1\", $1"),
    ],
)
def test_numbered(sql: str, wanted: bytes) -> None:
    """
    The parameters of SQLite become those of PostgreSQL, but not within quotes.
    """
    assert numbered(sql) == wanted


def test_values(database: Database) -> None:
    """
    Integers of 64 bits, bytes and texts come back; a NUL becomes the replacement
    character. A sum is an integer.
    """
    db = database.connection
    rows = [(2**62, "报告\0", b"\0\xff"), (1, "b", None)]
    db.executemany("INSERT INTO thing VALUES (?, ?, ?)", rows)
    assert db.execute("SELECT * FROM thing ORDER BY id DESC").fetchall() == [
        (2**62, "报告\ufffd", b"\0\xff"),
        (1, "b", None),
    ]
    (total,) = db.execute("SELECT sum(id) FROM thing").fetchone() or ()
    assert (type(total), total) == (int, 2**62 + 1)
    assert database.exists("SELECT 1 FROM thing WHERE id = ?", True)
    assert database.exists("SELECT 1 FROM thing WHERE name = ?", "报告\0")


def test_order(database: Database) -> None:
    """
    Texts are in the order of their code points, and only ASCII has lower case.
    """
    names = ["b", "a", "Z", "é", "É", "_"]
    db = database.connection
    db.executemany("INSERT INTO thing (name) VALUES (?)", [(n,) for n in names])
    rows = db.execute("SELECT name, lower(name) FROM thing ORDER BY name").fetchall()
    assert [name for name, _ in rows] == sorted(names)
    assert [lower for _, lower in rows] == ["z", "_", "a", "b", "É", "é"]


def test_transaction(database: Database) -> None:
    """
    An inner transaction that fails is undone alone, an outer one as a whole.
    """
    insert = "INSERT INTO thing (name) VALUES (?)"
    with database.transaction():
        database.connection.execute(insert, ("kept",))
        with suppress(StatementFailed), database.transaction():
            database.connection.execute(insert, ("undone",))
            database.connection.execute(insert, ("kept",))

    def fail() -> None:
        with database.transaction():
            database.connection.execute(insert, ("undone",))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    rows = database.connection.execute("SELECT name FROM thing").fetchall()
    assert rows == [("kept",)]


def test_failedInside(database: Database) -> None:
    """
    A transaction in which a failure was ignored is not taken for committed.
    """

    def ignoreFailure() -> None:
        with database.transaction():
            database.connection.execute("INSERT INTO other VALUES (1)")
            with suppress(StatementFailed):
                database.connection.execute("SELECT 1 / 0")

    with pytest.raises(StatementFailed, match="of the transaction has failed"):
        ignoreFailure()
    assert not database.exists("SELECT 1 FROM other")


def test_noValuesInErrors(database: Database) -> None:
    """
    The error of a statement has no values of the row, and no cause that has.
    """
    insert = "INSERT INTO thing (name) VALUES (?)"
    database.connection.execute(insert, ("secret",))
    with pytest.raises(StatementFailed, match="duplicate key") as caught:
        database.connection.execute(insert, ("secret",))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert (caught.value.state, caught.value.isTemporary) == ("23505", False)


def test_connectionLost(postgreSQL: PostgreSQLServer, database: Database) -> None:
    """
    A statement on a lost connection fails, also within a transaction.
    """
    pid = database.count("SELECT pg_backend_pid()")

    def lose() -> None:
        with database.transaction():
            postgreSQL.execute("postgres", f"SELECT pg_terminate_backend({pid}, 5000)")
            database.connection.execute("SELECT 1")

    with pytest.raises(StatementFailed) as caught:
        lose()
    assert caught.value.isTemporary


def test_stoppedTransaction(database: Database) -> None:
    """
    A transaction that PostgreSQL has ended, because this process was stopped in its
    midst or a statement took too long, can be repeated.
    """
    database.connection.execute("SET idle_in_transaction_session_timeout = '1ms'")

    def stop() -> None:
        with database.transaction():
            database.connection.execute("SELECT 1")
            select.select([database.connection.driver.fileno()], [], [], 60)
            database.connection.execute("SELECT 1")

    with pytest.raises(StatementFailed) as caught:
        stop()
    assert caught.value.isTemporary


def test_slowStatement(database: Database) -> None:
    """
    A statement that took too long can be repeated.
    """
    database.connection.execute("SET statement_timeout = '1ms'")
    with pytest.raises(StatementFailed) as caught:
        database.connection.execute("SELECT pg_sleep(60)")
    assert (caught.value.state, caught.value.isTemporary) == ("57014", True)


def test_dataVersion(url: str, database: Database) -> None:
    """
    The data version changes with each change by another process.
    """
    with closing(Database(url, SCHEMA, shared=True)) as other:
        before = database.dataVersion
        other.connection.execute("INSERT INTO other VALUES (1)")
        assert database.dataVersion != before


def test_snapshot(url: str, database: Database) -> None:
    """
    The queries of a snapshot read one state, and it cannot write.
    """
    query = "SELECT count(*) FROM other"
    with closing(Database(url, SCHEMA, shared=True)) as other:
        with database.snapshot():
            assert database.count(query) == 0
            other.connection.execute("INSERT INTO other VALUES (1)")
            assert database.count(query) == 0
        assert database.count(query) == 1
    with pytest.raises(StatementFailed, match="read-only"), database.snapshot():
        database.connection.execute("DELETE FROM other")


def test_lockTable(url: str, database: Database) -> None:
    """
    Two processes that choose the next number choose different ones.
    """
    started = threading.Event()

    def add(database: Database) -> None:
        with database.transaction():
            started.set()
            database.lockTable("other")
            number = database.count("SELECT coalesce(max(owner), 0) + 1 FROM other")
            database.connection.execute("INSERT INTO other VALUES (?)", (number,))

    with closing(Database(url, SCHEMA, shared=True)) as other:
        with database.transaction():
            database.lockTable("other")
            thread = threading.Thread(target=add, args=(other,))
            thread.start()
            started.wait(10)
            database.connection.execute("INSERT INTO other VALUES (1)")
        thread.join(10)
    assert database.count("SELECT max(owner) FROM other") == 2


def test_inUse(url: str, database: Database) -> None:
    """
    A second server is refused; other processes see that there is one.
    """
    with pytest.raises(DatabaseInUse, match="another server has it open"):
        Database(url, SCHEMA)
    with closing(Database(url, SCHEMA, shared=True)) as other:
        assert not other.isAlone
    database.close()
    with closing(Database(url, SCHEMA, shared=True)) as other:
        assert other.isAlone


def test_upgrade(url: str, database: Database) -> None:
    """
    An older schema gets the tables, columns and indexes that it lacks, and keeps its
    rows; not while a server has the database open. An older version then refuses it.
    """
    database.connection.execute("INSERT INTO thing (name) VALUES ('old')")
    with pytest.raises(DatabaseInUse, match="stop that server first"):
        Database(url, NEWER, shared=True)
    database.close()
    with closing(Database(url, NEWER, shared=True)) as newer:
        assert newer.version == 2
        rows = newer.connection.execute("SELECT name, size FROM thing").fetchall()
        assert rows == [("old", 7)]
        assert newer.count("SELECT count(*) FROM third") == 0
        assert newer.exists(
            "SELECT 1 FROM pg_indexes WHERE indexname = ?", "thing_by_size"
        )
    assert "written by a newer txwebqq: its schema is 2" in problem(url)


def test_twoStart(url: str) -> None:
    """
    Processes that start at the same time make the tables once.
    """
    with closing(Database(url, SCHEMA)):
        pass
    found: list[object] = []

    def start() -> None:
        try:
            with closing(Database(url, NEWER, shared=True)) as database:
                found.append(database.version)
        except InvalidConfiguration as e:
            found.append(e)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [2] * 4


def test_absent(postgreSQL: PostgreSQLServer, url: str) -> None:
    """
    A database without tables is not there for a command; one with the tables of
    another program is refused.
    """
    with pytest.raises(DatabaseAbsent, match="has no tables"):
        Database(url, SCHEMA, shared=True)
    schema = url.rpartition("%3D")[2]
    postgreSQL.execute("postgres", f"CREATE TABLE {schema}.mine (x integer)")
    assert "a database of another program" in problem(url)
    with closing(Database(postgreSQL.newDatabase(), SCHEMA)) as database:
        database.connection.execute("UPDATE webqq_schema SET application = 5")


def test_passwords(postgreSQL: PostgreSQLServer) -> None:
    """
    A wrong password, and one in the URL, are refused; no error shows them.
    """
    url = postgreSQL.url("postgres", "guarded")
    wrong = problem(url, password="sesame")
    assert 'password authentication failed for user "guarded"' in wrong
    assert "sesame" not in wrong
    for each in (
        url.replace("guarded@", "guarded:sesame@"),
        url + "?password=sesame",
        url.replace("guarded@", "guarded:sesame@") + "?nonsense",
    ):
        assert "sesame" not in problem(each)
    assert "the URL has a password" in problem(url + "?password=sesame")
    right = problem(url, password=postgreSQL.PASSWORD)
    assert "permission denied for schema public" in right


def test_unreachable(postgreSQL: PostgreSQLServer) -> None:
    """
    The error of a database that cannot be reached names it and the reason.
    """
    url = postgreSQL.url("nowhere")
    assert problem(url) == (
        f'{url}: connection failed: connection to server at "127.0.0.1", port'
        f' {postgreSQL.port} failed: FATAL: database "nowhere" does not exist'
    )
    assert "Connection refused" in problem("postgresql://x@127.0.0.1:1/x")
    assert "SSL" in problem(postgreSQL.url("postgres") + "?sslmode=verify-full")
    assert "no schema of the search path" in problem(
        postgreSQL.url("postgres") + "?options=-csearch_path%3Dnothing"
    )


def test_shownURL() -> None:
    """
    A URL is shown without password and parameters.
    """
    shown = shownURL("postgresql://me:secret@host:5432/db?password=secret")
    assert shown == "postgresql://me@host:5432/db"
    assert shownURL("postgresql:///db") == "postgresql:///db"
