"""
Upgrades of databases with an older schema.
"""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from tests.server.harness import ALICE, BOB, CATS, POPULATION, storeEvent
from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Text
from txwebqq.server.domain.history import HistoryRecorder, conversationOf
from txwebqq.server.events.kinds import FRIEND_MESSAGE
from txwebqq.server.events.queued import MessageIds
from txwebqq.server.events.storedformat import encodeQueued
from txwebqq.server.population import parse
from txwebqq.server.storage.populationimport import importPopulation
from txwebqq.server.storage.store import VERSION, Store
from txwebqq.sqlite import migrations

# Frozen: the databases of the first version are not written any more.
VERSION_1 = """
CREATE TABLE account (
    number INTEGER PRIMARY KEY,
    first_hash BLOB NOT NULL,
    nick TEXT NOT NULL,
    face INTEGER NOT NULL DEFAULT 0,
    profile TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE category (
    owner INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    name TEXT NOT NULL,
    sort INTEGER NOT NULL,
    PRIMARY KEY (owner, idx)
) WITHOUT ROWID;
CREATE TABLE friendship (
    owner INTEGER NOT NULL,
    friend INTEGER NOT NULL,
    category INTEGER NOT NULL DEFAULT 0,
    markname TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (owner, friend)
) WITHOUT ROWID;
CREATE TABLE room (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL,
    memo TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE member (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    card TEXT NOT NULL DEFAULT '',
    flag INTEGER NOT NULL DEFAULT 0,
    markname TEXT NOT NULL DEFAULT '',
    mask INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, number)
) WITHOUT ROWID;
CREATE INDEX member_by_number ON member (number, room);
CREATE TABLE discussion (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL
);
CREATE TABLE discussion_member (
    discussion INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (discussion, number)
) WITHOUT ROWID;
CREATE INDEX discussion_member_by_number ON discussion_member (number, discussion);
CREATE TABLE letter (
    serial INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE waiting (
    number INTEGER NOT NULL,
    letter INTEGER NOT NULL,
    PRIMARY KEY (number, letter)
) WITHOUT ROWID;
CREATE INDEX waiting_by_letter ON waiting (letter);
"""

EVENT = FRIEND_MESSAGE.new(MessageIds(ALICE, 1366004047, 2, 3), (Text("later"),))

MORE = """
[[discussion]]
number = 300001
name = "the trip"
owner = 10001
members = [10001, 10003]
"""


def first(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """
    Make a database of version 1 with rows in each table.

    @return: the rows of each table, by the query that selects them.
    """
    filled = Store(path.with_name("filled.db"))
    importPopulation(filled, parse(POPULATION + MORE))
    storeEvent(filled, EVENT, [BOB])
    filled.close()
    path.touch(mode=0o600)
    db = sqlite3.connect(path)
    db.executescript(VERSION_1 + "PRAGMA user_version = 1;")
    db.execute("ATTACH ? AS filled", (str(path.with_name("filled.db")),))
    tables = [row[0] for row in db.execute("SELECT name FROM main.sqlite_master")]
    contents = {}
    for table in tables:
        columns = ", ".join(
            r[1] for r in db.execute(f"PRAGMA main.table_info({table})")
        )
        if columns:
            db.execute(
                f"INSERT INTO main.{table} ({columns})"
                f" SELECT {columns} FROM filled.{table}"
            )
            contents[f"SELECT {columns} FROM {table}"] = db.execute(
                f"SELECT {columns} FROM main.{table}"
            ).fetchall()
    db.commit()
    db.close()
    assert all(contents.values())
    return contents


def shape(path: Path) -> dict[str, object]:
    db = sqlite3.connect(path)
    shapes: dict[str, object] = {}
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_master"):
        columns = db.execute(f"PRAGMA table_info({name})").fetchall()
        shapes[name] = (kind, " ".join((sql or "").split()), columns)
    shapes["version"] = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return shapes


def test_upgrade(tmp_path: Path) -> None:
    """
    An upgraded database of version 1 has the schema of a new one and all of its
    rows.
    """
    path = tmp_path / "q.db"
    contents = first(path)
    store = Store(path)
    assert store.messages.waiting(BOB, 0, 10) == [(1, EVENT)]
    group = store.groups.get(CATS)
    assert group is not None
    assert group.memo == "meow"
    store.close()
    Store(tmp_path / "new.db").close()
    assert shape(path) == shape(tmp_path / "new.db")
    db = sqlite3.connect(path)
    for query, rows in contents.items():
        assert db.execute(query).fetchall() == rows
    db.close()


def test_copy(tmp_path: Path) -> None:
    """
    An upgrade keeps a copy of the old database that only its owner may read, and
    overwrites no earlier copy.
    """
    path = tmp_path / "q.db"
    contents = first(path)
    (tmp_path / "q.db.v1-backup").write_text("mine")
    store = Store(path)
    assert store.copy == tmp_path / "q.db.v1-backup.2"
    assert stat.S_IMODE(store.copy.stat().st_mode) == 0o600
    store.close()
    db = sqlite3.connect(store.copy)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    for query, rows in contents.items():
        assert db.execute(query).fetchall() == rows
    db.close()
    assert (tmp_path / "q.db.v1-backup").read_text() == "mine"
    again = Store(path)
    assert again.copy is None
    again.close()


def test_broken(tmp_path: Path) -> None:
    """
    An upgrade that fails changes nothing.
    """
    path = tmp_path / "q.db"
    first(path)
    before = shape(path)
    db = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError):
        migrations.upgrade(
            db, "CREATE TABLE account (nick TEXT CHECK (nick = 'me'));", 2, path
        )
    db.close()
    assert shape(path) == before


