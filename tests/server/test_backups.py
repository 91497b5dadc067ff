"""
Backups of databases, and of the contents beside them.
"""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.outbox.storage import QUEUE_SCHEMA
from txwebqq.server.admin import main
from txwebqq.server.storage.blobs import BlobStore
from txwebqq.server.storage.store import Store
from txwebqq.sqlite.database import Database


class Backups:
    """
    A folder with the database of a server, and a terminal.
    """

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.path = folder / "q.db"
        self._capsys = capsys
        Store(self.path).close()

    def attempt(self, path: Path, *argv: str) -> tuple[int, str]:
        """
        Run C{webqq-admin} for a database.

        @return: the exit code and the output.
        """
        code = main(["--database", str(path), *argv])
        captured = self._capsys.readouterr()
        return code, captured.out + captured.err


@pytest.fixture
def backups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Backups:
    """
    Make a database, and a terminal.
    """
    return Backups(tmp_path, capsys)


def test_backupOfOthers(backups: Backups) -> None:
    """
    The databases of gateways, relays and queues, also those of older and newer
    versions, are copied while they are used, and as they are.
    """
    for name, schema in (
        ("irc.db", GATEWAY_SCHEMA),
        ("relay.db", RELAY_SCHEMA),
        ("queue.db", QUEUE_SCHEMA),
    ):
        path, copy = backups.folder / name, backups.folder / f"copy-{name}"
        used = Database(path, schema)
        for version in (1, 99):
            used.connection.execute(f"PRAGMA user_version = {version}")
            assert backups.attempt(path, "backup", str(copy)) == (0, "")
            with closing(sqlite3.connect(copy)) as copied:
                assert copied.execute("PRAGMA user_version").fetchone() == (version,)
            copy.unlink()
        used.close()
        assert not list(backups.folder.glob("*-backup*"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "a database of another program"), (b"no database" * 100, "not a database")],
)
def test_backupOfNothing(backups: Backups, content: bytes, problem: str) -> None:
    """
    A file that is no database of this package is not copied.
    """
    path, copy = backups.folder / "other", backups.folder / "copy"
    path.write_bytes(content)
    code, error = backups.attempt(path, "backup", str(copy))
    assert code == 1
    assert problem in error
    assert [each for each in backups.folder.iterdir() if "copy" in each.name] == []


def test_backupDamaged(backups: Backups) -> None:
    """
    A damaged database is told, and leaves no copy that looks like a good one.
    """
    with closing(sqlite3.connect(backups.path)) as db, db:
        db.execute("CREATE TABLE large AS SELECT zeroblob(1000000)")
    size = backups.path.stat().st_size
    with backups.path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    assert (
        "damaged"
        in backups.attempt(backups.path, "backup", str(backups.folder / "copy.db"))[1]
    )
    assert not list(backups.folder.glob("copy.db*"))


def test_backupFiles(backups: Backups) -> None:
    """
    The contents of pictures and files are copied once, without those that are being
    received; what an interrupted backup has left is copied again.
    """
    store = BlobStore(Path(f"{backups.path}.files"))
    digests = []
    for content in (b"one", b"two"):
        writer = store.begin(10)
        writer.write(content)
        digests.append(writer.keep().digest)
    writer = store.begin(10)
    writer.write(b"under way")
    folder = backups.folder / "kept"
    paths = {folder / each[:2] / each for each in digests}
    first, second = (str(backups.folder / f"copy{number}.db") for number in (1, 2))
    files = ("--files", str(folder))
    assert backups.attempt(backups.path, "backup", first, *files) == (0, "")
    assert {path for path in folder.glob("**/*") if path.is_file()} == paths
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    lost = folder / digests[0][:2] / digests[0]
    kept = (folder / digests[1][:2] / digests[1]).stat().st_ino
    lost.rename(lost.with_name(f"{lost.name}.partial")).write_bytes(
        b"longer than it was"
    )
    assert backups.attempt(backups.path, "backup", second, *files) == (0, "")
    copied = {path for path in folder.glob("**/*") if path.is_file()}
    assert copied == paths
    # What an earlier backup has copied is not copied again.
    assert (folder / digests[1][:2] / digests[1]).stat().st_ino == kept
    read = BlobStore(folder)
    assert [read.read(each) for each in digests] == [b"one", b"two"]
    writer.discard()
    for path in copied:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
