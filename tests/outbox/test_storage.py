"""
Files of queues of older versions.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from txwebqq.model import Number
from txwebqq.outbox.storage import QueueStore

OLDER = """
CREATE TABLE owner (
    number INTEGER NOT NULL,
    id TEXT NOT NULL DEFAULT '',
    detects INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    time REAL NOT NULL,
    key TEXT NOT NULL,
    font TEXT NOT NULL,
    content TEXT NOT NULL,
    ids TEXT NOT NULL DEFAULT '',
    begun INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '',
    told INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX message_by_key ON message (key) WHERE key != '';
INSERT INTO message (serial, recipient, time, key, font, content, ids, begun) VALUES
    (5, 'friend 10002', 1.0, '', '', '[["text", "c"]]', '7 8', 2),
    (6, 'friend 10002', 2.0, '', '', '[["text", "d"]]', '', 0);
PRAGMA user_version = 2;
PRAGMA application_id = 1903260021;
"""


@pytest.mark.parametrize("fileId", ["aa", ""])
def test_olderVersion(tmp_path: Path, fileId: str) -> None:
    """
    Messages keep the ids with which they may have been sent, also when the file is
    opened once more. In a file without an id, none was sent with one.
    """
    path = tmp_path / "queue.db"
    path.touch(0o600)
    older = sqlite3.connect(path)
    older.executescript(OLDER)
    older.execute("INSERT INTO owner VALUES (10001, ?, 1)", (fileId,))
    older.commit()
    older.close()
    found = []
    for _ in range(2):
        store = QueueStore(path, Number(10001))
        assert store.detects
        found.append([store.sendId(store.get(serial)) for serial in (5, 6)])
        store.close()
    assert found[0] == found[1]
    if fileId:
        assert found[0] == ["aa-5-2", "aa-6-0"]
    else:
        assert found[0][0].endswith("-2")
        assert len({sendId.partition("-")[0] for sendId in found[0]}) == 2