def test_additions(tmp_path: Path) -> None:
    """
    Tables added by an operator survive an upgrade, and so does the highest number
    of C{AUTOINCREMENT} columns.
    """
    path = tmp_path / "q.db"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE mine (x)")
    db.execute("CREATE INDEX mine_too ON mine (x)")
    db.execute("INSERT INTO mine VALUES (1)")
    db.execute("INSERT INTO picture VALUES (7, 'a', 1, 'b', 2)")
    db.execute("DELETE FROM picture")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()
    Store(path).close()
    db = sqlite3.connect(path)
    assert db.execute("SELECT x FROM mine").fetchall() == [(1,)]
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
    assert "mine_too" in names
    query = "SELECT seq FROM sqlite_sequence WHERE name = 'picture'"
    assert db.execute(query).fetchall() == [(7,)]
    db.close()


def test_serverRunning(tmp_path: Path) -> None:
    """
    A database is not upgraded while a server has it open.
    """
    path = tmp_path / "q.db"
    server = Store(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(InvalidConfiguration, match="stop that server first"):
        Store(path, shared=True)
    server.close()
    Store(path, shared=True).close()
    assert shape(path)["version"] == (VERSION,)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_readable(tmp_path: Path, mode: int) -> None:
    """
    A database that other users can read is refused; the error gives the command
    that corrects the mode.
    """
    path = tmp_path / "my q.db"
    Store(path).close()
    path.chmod(mode)
    for shared in (False, True):
        with pytest.raises(InvalidConfiguration, match=r"chmod 600 '.*/my q\.db'$"):
            Store(path, shared=shared)
    path.chmod(0o600)
    Store(path).close()


def test_recallOlder(tmp_path: Path) -> None:
    """
    A message that the version before recalls and mutes has stored is found by its id,
    and the accounts that wait for it get it.
    """
    path = tmp_path / "q.db"
    store = Store(path)
    importPopulation(store, parse(POPULATION))
    storeEvent(store, EVENT, [BOB])
    recorder = HistoryRecorder(store.history, lambda: 1366004047.0)
    recorder.record(EVENT, encodeQueued(EVENT), [BOB])
    recorder.flush()
    store.close()
    db = sqlite3.connect(path)
    db.execute("ALTER TABLE history DROP COLUMN event")
    db.execute("DROP TABLE mute")
    db.execute("PRAGMA user_version = 7")
    db.commit()
    db.close()
    again = Store(path)
    recorder = HistoryRecorder(again.history, lambda: 1366004047.0)
    found = recorder.find(conversationOf(ALICE, BOB), EVENT.ids.messageId2)
    assert found is not None
    assert found.event == EVENT
    stored = found.stored
    assert again.messages.withdraw(stored.eventSerial, stored.body) == []
    assert again.messages.waiting(BOB, 0, 10) == [(1, EVENT)]
    assert again.mutes.until(CATS, BOB, 1366004047) == (0, 0)
    again.close()


def test_unreadOlder(tmp_path: Path) -> None:
    """
    Messages of the version before read markers do not count as unread; those that
    come after the upgrade do.
    """
    path = tmp_path / "q.db"
    store = Store(path)
    importPopulation(store, parse(POPULATION))
    conversation = conversationOf(ALICE, BOB)

    def record(store: Store) -> HistoryRecorder:
        recorder = HistoryRecorder(store.history, lambda: 1366004047.0)
        recorder.record(EVENT, encodeQueued(EVENT), [BOB])
        recorder.flush()
        return recorder

    record(store)
    store.close()
    db = sqlite3.connect(path)
    db.execute("DROP INDEX history_by_place")
    db.execute("ALTER TABLE history DROP COLUMN counts")
    db.execute("CREATE INDEX history_by_place ON history (kind, place, other, seq)")
    db.execute("DROP TABLE read_marker")
    db.execute("PRAGMA user_version = 12")
    db.commit()
    db.close()
    again = Store(path)
    recorder = HistoryRecorder(again.history, lambda: 1366004047.0)
    assert again.readMarkers.unread(BOB, conversation, recorder.window, 9) == 0
    recorder = record(again)
    assert again.readMarkers.unread(BOB, conversation, recorder.window, 9) == 1
    assert len(recorder.between(conversation, 0, 0, 9, newest=True)) == 2
    again.close()


def test_noReactions(tmp_path: Path) -> None:
    """
    A database of the version before reactions were remembered has none, and keeps those
    that come.
    """
    path = tmp_path / "q.db"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute("DROP TABLE reaction")
    db.execute("PRAGMA user_version = 15")
    db.commit()
    db.close()
    again = Store(path)
    assert again.reactions.of(CATS, [1]) == {}
    again.reactions.add(CATS, 1, "14", ALICE, 5)
    assert again.reactions.of(CATS, [1]) == {1: {"14": [ALICE]}}
    again.close()
