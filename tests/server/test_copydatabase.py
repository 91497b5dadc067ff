"""
C{webqq-admin} with a PostgreSQL database, and copies from one engine to the other.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.postgresql.server import PostgreSQLServer
from tests.server.harness import ALICE, BOB, POPULATION, storeEvent
from txwebqq.model import Text
from txwebqq.server.admin import main
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.population import parse
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import SCHEMA, Store
from txwebqq.sqlite.tables import tablesOf


def filled(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """
    Make a database with a row of every type in each table.

    @return: the rows of its tables.
    """
    with closing(Store(path)) as store:
        importPopulation(store, parse(POPULATION))
        storeEvent(
            store, FRIEND_MESSAGE.new(MessageIds(ALICE, 1, 2, 3), (Text("x"),)), [BOB]
        )
        values = {"INTEGER": 2**40, "TEXT": '"报告\\\\ \'"', "BLOB": b"\0\xff"}
        for table in tablesOf(SCHEMA.script):
            row = [
                0
                if table.name == "session_time" and each.name == "id"
                else values[each.kind]
                for each in table.columns
            ]
            places = ", ".join("?" * len(row))
            store.database.connection.execute(
                f"INSERT INTO {table.name} VALUES ({places})", row
            )
    return rows(path)


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """
    Return the rows of each table of a file.
    """
    with closing(sqlite3.connect(path)) as db:
        return {
            table.name: sorted(db.execute(f"SELECT * FROM {table.name}"), key=repr)
            for table in tablesOf(SCHEMA.script)
        }


def test_thereAndBack(
    tmp_path: Path, postgreSQL: PostgreSQLServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A database that was copied to PostgreSQL and back has the same rows, and the
    numbers of new rows go on. What was copied is printed.
    """
    file, again, url = tmp_path / "q.db", tmp_path / "r.db", postgreSQL.newDatabase()
    before = filled(file)
    assert main(["copy-database", str(file), url]) == 0
    assert main(["copy-database", url, str(again)]) == 0
    assert rows(again) == before
    printed = capsys.readouterr().out
    assert f"account: {len(before['account'])}\n" in printed
    assert f"rows in all: {sum(map(len, before.values()))}\n" in printed
    with closing(Store(url)) as store:
        assert store.media.addPicture("n", ALICE, "d", 1, [BOB]) == 2**40 + 1
        assert store.messages.lastSerial == 2**40


def test_refused(
    tmp_path: Path, postgreSQL: PostgreSQLServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A source that a server has open or that is not there, a target with rows, and a
    password in the URL are refused.
    """
    file, url = tmp_path / "q.db", postgreSQL.newDatabase()

    def problem(source: object, target: object) -> str:
        assert main(["copy-database", str(source), str(target)]) == 1
        return capsys.readouterr().err

    assert "the database does not exist" in problem(file, url)
    assert "has no tables" in problem(url, file)
    filled(file)
    with closing(Store(file)):
        assert "has it open; stop the server first" in problem(file, url)
    assert main(["copy-database", str(file), url]) == 0
    capsys.readouterr()
    assert "not empty: there are rows in account" in problem(file, url)
    with closing(Store(url)):
        assert "has it open; stop the server first" in problem(url, tmp_path / "r.db")
    withPassword = url.replace("webqq@", "webqq:sesame@")
    refused = problem(file, withPassword)
    assert "has a password" in refused
    assert "sesame" not in refused


def test_halfway(
    tmp_path: Path, postgreSQL: PostgreSQLServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A copy that fails leaves the target empty.
    """
    file, url = tmp_path / "q.db", postgreSQL.newDatabase()
    filled(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE sent_id SET time = 'no number'")
        db.commit()
    assert main(["copy-database", str(file), url]) == 1
    assert "nothing was copied" in capsys.readouterr().err
    with closing(Store(url)) as store:
        assert store.accounts.all() == []


def test_commands(
    tmp_path: Path, postgreSQL: PostgreSQLServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The other commands work on PostgreSQL, too.
    """
    url = postgreSQL.newDatabase()
    password = tmp_path / "password"
    password.write_text("sesame")
    password.chmod(0o600)

    def run(*arguments: str) -> str:
        code = main(["--database", url, *arguments])
        captured = capsys.readouterr()
        return captured.out if code == 0 else f"{code} {captured.err}"

    assert "the database does not exist" in run("account", "list")
    add = ("account", "add", "10001", "--password-file", str(password))
    assert run(*add, "--nick", "Ann\0") == ""
    assert run("account", "list") == "10001\tAnn\ufffd\n"
    assert "schema: " in run("statistics")
    with closing(Store(url)):
        assert "stop the server first" in run("account", "remove", "10001")
    assert run("account", "remove", "10001") == ""
    assert "pg_dump" in run("backup", str(tmp_path / "copy"))
