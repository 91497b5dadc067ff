"""
Databases that are opened, and those that are not.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from txwebqq.errors import InvalidConfiguration
from txwebqq.sqlite import migrations
from txwebqq.sqlite.database import MEMORY, Database, DatabaseInUse, Schema, isLocked

SHAPE = Schema("CREATE TABLE tea (leaf TEXT);", 3, 0x7465, "kettle")
LATER = replace(SHAPE, script=f"{SHAPE.script}\nCREATE TABLE milk (x);", version=4)


def filled(path: Path) -> Path:
    database = Database(path, SHAPE)
    database.connection.execute("INSERT INTO tea VALUES ('oolong')")
    database.close()
    return path


def leaves(database: Database) -> list[tuple[str]]:
    return database.connection.execute("SELECT leaf FROM tea").fetchall()


def test_kept(tmp_path: Path) -> None:
    """
    Rows are there after the database was opened again, in a file that only the
    owner can read.
    """
    path = filled(tmp_path / "tea.db")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    database = Database(path, SHAPE)
    assert leaves(database) == [("oolong",)]
    assert database.copy is None
    database.close()


def test_transaction() -> None:
    """
    A transaction that fails changes nothing.
    """
    database = Database(MEMORY, SHAPE)

    def spill() -> None:
        with database.transaction():
            database.connection.execute("INSERT INTO tea VALUES ('oolong')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spill()
    assert leaves(database) == []
    with database.transaction():
        database.connection.execute("INSERT INTO tea VALUES ('assam')")
    assert leaves(database) == [("assam",)]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_readable(tmp_path: Path, mode: int) -> None:
    """
    A file that others can read is refused with what to type.
    """
    path = filled(tmp_path / "my tea.db")
    path.chmod(mode)
    with pytest.raises(InvalidConfiguration, match=r"chmod 600 '.*/my tea\.db'$"):
        Database(path, SHAPE)
    path.chmod(0o600)
    Database(path, SHAPE).close()


def test_newer(tmp_path: Path) -> None:
    """
    A database of a later version stays as it is, and both versions are told.
    """
    path = filled(tmp_path / "tea.db")
    with pytest.raises(
        InvalidConfiguration, match=r"tea\.db: .*newer txwebqq.* is 3, .* knows 2"
    ):
        Database(path, replace(SHAPE, version=2))


def test_older(tmp_path: Path) -> None:
    """
    A database of an earlier version gets what is new, after a copy was made.
    """
    path = filled(tmp_path / "tea.db")
    script = f"{SHAPE.script}\nCREATE TABLE milk (x);"
    database = Database(path, replace(SHAPE, script=script, version=4))
    assert database.connection.execute("SELECT * FROM milk").fetchall() == []
    assert leaves(database) == [("oolong",)]
    assert database.copy == tmp_path / "tea.db.v3-backup"
    database.close()


def test_others(tmp_path: Path) -> None:
    """
    A database file of another program or another daemon is not changed.
    """
    path = filled(tmp_path / "tea.db")
    before = path.read_bytes()
    with pytest.raises(InvalidConfiguration, match="of another program"):
        Database(path, replace(SHAPE, application=7))
    assert path.read_bytes() == before
    foreign = tmp_path / "foreign.db"
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE x (y)")
    db.close()
    with pytest.raises(InvalidConfiguration, match="of another program"):
        Database(foreign, SHAPE)


@pytest.mark.parametrize("content", [b"leaves" * 500, b"SQLite format 3\0" * 100])
def test_noDatabase(tmp_path: Path, content: bytes) -> None:
    """
    A file that is no database is named as such, and can be used by others
    afterwards.
    """
    path = tmp_path / "tea.db"
    path.write_bytes(content)
    path.chmod(0o600)
    for _ in range(2):
        with pytest.raises(InvalidConfiguration, match=r"tea\.db: not a database"):
            Database(path, SHAPE)
    assert path.read_bytes() == content


def test_nowhere(tmp_path: Path) -> None:
    """
    A path that leads nowhere is named with the reason.
    """
    with pytest.raises(InvalidConfiguration, match=r"no/tea\.db: No such file"):
        Database(tmp_path / "no" / "tea.db", SHAPE)
    with pytest.raises(InvalidConfiguration, match="Is a directory"):
        Database(tmp_path, SHAPE)
    with pytest.raises(InvalidConfiguration, match="No such file"):
        Database(tmp_path / "tea.db", SHAPE, shared=True)


def test_inUse(tmp_path: Path) -> None:
    """
    A second one is refused, in words that name the first, until that is gone;
    one that shares is not.
    """
    path = filled(tmp_path / "tea.db")
    first = Database(path, SHAPE)
    with pytest.raises(DatabaseInUse, match="another kettle has it open"):
        Database(path, SHAPE)
    second = Database(path, SHAPE, shared=True)
    assert leaves(second) == [("oolong",)]
    second.close()
    with pytest.raises(DatabaseInUse):
        Database(path, SHAPE)
    first.close()
    Database(path, SHAPE).close()


def test_locked(tmp_path: Path) -> None:
    """
    The first statement that meets a lock of another process waits for a moment;
    those after it do not wait, until one has changed the database.
    """
    path = filled(tmp_path / "tea.db")
    database = Database(path, SHAPE)
    add = "INSERT INTO tea VALUES ('assam')"

    def wait() -> int:
        return database.count("PRAGMA busy_timeout")

    assert 0 < wait() < 1000
    patience = wait()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError) as raised:
            database.connection.execute(add)
        assert isLocked(raised.value)
        assert wait() == 0
        assert leaves(database) == [("oolong",)]
    other.execute("COMMIT")
    with database.transaction():
        assert wait() == 0
        database.connection.execute(add)
    assert wait() == patience
    other.close()
    database.close()


def test_snapshot(tmp_path: Path) -> None:
    """
    Reading several tables at one time keeps nobody from writing.
    """
    path = filled(tmp_path / "tea.db")
    database = Database(path, SHAPE)
    reader = Database(path, SHAPE, shared=True)
    with reader.snapshot():
        assert leaves(reader) == [("oolong",)]
        database.connection.execute("DELETE FROM tea")
        assert leaves(reader) == [("oolong",)]
    assert leaves(reader) == []
    reader.close()
    database.close()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_damaged(tmp_path: Path, place: int) -> None:
    """
    A damaged database is refused, and stays as it is.
    """
    path = filled(tmp_path / "tea.db")
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = DELETE")
    db.executemany("INSERT INTO tea VALUES (?)", [("assam" * 500,)] * 20)
    db.commit()
    db.close()
    content = bytearray(path.read_bytes())
    content[4096 * place + 100 : 4096 * (place + 1)] = b"\x5a" * 3996
    path.write_bytes(content)
    with pytest.raises(InvalidConfiguration, match=r"tea\.db: .* damaged") as raised:
        Database(path, SHAPE)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == content


def killed(step: str, action: Callable[[], object]) -> None:
    """
    Run an action in a process that ends when it comes to a step of an upgrade.
    """
    child = os.fork()
    if not child:
        setattr(migrations, step, lambda *_: os._exit(9))
        action()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_killedUpgrade(tmp_path: Path) -> None:
    """
    Upgrades that were killed before their end leave one copy together.
    """
    path = filled(tmp_path / "tea.db")
    for _ in range(3):
        killed("_rebuild", lambda: Database(path, LATER))
    database = Database(path, LATER)
    assert leaves(database) == [("oolong",)]
    assert database.copy == tmp_path / "tea.db.v3-backup"
    database.close()
    assert files(tmp_path) == ["tea.db", "tea.db.v3-backup"]


def test_killedAfterUpgrade(tmp_path: Path) -> None:
    """
    The copy of an upgrade that was killed when it had succeeded is kept.
    """
    path = filled(tmp_path / "tea.db")
    killed("finish", lambda: Database(path, LATER))
    database = Database(path, LATER)
    assert database.copy == tmp_path / "tea.db.v3-backup"
    database.close()
    assert files(tmp_path) == ["tea.db", "tea.db.v3-backup"]
    old = Database(tmp_path / "tea.db.v3-backup", SHAPE)
    assert leaves(old) == [("oolong",)]
    old.close()


def test_olderAgain(tmp_path: Path) -> None:
    """
    An older version that is run after a killed upgrade removes the copy, since
    it is about to go out of date.
    """
    path = filled(tmp_path / "tea.db")
    killed("_rebuild", lambda: Database(path, LATER))
    Database(path, SHAPE).close()
    assert files(tmp_path) == ["tea.db"]
